/*
 * sink_suite.c - see sink_suite.h.
 */
#include "tests/unit/sink_suite.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/test.h"

enum { ARRIVED_MAX = 64 * 1024 * 1024 };

static const struct sink_suite *place; /* the suite that runs */

static void *zeroes(struct arena *arena, size_t count, size_t size)
{
    return arena_alloc(arena, (count + 1) * size);
}

static const struct sink_answer *deliver(const struct sink *sink, const struct str *records,
                                         size_t count, bool in_order)
{
    static struct arena *arena;
    static struct sink_answer answer;
    static int64_t sequence = 1; /* never used twice, as in a store */

    arena_destroy(arena); /* the last arena is never destroyed, but reachable: no leak report */
    arena = arena_create();

    struct sink_record *list = zeroes(arena, count, sizeof(*list));

    answer = (struct sink_answer){ .outcomes = zeroes(arena, count, sizeof(*answer.outcomes)) };
    for (size_t i = 0; i < count; i++)
        list[i] = (struct sink_record){ .sequence = sequence += 2,
                                        .key = arena_printf(arena, "key-%zu", i),
                                        .order_key = arena_printf(arena, "key-%zu", i),
                                        .bytes = records[i] };
    sink->deliver(sink->self,
                  &(struct sink_batch){ .records = list,
                                        .count = count,
                                        .store = STR("5eed5eed5eed5eed"),
                                        .arena = arena,
                                        .in_order = in_order },
                  &answer);
    return &answer;
}

const struct sink_answer *sink_suite_deliver(const struct sink *sink, const struct str *records,
                                             size_t count)
{
    return deliver(sink, records, count, false);
}

void sink_suite_check_all(const struct sink_answer *answer, size_t count, enum sink_result result)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(answer->outcomes[i].result, result);
        CHECK((answer->outcomes[i].reason != NULL) == (result != SINK_DELIVERED));
    }
}

static void check_arrived(const char *expected)
{
    CLEANUP(buf_done) struct buf out;

    buf_init(&out, ARRIVED_MAX);
    place->arrived(place->self, &out);
    CHECK_STR(buf_str(&out), expected);
}

static void limits_allow_a_record(void)
{
    struct sink sink = place->create(place->self);

    CHECK(sink.max_records >= 1);
    CHECK(sink.max_bytes >= 1024);
    sink.destroy(sink.self);
    check_arrived("");
}

static void records_arrive_unharmed(void)
{
    static const struct str records[] = {
        STR_INIT("{}"),
        STR_INIT("{\"a\":\"\\\"\\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}"),
        STR_INIT("{\"number\":12345678901234567890,\"huge\":1e400}"),
        STR_INIT("{\"spaces\": \"  \"}"),
    };
    struct sink sink = place->create(place->self);

    for (size_t i = 0; i < COUNT_OF(records); i++)
        sink_suite_check_all(sink_suite_deliver(&sink, &records[i], 1), 1, SINK_DELIVERED);
    check_arrived("{}\n{\"a\":\"\\\"\\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}\n"
                  "{\"number\":12345678901234567890,\"huge\":1e400}\n{\"spaces\": \"  \"}\n");
    sink.destroy(sink.self);
}

/* Make `count` records `{"n":0}`, `{"n":1}`, ...; `*lines` is the text that must arrive. */
static struct str *numbered(struct arena *arena, size_t count, const char **lines)
{
    struct str *records = zeroes(arena, count, sizeof(*records));
    struct buf *text = arena_buf(arena, ARRIVED_MAX);

    for (size_t i = 0; i < count; i++) {
        records[i] = arena_printf(arena, "{\"n\":%zu}", i);
        buf_add(text, records[i]);
        buf_add_char(text, '\n');
    }
    buf_add_char(text, '\0');
    *lines = text->ptr;
    return records;
}

