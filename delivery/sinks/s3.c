/*
 * s3.c - see s3.h. Sorts a batch into groups, writes them with several threads, and reports.
 *
 * The objects of a batch are written independently of each other, but the batch is reported as
 * delivered only when all of them are: otherwise the next batch would begin with another record,
 * and names would change. What has been written is remembered until then, so that a repetition
 * sends only the rest.
 */
#include "delivery/sinks/s3.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/thread.h"
#include "delivery/sinks/s3_batch.h"
#include "delivery/sinks/s3_bucket.h"
#include "delivery/sinks/s3_put.h"

enum {
    IN_FLIGHT_DEFAULT = 8,
    MAX_RECORDS = 40000, /* of a batch: bounds what the pump keeps for each record */
    LAYOUT_DIGITS = 16,
};

struct s3 {
    struct arena *arena; /* as long as the sink */
    const struct s3_prefix *prefix;
    struct s3_put_options put; /* what all requests have in common */
    struct s3_writer *writers[SINK_SLOTS_MAX];
    size_t writer_count;
    struct s3_covered *covered; /* prefixes are owned */
    size_t covered_count;
    size_t covered_room;
};

/* One delivery, shared by the threads that write its objects. */
struct delivery {
    struct s3 *s3;
    struct s3_groups *groups;
    struct str store;
    const struct sink_record *first; /* of the batch */
    struct sink_outcome *outcomes;   /* one for each record, each written by one thread */
    struct s3_failure *failures;     /* one for each group */
    _Atomic size_t next;             /* group to be written */
    atomic_bool stop;                /* a group has failed */
};

struct hand {
    struct delivery *delivery;
    struct s3_writer *writer;
    pthread_t thread;
    bool runs;
};

static void forget_covered(struct s3 *s3, size_t index)
{
    mem_free((char *)s3->covered[index].prefix.ptr);
    s3->covered[index] = s3->covered[--s3->covered_count];
}

/* Everything up to `sequence` is reported: there is nothing more to remember about it. */
static void forget_until(struct s3 *s3, int64_t sequence)
{
    for (size_t i = s3->covered_count; i > 0; i--)
        if (s3->covered[i - 1].last <= sequence)
            forget_covered(s3, i - 1);
}

static void remember(struct s3 *s3, const struct s3_group *group)
{
    for (size_t i = 0; i < s3->covered_count; i++)
        if (str_equal(s3->covered[i].prefix, group->prefix)) {
            s3->covered[i].last = group->covered;
            s3->covered[i].doubtful = group->doubtful;
            return;
        }
    s3->covered = mem_grow(s3->covered, s3->covered_count, &s3->covered_room, sizeof(*s3->covered));
    s3->covered[s3->covered_count++] = (struct s3_covered){
        .prefix = { mem_copy(group->prefix.ptr, group->prefix.len), group->prefix.len },
        .last = group->covered,
        .doubtful = group->doubtful,
    };
}

static void set_outcomes(struct delivery *delivery, struct s3_lines lines,
                         struct sink_outcome outcome)
{
    for (size_t i = 0; i < lines.count; i++)
        delivery->outcomes[lines.records[i] - delivery->first] = outcome;
}

/*
 * The records of the next object. A request whose outcome is not known may still arrive, and a
 * store that overwrites would then have fewer records under the name: no more are added to it.
 */
static struct s3_lines next_lines(const struct s3_group *group, struct s3_lines rest)
{
    size_t count = 0;

    while (count < rest.count && rest.records[count]->sequence <= group->doubtful)
        count++;
    return count > 0 ? s3_lines_first(rest, count) : rest;
}

/* Write the group's records, in as many objects as it takes. False: the delivery stops. */
static bool write_group(struct hand *hand, struct s3_group *group, struct s3_failure *failure)
{
    struct delivery *delivery = hand->delivery;
    struct s3_lines rest = group->lines;

    while (rest.count > 0) {
        const struct s3_put put = { group->prefix, delivery->store, next_lines(group, rest) };
        struct s3_put_result result;

        s3_writer_put(hand->writer, &put, &result);
        if (result.failure.result == SINK_POSTPONED)
            group->doubtful = s3_lines_last(put.lines);
        if (result.failure.result != SINK_DELIVERED && result.failure.result != SINK_IMPOSSIBLE) {
            *failure = result.failure;
            return false;
        }
        set_outcomes(delivery, s3_lines_first(rest, result.count),
                     (struct sink_outcome){ result.failure.result, result.failure.reason });
        if (result.failure.result == SINK_DELIVERED)
            group->covered = result.last;
        rest.records += result.count;
        rest.count -= result.count;
    }
    return true;
}

static void *write_groups(void *self)
{
    struct hand *hand = self;
    struct delivery *delivery = hand->delivery;
    size_t at;

    while (!atomic_load(&delivery->stop) &&
           (at = atomic_fetch_add(&delivery->next, 1)) < delivery->groups->count)
        if (!write_group(hand, &delivery->groups->list[at], &delivery->failures[at]))
            atomic_store(&delivery->stop, true);
    return NULL;
}

/* Write all groups with several threads, of which this is one. */
static void write_objects(struct delivery *delivery)
{
    struct hand hands[SINK_SLOTS_MAX] = { 0 };
    struct s3 *s3 = delivery->s3;
    size_t count =
        s3->writer_count < delivery->groups->count ? s3->writer_count : delivery->groups->count;

    for (size_t i = 0; i < count; i++) {
        struct error err;

        s3_writer_begin(s3->writers[i]);
        hands[i] = (struct hand){ .delivery = delivery, .writer = s3->writers[i] };
        hands[i].runs =
            i > 0 && thread_start(&hands[i].thread, "s3-put", write_groups, &hands[i], &err);
    }
    if (count > 0)
        (void)write_groups(&hands[0]);
    for (size_t i = 1; i < count; i++)
        if (hands[i].runs)
            (void)pthread_join(hands[i].thread, NULL);
}

