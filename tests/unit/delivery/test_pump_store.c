/*
 * test_pump_store.c - pump, store and sinks together: everything accepted is accounted for
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "delivery/pump.h"
#include "delivery/sinks/file.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { RECORDS_MAX = 1024 * 1024, FLUSH_US = 60 * 1000000 };

static const char *const names[] = { "archive" };

static struct store store;
static char path[FOLDER_PATH_SIZE]; /* of the sink's file */

/* A file sink that fails or refuses when it is told to. */
static struct {
    struct sink file;
    atomic_int failures; /* calls that are still to fail */
    atomic_bool refuses; /* "a7", and with it every batch that has it */
} place;

static void deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    bool has_it = false;

    (void)self;
    for (size_t i = 0; i < batch->count; i++)
        has_it = has_it || str_equal(batch->records[i].key, STR("a7"));
    if (place.failures > 0) {
        place.failures--;
        sink_answer_all(batch, answer, SINK_POSTPONED, "down");
    } else if (place.refuses && has_it) {
        answer->together = batch->count > 1;
        sink_answer_all(batch, answer, SINK_REFUSED, "no");
    } else {
        place.file.deliver(place.file.self, batch, answer);
    }
}

static void destroy(void *self)
{
    (void)self;
    place.file.destroy(place.file.self);
}

static struct pump *start(struct pump_rules rules)
{
    struct error err = { 0 };
    struct pump *pump;

    folder_path(&store.folder, "records.ndjson", path);
    place.file =
        sink_file(&(struct sink_file_options){ .name = names[0], .path = path, .mode = 0600 });
    pump = pump_create(&(struct pump_options){
        .name = names[0],
        .rules = rules,
        .sink = { .in_flight = 1,
                  .max_records = 10,
                  .max_bytes = 1000,
                  .deliver = deliver,
                  .destroy = destroy },
    });
    CHECK(pump_start(pump, store.outbox, &err));
    CHECK_STR(str_from_c(err.text), "");
    return pump;
}

static void stop(struct pump *pump)
{
    pump_drain(pump);
    pump_stop(pump, clock_monotonic_us() + FLUSH_US);
    pump_destroy(pump);
}

static void begin(void)
{
    store_init(&store);
    store.options.sinks = names;
    store.options.sink_count = COUNT_OF(names);
    store_open(&store);
    place.failures = 0;
    place.refuses = false;
}

static void end(void)
{
    store_close(&store);
    store_done(&store);
}

static size_t lines(void)
{
    struct str text = STR_NONE;
    struct error err;
    size_t count = 0;

    if (access(path, F_OK) != 0)
        return 0;
    assert(file_read(path, RECORDS_MAX, &text, &err));
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    mem_free((char *)text.ptr);
    return count;
}

static void check_conserved(int64_t delivered, int64_t pending, int64_t dead)
{
    const struct outbox_sink_counters *sink = store_sink(&store, names[0]);

    CHECK_INT(sink->delivered, delivered);
    CHECK_INT(sink->pending, pending);
    CHECK_INT(sink->dead, dead);
    CHECK_INT(sink->enqueued, sink->delivered + sink->pending + sink->dead + sink->dropped);
}

static bool nothing_pending(void *self)
{
    (void)self;
    return store_sink(&store, names[0])->pending == 0;
}

static void what_is_accepted_arrives_once_across_restarts(void)
{
    struct pump *pump;

    begin();
    store_fill(&store, "a", 25); /* before there is a pump */
    pump = start((struct pump_rules){ .max_backoff_us = 1000 });
    CHECK(wait_until(nothing_pending, NULL));
    store_fill(&store, "b", 25); /* and while it waits */
    CHECK(wait_until(nothing_pending, NULL));
    stop(pump);
    check_conserved(50, 0, 0);
    store_close(&store);
    store_open(&store);
    store_fill(&store, "c", 25);
    pump = start((struct pump_rules){ .order = BACKLOG_STRICT, .max_backoff_us = 1000 });
    CHECK(wait_until(nothing_pending, NULL));
    stop(pump);
    check_conserved(75, 0, 0);
    CHECK_INT((int64_t)lines(), 75);
    end();
}

static void a_drain_flushes_what_is_ready(void)
{
    struct pump *pump;

    begin();
    store_fill(&store, "a", 100);
    pump = start((struct pump_rules){ .max_backoff_us = 1000 });
    stop(pump);
    check_conserved(100, 0, 0);
    CHECK_INT((int64_t)lines(), 100);
    end();
}

static void a_dead_sink_keeps_everything(void)
{
    struct pump *pump;

    begin();
    store_fill(&store, "a", 30);
    place.failures = 1000000;
    pump = start((struct pump_rules){ .max_attempts = 1, .max_backoff_us = 1000 });
    store_fill(&store, "b", 30);
    stop(pump);
    check_conserved(0, 60, 0);
    place.failures = 3;
    pump = start((struct pump_rules){ .max_attempts = 1, .max_backoff_us = 1000 });
    CHECK(wait_until(nothing_pending, NULL));
    stop(pump);
    check_conserved(60, 0, 0);
    CHECK_INT((int64_t)lines(), 60);
    end();
}

static void a_refused_record_dies_alone(void)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        struct pump *pump;

        begin();
        place.refuses = true;
        store_fill(&store, "a", 40);
        pump = start((struct pump_rules){ .order = ordered ? BACKLOG_STRICT : BACKLOG_UNORDERED,
                                          .max_attempts = 3,
                                          .max_backoff_us = 1000 });
        CHECK(wait_until(nothing_pending, NULL));
        stop(pump);
        check_conserved(39, 0, 1);
        CHECK_INT((int64_t)lines(), 39);
        end();
    }
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(what_is_accepted_arrives_once_across_restarts);
    RUN(a_drain_flushes_what_is_ready);
    RUN(a_dead_sink_keeps_everything);
    RUN(a_refused_record_dies_alone);
    return test_end();
}