static void a_full_batch_arrives_in_order(void)
{
    struct arena *arena = arena_create();
    struct sink sink = place->create(place->self);
    const char *lines;
    struct str *records = numbered(arena, sink.max_records, &lines);

    sink_suite_check_all(sink_suite_deliver(&sink, records, sink.max_records), sink.max_records,
                         SINK_DELIVERED);
    check_arrived(lines);
    sink.destroy(sink.self);
    arena_destroy(arena);
}

static void a_record_over_the_limit_goes_alone(void)
{
    struct sink sink = place->create(place->self);
    size_t len = sink.max_bytes + 100;
    char *bytes = mem_alloc(len + 2);

    memset(bytes, 'x', len);
    bytes[0] = bytes[len - 1] = '"';
    sink_suite_check_all(sink_suite_deliver(&sink, &(struct str){ bytes, len }, 1), 1,
                         SINK_DELIVERED);
    bytes[len] = '\n';
    check_arrived(bytes);
    mem_free(bytes);
    sink.destroy(sink.self);
}

static void a_broken_place_postpones_and_mends(void)
{
    static const struct str records[] = { STR_INIT("{\"n\":1}"), STR_INIT("{\"n\":2}") };
    struct sink sink = place->create(place->self);
    size_t count = sink.max_records < 2 ? 1 : 2;

    place->set_broken(place->self, true);
    for (int i = 0; i < 2; i++)
        sink_suite_check_all(sink_suite_deliver(&sink, records, count), count, SINK_POSTPONED);
    place->set_broken(place->self, false);
    check_arrived("");
    sink_suite_check_all(sink_suite_deliver(&sink, records, count), count, SINK_DELIVERED);
    check_arrived(count == 2 ? "{\"n\":1}\n{\"n\":2}\n" : "{\"n\":1}\n");
    sink.destroy(sink.self);
}

static void it_breaks_between_records_and_mends(void)
{
    static const struct str records[] = { STR_INIT("{\"n\":1}"), STR_INIT("{\"n\":2}") };
    struct sink sink = place->create(place->self);

    sink_suite_check_all(sink_suite_deliver(&sink, &records[0], 1), 1, SINK_DELIVERED);
    place->set_broken(place->self, true);
    sink_suite_check_all(sink_suite_deliver(&sink, &records[1], 1), 1, SINK_POSTPONED);
    place->set_broken(place->self, false);
    sink_suite_check_all(sink_suite_deliver(&sink, &records[1], 1), 1, SINK_DELIVERED);
    check_arrived("{\"n\":1}\n{\"n\":2}\n");
    sink.destroy(sink.self);
}

static void check_arrived_keys(const char *expected)
{
    CLEANUP(buf_done) struct buf out;

    buf_init(&out, ARRIVED_MAX);
    place->arrived_keys(place->self, &out);
    CHECK_STR(buf_str(&out), expected);
}

/*
 * A retried record has the same key whether it is alone in its batch or not. The suite makes the
 * key from the index in the batch, so the same record needs the same index.
 */
static void a_record_has_its_key_in_any_company(void)
{
    static const struct str records[] = { STR_INIT("{\"n\":1}"), STR_INIT("{\"n\":2}"),
                                          STR_INIT("{\"n\":3}") };
    struct sink sink;

    if (!place->arrived_keys)
        return;
    sink = place->create(place->self);
    sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_DELIVERED);
    check_arrived_keys("key-0\n");
    if (sink.max_records >= 3) {
        sink_suite_check_all(sink_suite_deliver(&sink, records, 3), 3, SINK_DELIVERED);
        sink_suite_check_all(sink_suite_deliver(&sink, records, 2), 2, SINK_DELIVERED);
        check_arrived_keys("key-0\nkey-0\nkey-1\nkey-2\nkey-0\nkey-1\n");
    }
    sink.destroy(sink.self);
}