/* The first group's failure; NULL: none has failed. */
static const struct s3_failure *find_failure(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->groups->count; i++)
        if (delivery->failures[i].reason)
            return &delivery->failures[i];
    return NULL;
}

/* Nothing is delivered, except that records which can never be are set aside. */
static void report_failure(const struct sink_batch *batch, struct sink_answer *answer,
                           const struct s3_failure *failure)
{
    const char *reason = arena_copy(batch->arena, str_from_c(failure->reason)).ptr;

    for (size_t i = 0; i < batch->count; i++)
        if (answer->outcomes[i].result != SINK_IMPOSSIBLE)
            answer->outcomes[i] = (struct sink_outcome){ failure->result, reason };
    answer->is_sink_wide = true;
    answer->retry_after_us = failure->retry_after_us;
}

/* Reasons of single records are in the writers' arenas. */
static void keep_reasons(const struct sink_batch *batch, struct sink_answer *answer)
{
    for (size_t i = 0; i < batch->count; i++)
        if (answer->outcomes[i].reason)
            answer->outcomes[i].reason =
                arena_copy(batch->arena, str_from_c(answer->outcomes[i].reason)).ptr;
}

static void s3_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    struct s3 *s3 = self;
    const struct s3_sorting sorting = { batch, s3->prefix, s3->covered, s3->covered_count };
    struct s3_groups *groups = s3_batch_sort(&sorting, answer->outcomes);
    struct delivery delivery = {
        .s3 = s3,
        .groups = groups,
        .store = batch->store,
        .first = batch->records,
        .outcomes = answer->outcomes,
        .failures = arena_alloc(batch->arena, (groups->count + 1) * sizeof(struct s3_failure)),
    };

    write_objects(&delivery);
    keep_reasons(batch, answer);
    for (size_t i = 0; i < groups->count; i++)
        if (groups->list[i].covered != INT64_MIN || groups->list[i].doubtful != INT64_MIN)
            remember(s3, &groups->list[i]);

    const struct s3_failure *failure = find_failure(&delivery);

    if (failure) {
        report_failure(batch, answer, failure);
        return;
    }
    if (groups->taken > 0)
        forget_until(s3, batch->records[groups->taken - 1].sequence);
    for (size_t i = groups->taken; i < batch->count; i++)
        answer->outcomes[i] =
            (struct sink_outcome){ SINK_UNDER_WAY, "the batch has 100 prefixes before it" };
}

static void s3_interrupt(void *self)
{
    struct s3 *s3 = self;

    for (size_t i = 0; i < s3->writer_count; i++)
        s3_writer_interrupt(s3->writers[i]);
}

static size_t s3_cost(void *self, const struct sink_record *record)
{
    (void)self;
    return record->bytes.len + 1;
}

static void s3_destroy(void *self)
{
    struct s3 *s3 = self;

    if (!s3)
        return;
    for (size_t i = 0; i < s3->writer_count; i++)
        s3_writer_destroy(s3->writers[i]);
    while (s3->covered_count > 0)
        forget_covered(s3, 0);
    mem_free(s3->covered);
    arena_destroy(s3->arena);
    mem_free(s3);
}

/* What decides which records an object has beside their sequence. */
static struct str layout_of(const struct sink_s3_options *options, struct arena *arena)
{
    struct str text =
        arena_printf(arena, "%s\n%s\n%s", options->name, options->prefix, options->time);
    struct buf *hex = arena_buf(arena, LAYOUT_DIGITS);
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(text, digest);
    buf_add_hex(hex, digest, LAYOUT_DIGITS / 2);
    return buf_str(hex);
}

static bool read_options(struct s3 *s3, const struct sink_s3_options *options, const char **key,
                         struct error *err)
{
    *key = "bucket";
    if (!s3_bucket_read(options->bucket, s3->arena, &s3->put.bucket, err))
        return false;
    *key = "time";
    if (!json_pointer_is_valid(str_from_c(options->time)))
        return fail(err, ERR_CONFIG, "expected a JSON Pointer");
    *key = "prefix";
    return s3_prefix_compile(str_from_c(options->prefix), str_from_c(options->time), s3->arena,
                             &s3->prefix, err);
}

bool sink_s3_check(const struct sink_s3_options *options, const char **key, struct error *err)
{
    struct s3 s3 = { .arena = arena_create() };
    bool ok = read_options(&s3, options, key, err);

    arena_destroy(s3.arena);
    return ok;
}

bool sink_s3(const struct sink_s3_options *options, struct sink *out, struct error *err)
{
    struct s3 *s3 = mem_alloc(sizeof(*s3));
    size_t in_flight = options->in_flight ? options->in_flight : IN_FLIGHT_DEFAULT;
    const char *key = "";

    s3->arena = arena_create();
    s3->put = (struct s3_put_options){
        .options = *options,
        .layout = layout_of(options, s3->arena),
    };

    bool ok = read_options(s3, options, &key, err) || fail_within(err, key);

    while (ok && s3->writer_count < in_flight) {
        ok = s3_writer_create(&s3->put, &s3->writers[s3->writer_count], err);
        s3->writer_count += ok;
    }
    if (!ok) {
        s3_destroy(s3);
        return false;
    }
    *out = (struct sink){ .in_flight = 1,
                          .max_records = options->batch ? options->batch : MAX_RECORDS,
                          .max_bytes = options->max_bytes,
                          .cost = s3_cost,
                          .deliver = s3_deliver,
                          .interrupt = s3_interrupt,
                          .destroy = s3_destroy,
                          .self = s3 };
    return true;
}
