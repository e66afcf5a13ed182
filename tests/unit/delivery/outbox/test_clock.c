/*
 * test_clock.c - claims about delivery/outbox/outbox.h and delivery/outbox/backlog.h when the time
 * of day is set forward and back
 */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "delivery/outbox/backlog.h"
#include "tests/unit/store.h"
#include "tests/unit/taking.h"
#include "tests/unit/test.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

/* The time of day of this process, in seconds from what it is. */
static _Atomic time_t ahead_s;

/* The C library's own names for parameters are not for us. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long status = syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_REALTIME)
        now->tv_sec += ahead_s;
    return (int)status;
}

/* An event that came while the clock was ahead or behind is known when that is over. */
static void a_duplicate_is_known_whatever_the_clock_was(void)
{
    static const int offsets_s[] = { 20 * DAY_S,  DAY_S,       2 * HOUR_S, HOUR_S / 2,
                                     -HOUR_S / 2, -2 * HOUR_S, -DAY_S };

    for (size_t i = 0; i < 2 * COUNT_OF(offsets_s); i++) {
        struct store store;
        struct outbox_event event = store_event("id", "{}");
        struct outbox_event timeless = store_event("timeless", "{}");

        timeless.time_us = OUTBOX_NO_TIME;
        store_init(&store);
        store.options.dedup_window_us = INT64_C(30) * DAY_S * 1000000;
        store_open(&store);
        ahead_s = offsets_s[i / 2];
        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
        CHECK_INT(store_submit(&store, &timeless).verdict, OUTBOX_ACCEPTED);
        if (i % 2) {
            store_close(&store);
            store_open(&store);
        }
        ahead_s = 0;
        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_DUPLICATE);
        CHECK_INT(store_submit(&store, &timeless).verdict, OUTBOX_DUPLICATE);
        store_done(&store);
    }
}

static void the_oldest_records_age_does_not_follow_the_clock(void)
{
    static const char *const sink = "a";
    const struct backlog_bounds bounds = { .records = 1, .bytes = 1000 };
    const struct backlog_record *records;
    struct backlog *backlog;
    struct store store;
    int64_t age_us;

    store_init(&store);
    store.options.sinks = &sink;
    store.options.sink_count = 1;
    store_open(&store);
    store_fill(&store, "e", 1);
    backlog = taking_open(store.outbox, sink, BACKLOG_UNORDERED);
    CHECK_INT((int64_t)taking_next(backlog, &bounds, &records), 1);
    age_us = store_sink(&store, sink)->oldest_age_us;
    CHECK(age_us > 0);
    ahead_s = -DAY_S;
    CHECK_INT((int64_t)taking_next(backlog, &bounds, &records), 1);
    CHECK(store_sink(&store, sink)->oldest_age_us > age_us);
    ahead_s = DAY_S;
    CHECK_INT((int64_t)taking_next(backlog, &bounds, &records), 1);
    CHECK(store_sink(&store, sink)->oldest_age_us < INT64_C(1000000) * HOUR_S);
    ahead_s = 0;
    taking_close(backlog);
    store_done(&store);
}

int main(void)
{
    RUN(a_duplicate_is_known_whatever_the_clock_was);
    RUN(the_oldest_records_age_does_not_follow_the_clock);
    return test_end();
}