static void a_refused_record_is_told_from_its_neighbours(void)
{
    struct str records[] = { STR("{\"n\":1}"), place->refused, STR("{\"n\":2}") };
    struct sink sink;
    const struct sink_answer *answer;

    if (!place->refused.ptr)
        return;
    sink = place->create(place->self);
    answer = sink_suite_deliver(&sink, &records[1], 1);
    sink_suite_check_all(answer, 1, SINK_REFUSED);
    CHECK(!answer->together); /* in a batch of one it is known which record was refused */
    check_arrived("");
    if (sink.max_records >= 3) {
        answer = sink_suite_deliver(&sink, records, 3);
        if (answer->together) {
            sink_suite_check_all(answer, 3, SINK_REFUSED);
            check_arrived("");
        } else {
            CHECK_INT(answer->outcomes[0].result, SINK_DELIVERED);
            CHECK_INT(answer->outcomes[1].result, SINK_REFUSED);
            CHECK_INT(answer->outcomes[2].result, SINK_DELIVERED);
            check_arrived("{\"n\":1}\n{\"n\":2}\n");
        }
    }
    sink.destroy(sink.self);
}

static void *reopen_often(void *self)
{
    const struct sink *sink = self;

    for (int i = 0; i < 100; i++)
        if (sink->reopen)
            sink->reopen(sink->self);
    return NULL;
}

static void it_can_be_reopened_and_tended_at_any_time(void)
{
    static const struct str record = STR_INIT("{\"n\":1}");
    CLEANUP(buf_done) struct buf expected;
    struct sink sink = place->create(place->self);
    pthread_t thread;

    buf_init(&expected, ARRIVED_MAX);
    assert(pthread_create(&thread, NULL, reopen_often, &sink) == 0);
    for (int i = 0; i < 20; i++) {
        sink_suite_check_all(sink_suite_deliver(&sink, &record, 1), 1, SINK_DELIVERED);
        if (sink.tend)
            sink.tend(sink.self);
        buf_add(&expected, STR("{\"n\":1}\n"));
    }
    (void)pthread_join(thread, NULL);
    buf_add_char(&expected, '\0');
    check_arrived(expected.ptr);
    sink.destroy(sink.self);
}

static void in_order_nothing_passes_a_refused_record(void)
{
    struct str records[] = { STR("{\"n\":1}"), place->refused, STR("{\"n\":2}") };
    struct sink sink;

    if (!place->refused.ptr)
        return;
    sink = place->create(place->self);
    if (sink.max_records >= 3) {
        const struct sink_answer *answer = deliver(&sink, records, 3, true);

        CHECK_INT(answer->outcomes[1].result, SINK_REFUSED);
        CHECK(answer->outcomes[2].result != SINK_DELIVERED);
        check_arrived(answer->outcomes[0].result == SINK_DELIVERED ? "{\"n\":1}\n" : "");
    }
    sink.destroy(sink.self);
}

static void after_an_interruption_it_answers(void)
{
    static const struct str record = STR_INIT("{\"n\":1}");
    struct sink sink = place->create(place->self);
    const struct sink_answer *answer;

    if (sink.interrupt)
        sink.interrupt(sink.self);
    answer = sink_suite_deliver(&sink, &record, 1);
    CHECK(answer->outcomes[0].result != SINK_REFUSED);
    check_arrived(answer->outcomes[0].result == SINK_DELIVERED ? "{\"n\":1}\n" : "");
    sink.destroy(sink.self);
}

void sink_suite_run(const struct sink_suite *suite)
{
    place = suite;
    RUN(limits_allow_a_record);
    RUN(records_arrive_unharmed);
    RUN(a_full_batch_arrives_in_order);
    RUN(a_record_over_the_limit_goes_alone);
    RUN(a_broken_place_postpones_and_mends);
    RUN(it_breaks_between_records_and_mends);
    RUN(a_record_has_its_key_in_any_company);
    RUN(a_refused_record_is_told_from_its_neighbours);
    RUN(it_can_be_reopened_and_tended_at_any_time);
    RUN(in_order_nothing_passes_a_refused_record);
    RUN(after_an_interruption_it_answers);
}
