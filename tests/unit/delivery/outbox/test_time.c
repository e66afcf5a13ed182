/*
 * test_time.c - claims about delivery/outbox/outbox.h when the system's clock jumps.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/trusted_time.h"
#include "tests/unit/capture.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"

static const long hour_s = 3600;
static const long day_s = 24 * 3600L;
static const long jump_s = 31L * 24 * 3600;

/* Seconds that the clocks are ahead. */
static atomic_long time_of_day_s;
static atomic_long monotonic_s;

/* Stands in for the C library's, whose names for parameters are not for us. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long status = syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += clock == CLOCK_REALTIME ? atomic_load(&time_of_day_s) : 0;
    now->tv_sec += clock == CLOCK_MONOTONIC ? atomic_load(&monotonic_s) : 0;
    return (int)status;
}

static void pass(long seconds)
{
    atomic_fetch_add(&time_of_day_s, seconds);
    atomic_fetch_add(&monotonic_s, seconds);
}

static void refuse(struct store *store, const char *id)
{
    struct outbox_event bad = store_refusal(id, "{}");

    CHECK_INT(store_submit(store, &bad).verdict, OUTBOX_QUARANTINED);
}

static int64_t refused_rows(struct store *store)
{
    return store_counters(store)->refused_rows;
}

/* A known event of now, with a time of its own, and one without. */
struct known {
    struct outbox_event dated;
    struct outbox_event undated;
};

static void accept_known(struct store *store, struct known *known)
{
    known->dated = store_event("dated", "{}");
    known->undated = store_event("undated", "{}");
    known->undated.time_us = OUTBOX_NO_TIME;
    CHECK_INT(store_submit(store, &known->dated).verdict, OUTBOX_ACCEPTED);
    CHECK_INT(store_submit(store, &known->undated).verdict, OUTBOX_ACCEPTED);
}

static void check_known(struct store *store, const struct known *known)
{
    CHECK_INT(store_submit(store, &known->dated).verdict, OUTBOX_DUPLICATE);
    CHECK_INT(store_submit(store, &known->undated).verdict, OUTBOX_DUPLICATE);
}

static void forgets_nothing_for_a_jump_of_the_clock(void)
{
    struct store store;
    struct known before;
    struct known meanwhile;

    store_init(&store);
    store_open(&store);
    refuse(&store, "old");
    accept_known(&store, &before);
    pass(1);
    atomic_fetch_add(&time_of_day_s, jump_s);
    for (int i = 0; i < 3; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%d", i);
        pass(14);
        refuse(&store, id);
    }
    CHECK_INT(refused_rows(&store), 4);
    check_known(&store, &before);
    meanwhile.dated = store_event("meanwhile", "{}");
    meanwhile.dated.time_us -= jump_s * INT64_C(1000000);
    meanwhile.undated = store_event("meanwhile undated", "{}");
    meanwhile.undated.time_us = OUTBOX_NO_TIME;
    CHECK_INT(store_submit(&store, &meanwhile.dated).verdict, OUTBOX_ACCEPTED);
    CHECK_INT(store_submit(&store, &meanwhile.undated).verdict, OUTBOX_ACCEPTED);
    atomic_fetch_sub(&time_of_day_s, jump_s);
    pass(20);
    refuse(&store, "later");
    CHECK_INT(refused_rows(&store), 5);
    check_known(&store, &before);
    check_known(&store, &meanwhile);
    store_done(&store);
}

static void forgets_when_the_jump_has_held(void)
{
    struct store store;

    store_init(&store);
    store_open(&store);
    refuse(&store, "old");
    atomic_fetch_add(&time_of_day_s, jump_s);
    refuse(&store, "jump");
    pass(hour_s - 60);
    refuse(&store, "not yet");
    CHECK_INT(refused_rows(&store), 3);
    pass(120);
    refuse(&store, "now");
    CHECK_INT(refused_rows(&store), 3); /* "old" is gone */
    pass(2 * day_s);
    refuse(&store, "two days later");
    CHECK_INT(refused_rows(&store), 4);
    pass(29 * day_s);
    refuse(&store, "a month later");
    CHECK_INT(refused_rows(&store), 2);
    store_done(&store);
}

/* Nothing tells how much time has passed, so it counts as a jump. */
static void forgets_nothing_right_after_a_start(void)
{
    struct store store;
    struct known known;

    store_init(&store);
    store_open(&store);
    refuse(&store, "old");
    accept_known(&store, &known);
    store_close(&store);
    atomic_fetch_add(&time_of_day_s, jump_s);
    store_open(&store);
    refuse(&store, "new");
    CHECK_INT(refused_rows(&store), 2);
    store_close(&store);
    atomic_fetch_sub(&time_of_day_s, jump_s);
    store_open(&store);
    check_known(&store, &known);
    store_close(&store);
    atomic_fetch_add(&time_of_day_s, jump_s);
    store_open(&store);
    pass(hour_s + 60);
    refuse(&store, "an hour later");
    CHECK_INT(refused_rows(&store), 2); /* "old" is gone */
    store_done(&store);
}

/* Look at the clocks. Returns how often a jump was logged. */
static int jumps_logged(struct trusted_time *clock, long now_s, long passed_s)
{
    static const char begin[] = "\"level\":\"warn\",\"event\":\"clock_jumped\",\"ahead_seconds\":";
    struct capture capture;
    int count = 0;

    capture_begin(&capture, STDOUT_FILENO);
    (void)trusted_time_us(clock, now_s * US_PER_S, passed_s * US_PER_S);

    struct str text = capture_end(&capture);

    for (const char *at = text.ptr; (at = strstr(at, begin)) != NULL; at += sizeof(begin))
        count++;
    mem_free((char *)text.ptr);
    return count;
}

static void logs_a_jump_once(void)
{
    struct trusted_time clock;
    long now = 100 * day_s;

    trusted_time_init(&clock, now * US_PER_S, 0, now * US_PER_S);
    CHECK_INT(jumps_logged(&clock, now + day_s, day_s), 0); /* a day passes */
    CHECK_INT(jumps_logged(&clock, now + day_s + 59, day_s), 0);
    CHECK_INT(jumps_logged(&clock, now + day_s + jump_s, day_s), 1);
    CHECK_INT(jumps_logged(&clock, now + day_s + jump_s + 60, day_s + 60), 0);
    CHECK_INT(jumps_logged(&clock, now + 2 * day_s + jump_s, day_s + 120), 1); /* further ahead */
    CHECK_INT(jumps_logged(&clock, now + day_s + 180, day_s + 180), 0);        /* and back */
    CHECK_INT(jumps_logged(&clock, now, day_s + 240), 0);
}

int main(void)
{
    RUN(forgets_nothing_for_a_jump_of_the_clock);
    RUN(forgets_when_the_jump_has_held);
    RUN(forgets_nothing_right_after_a_start);
    RUN(logs_a_jump_once);
    return test_end();
}
