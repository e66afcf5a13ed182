/*
 * test_glue_framed.c - the header of AWS Glue's serializers before each record
 */
#include "delivery/sinks/glue_framed.h"

#include <string.h>

#include "tests/unit/test.h"

enum { HEADER = 18, RECORDS = 3, COST = 7 };

/* The inner sink takes all, and keeps what it got. */
static struct {
    size_t count;
    char heads[RECORDS][HEADER];
    struct str bytes[RECORDS];
    int interrupts, tends, reopens, ends;
} seen;

static void inner_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    (void)self;
    seen.count = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        CHECK_INT((int64_t)batch->records[i].head.len, HEADER);
        memcpy(seen.heads[i], batch->records[i].head.ptr, HEADER);
        seen.bytes[i] = batch->records[i].bytes;
    }
    sink_answer_all(batch, answer, SINK_DELIVERED, NULL);
}

static size_t inner_cost(void *self, const struct sink_record *record)
{
    (void)self;
    return COST + record->head.len + record->bytes.len;
}

static void inner_interrupt(void *self)
{
    (void)self;
    seen.interrupts++;
}

static void inner_tend(void *self)
{
    (void)self;
    seen.tends++;
}

static void inner_reopen(void *self)
{
    (void)self;
    seen.reopens++;
}

static void inner_destroy(void *self)
{
    (void)self;
    seen.ends++;
}

static const struct sink inner = {
    .in_flight = 4,
    .max_records = 9,
    .cost = inner_cost,
    .deliver = inner_deliver,
    .interrupt = inner_interrupt,
    .tend = inner_tend,
    .reopen = inner_reopen,
    .destroy = inner_destroy,
};

static struct {
    int64_t sequence; /* of the record whose id cannot be found */
    enum err_code code;
} fault;

/* An id is 16 times the version's first character. */
static bool find(void *self, const struct sink_record *record, uint8_t id[static SCHEMA_ID_SIZE],
                 struct error *err)
{
    (void)self;
    if (fault.code != ERR_NONE && record->sequence == fault.sequence)
        return fail(err, fault.code, "no id");
    memset(id, record->origin.schema_version.ptr[0], SCHEMA_ID_SIZE);
    return true;
}

static struct sink sink;
static struct arena *arena;
static struct sink_answer answer;
static struct sink_outcome outcomes[RECORDS];

static const struct sink_record records[RECORDS] = {
    { .sequence = 1, .bytes = STR_INIT("{}"), .origin.schema_version = STR_INIT("1") },
    { .sequence = 2, .bytes = STR_INIT("[]"), .origin.schema_version = STR_INIT("2") },
    { .sequence = 3, .bytes = STR_INIT("3"), .origin.schema_version = STR_INIT("1") },
};

static void begin(void)
{
    const struct schema_ids ids = { find, NULL };

    memset(&seen, 0, sizeof(seen));
    fault.code = ERR_NONE;
    arena = arena_create();
    sink = sink_glue_framed(&inner, &ids);
}

static void deliver(void)
{
    memset(outcomes, 0, sizeof(outcomes));
    answer = (struct sink_answer){ .outcomes = outcomes };
    sink.deliver(sink.self,
                 &(struct sink_batch){ .records = records, .count = RECORDS, .arena = arena },
                 &answer);
}

static void end(void)
{
    sink.destroy(sink.self);
    CHECK_INT(seen.ends, 1);
    arena_destroy(arena);
}

static void each_record_has_the_header_of_its_version(void)
{
    begin();
    deliver();
    CHECK_INT((int64_t)seen.count, RECORDS);
    for (size_t i = 0; i < RECORDS; i++) {
        CHECK_INT(seen.heads[i][0], 3);
        CHECK_INT(seen.heads[i][1], 0);
        for (size_t j = 2; j < HEADER; j++)
            CHECK_INT(seen.heads[i][j], records[i].origin.schema_version.ptr[0]);
        CHECK_INT(outcomes[i].result, SINK_DELIVERED);
    }
    CHECK_STR(seen.bytes[1], "[]");
    CHECK(!answer.is_sink_wide);
    end();
}

static void a_record_without_an_id_holds_back_those_after_it(void)
{
    static const struct {
        enum err_code code;
        enum sink_result result;
    } rows[] = { { ERR_INVALID, SINK_IMPOSSIBLE },    { ERR_THROTTLED, SINK_POSTPONED },
                 { ERR_UNAVAILABLE, SINK_POSTPONED }, { ERR_UNREACHABLE, SINK_POSTPONED },
                 { ERR_DENIED, SINK_MISCONFIGURED },  { ERR_NOT_FOUND, SINK_MISCONFIGURED },
                 { ERR_CONFIG, SINK_MISCONFIGURED } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin();
        fault.sequence = 2;
        fault.code = rows[i].code;
        deliver();
        CHECK_INT((int64_t)seen.count, 1);
        CHECK_INT(outcomes[0].result, SINK_DELIVERED);
        CHECK_INT(outcomes[1].result, rows[i].result);
        CHECK_STR(str_from_c(outcomes[1].reason), "no id");
        CHECK_INT(outcomes[2].result,
                  rows[i].result == SINK_IMPOSSIBLE ? SINK_UNDER_WAY : rows[i].result);
        CHECK(outcomes[2].reason != NULL);
        CHECK_INT(answer.is_sink_wide, rows[i].result != SINK_IMPOSSIBLE);
        end();
    }
}

static void without_any_id_nothing_is_delivered(void)
{
    begin();
    fault.sequence = 1;
    fault.code = ERR_DENIED;
    deliver();
    CHECK_INT((int64_t)seen.count, 0);
    CHECK_INT(outcomes[0].result, SINK_MISCONFIGURED);
    end();
}

static void all_else_is_that_of_the_inner_sink(void)
{
    begin();
    CHECK_INT((int64_t)sink.in_flight, 4);
    CHECK_INT((int64_t)sink.max_records, 9);
    CHECK_INT((int64_t)sink.cost(sink.self, &records[0]), COST + HEADER + 2);
    sink.interrupt(sink.self);
    sink.tend(sink.self);
    sink.reopen(sink.self);
    CHECK_INT(seen.interrupts + seen.tends + seen.reopens, 3);
    end();
}

static void what_the_inner_sink_lacks_does_nothing(void)
{
    const struct sink plain = { .deliver = inner_deliver,
                                .cost = inner_cost,
                                .destroy = inner_destroy };
    const struct schema_ids ids = { find, NULL };

    begin();
    end();
    memset(&seen, 0, sizeof(seen));
    arena = arena_create();
    sink = sink_glue_framed(&plain, &ids);
    sink.interrupt(sink.self);
    sink.tend(sink.self);
    sink.reopen(sink.self);
    end();
}

int main(void)
{
    RUN(each_record_has_the_header_of_its_version);
    RUN(a_record_without_an_id_holds_back_those_after_it);
    RUN(without_any_id_nothing_is_delivered);
    RUN(all_else_is_that_of_the_inner_sink);
    RUN(what_the_inner_sink_lacks_does_nothing);
    return test_end();
}
