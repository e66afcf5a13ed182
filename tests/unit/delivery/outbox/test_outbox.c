/*
 * test_outbox.c - claims about delivery/outbox/outbox.h: what is accepted stays, twice is once,
 * refused is kept, full is full.
 */
#include "delivery/outbox/outbox.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/view.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"

static atomic_llong ahead_seconds; /* of the time of day */

/* In place of the C library's, so that the time of day can be another one. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long status = syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_REALTIME)
        now->tv_sec += (time_t)atomic_load(&ahead_seconds);
    return (int)status;
}

static void knows_duplicates_across_restarts(void)
{
    struct store store;
    struct outbox_event event = store_event("a", "{1}");
    struct outbox_result first;

    store_init(&store);
    store_open(&store);
    first = store_submit(&store, &event);
    CHECK_INT(first.verdict, OUTBOX_ACCEPTED);
    event.processed_at_us++;
    for (int i = 0; i < 3; i++) {
        struct outbox_result again = store_submit(&store, &event);

        CHECK_INT(again.verdict, OUTBOX_DUPLICATE);
        CHECK_INT(again.processed_at_us, first.processed_at_us);
        store_close(&store);
        store_open(&store);
    }
    CHECK_INT(store_counters(&store)->accepted, 1);
    CHECK_INT(store_counters(&store)->duplicates, 3);
    CHECK_INT(store_counters(&store)->seen, 1);
    store_done(&store);
}

static void tells_events_apart(void)
{
    static const struct {
        const char *name;
        const char *id;
        const char *raw;
        const char *replay;
        int64_t age_us;  /* of the event's own time */
        int64_t time_us; /* 0: by its age */
        enum outbox_verdict verdict;
        bool id_reused;
    } rows[] = {
        { "the first", "a", "{}", NULL, 0, 0, OUTBOX_ACCEPTED, false },
        { "itself", "a", "{}", NULL, 0, 0, OUTBOX_DUPLICATE, false },
        { "another content", "a", "{ }", NULL, 0, 0, OUTBOX_ACCEPTED, true },
        { "that again", "a", "{ }", NULL, 0, 0, OUTBOX_DUPLICATE, false },
        { "a third content", "a", "{  }", NULL, 0, 0, OUTBOX_ACCEPTED, true },
        { "the second once more", "a", "{ }", NULL, 0, 0, OUTBOX_DUPLICATE, false },
        { "another id", "b", "{}", NULL, 0, 0, OUTBOX_ACCEPTED, false },
        { "a replay", "a", "{\"r\"}", "r", 0, 0, OUTBOX_ACCEPTED, true },
        { "the replay again", "a", "{\"r\"}", "r", 0, 0, OUTBOX_DUPLICATE, false },
        { "without id", NULL, "{}", NULL, 0, 0, OUTBOX_ACCEPTED, false },
        { "without id again", NULL, "{}", NULL, 0, 0, OUTBOX_ACCEPTED, false },
        { "a day old", "c", "{}", NULL, 24 * US_PER_HOUR, 0, OUTBOX_ACCEPTED, false },
        { "a day old again", "c", "{}", NULL, 24 * US_PER_HOUR, 0, OUTBOX_DUPLICATE, false },
        { "of the future", "d", "{}", NULL, -20 * US_PER_HOUR, 0, OUTBOX_ACCEPTED, false },
        { "of the future again", "d", "{}", NULL, -20 * US_PER_HOUR, 0, OUTBOX_DUPLICATE, false },
        { "without time", "e", "{}", NULL, 0, OUTBOX_NO_TIME, OUTBOX_ACCEPTED, false },
        { "without time again", "e", "{}", NULL, 0, OUTBOX_NO_TIME, OUTBOX_DUPLICATE, false },
        { "other content", "e", "[]", NULL, 0, OUTBOX_NO_TIME, OUTBOX_ACCEPTED, true },
        { "year 1", "f", "{}", NULL, 0, INT64_C(-62135596800000000), OUTBOX_ACCEPTED, false },
        { "year 1 again", "f", "{}", NULL, 0, INT64_C(-62135596800000000), OUTBOX_DUPLICATE,
          false },
        { "year 9999", "g", "{}", NULL, 0, INT64_C(253402300799000000), OUTBOX_ACCEPTED, false },
        { "year 9999 again", "g", "{}", NULL, 0, INT64_C(253402300799000000), OUTBOX_DUPLICATE,
          false },
    };
    struct store store;

    store_init(&store);
    store_open(&store);

    int64_t now_us = clock_now_us();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outbox_event event = store_event(rows[i].id, rows[i].raw);

        event.replay_name = str_from_c(rows[i].replay);
        event.time_us = rows[i].time_us ? rows[i].time_us : now_us - rows[i].age_us;

        struct outbox_result result = store_submit(&store, &event);

        TEST_CASE(rows[i].name);
        CHECK_INT(result.verdict, rows[i].verdict);
        CHECK_INT(result.id_reused, rows[i].id_reused);
    }
    CHECK_INT(store_counters(&store)->ids_reused, 3); /* not the replay */
    store_done(&store);
}

static void notices_an_id_with_another_time(void)
{
    static const struct {
        const char *raw;
        int64_t age_us; /* of the event's own time */
        enum outbox_verdict verdict;
        bool id_reused;
    } rows[] = {
        { "{}", 0, OUTBOX_ACCEPTED, false },
        { "{t}", US_PER_HOUR / 2, OUTBOX_ACCEPTED, true },
        { "{t}", US_PER_HOUR / 2, OUTBOX_DUPLICATE, false },
        { "{old}", 5 * US_PER_HOUR, OUTBOX_ACCEPTED, true },
        { "{old}", 5 * US_PER_HOUR, OUTBOX_DUPLICATE, false },
        { "{}", 0, OUTBOX_DUPLICATE, false },
    };
    struct store store;

    store_init(&store);
    store_open(&store);

    int64_t now_us = clock_now_us();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outbox_event event = store_event("a", rows[i].raw);

        event.time_us = now_us - rows[i].age_us;

        struct outbox_result result = store_submit(&store, &event);

        CHECK_INT(result.verdict, rows[i].verdict);
        CHECK_INT(result.id_reused, rows[i].id_reused);
    }
    CHECK_INT(store_counters(&store)->ids_reused, 2);
    store_done(&store);
}

static void takes_replays_as_duplicates_when_told_so(void)
{
    struct store store;
    struct outbox_event event = store_event("a", "{}");

    store_init(&store);
    store.options.dedup_replays = true;
    store_open(&store);
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    event.raw = STR("{\"replay-name\":\"r\"}");
    event.unreplayed = STR("{}");
    event.replay_name = STR("r");
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_DUPLICATE);
    event.raw = STR("{\"replay-name\":\"r\",\"x\":1}");
    event.unreplayed = STR("{\"x\":1}");
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED); /* other content */
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_DUPLICATE);
    store_done(&store);
}

/* Its own time lies ahead; it comes again and again within the window. */
static void knows_events_from_far_ahead(void)
{
    static const struct {
        int64_t window_us;
        int64_t ahead_us; /* of the event's own time */
    } rows[] = {
        { US_PER_HOUR / 2, US_PER_HOUR / 2 + 1000000 },
        { US_PER_HOUR / 2, US_PER_HOUR + US_PER_HOUR / 2 + 1000000 },
        { 25 * US_PER_HOUR, 25 * US_PER_HOUR + 1000000 },
        { 25 * US_PER_HOUR, 26 * US_PER_HOUR + 1000000 },
        { 25 * US_PER_HOUR, 100 * US_PER_HOUR },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store store;
        struct outbox_event event = store_event("a", "{}");

        store_init(&store);
        store.options.dedup_window_us = rows[i].window_us;
        store_open(&store);
        event.time_us = clock_now_us() + rows[i].ahead_us;
        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
        for (int64_t later_us = 0; later_us < rows[i].window_us;
             later_us += rows[i].window_us / 7) {
            atomic_store(&ahead_seconds, later_us / 1000000);
            CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_DUPLICATE);
        }
        atomic_store(&ahead_seconds, 0);
        store_done(&store);
    }
}

static void remembers_no_more_than_it_may(void)
{
    struct store store;
    struct outbox_event old = store_event("old", "{}");

    store_init(&store);
    store.options.dedup_max_rows = 100;
    store_open(&store);
    old.time_us -= US_PER_HOUR / 2 + US_PER_HOUR / 3; /* an earlier hour, most of the time */
    CHECK_INT(store_submit(&store, &old).verdict, OUTBOX_ACCEPTED);
    store_fill(&store, "n", 300);
    CHECK(store_counters(&store)->seen <= 100);
    CHECK_INT(store_counters(&store)->accepted, 301);
    store_done(&store);
}

static void knows_thousands_across_restarts(void)
{
    struct store store;

    store_init(&store);
    store.options.dedup_max_rows = 4000;
    store_open(&store);
    store_fill(&store, "n", 2500);
    store_close(&store);
    store_open(&store);
    for (int i = 0; i < 2500; i += 97) {
        char text[16];

        (void)snprintf(text, sizeof(text), "n%d", i);

        struct outbox_event event = store_event(text, text);

        event.time_us = store.time_us;
        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_DUPLICATE);
    }
    CHECK_INT(store_counters(&store)->seen, 2500);
    store_done(&store);
}

static void forgets_what_is_too_old(void)
{
    struct store store;
    struct outbox_event event = store_event("a", "{}");

    store_init(&store);
    store_open(&store);
    event.time_us = OUTBOX_NO_TIME;
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    store_fill(&store, "n", 10);
    store_close(&store);
    store.options.dedup_window_us = 0; /* off: all of it is too old */
    store_open(&store);
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    store_done(&store);
}

static void keeps_refused_events_once_each(void)
{
    struct store store;
    struct outbox_event bad = store_refusal("a", "{1}");
    struct outbox_event other = store_refusal("a", "{2}");
    struct outbox_event nameless = store_refusal(NULL, "[");

    store_init(&store);
    store_open(&store);
    CHECK_INT(store_submit(&store, &bad).verdict, OUTBOX_QUARANTINED);
    CHECK_INT(store_submit(&store, &bad).verdict, OUTBOX_QUARANTINED);
    CHECK_INT(store_submit(&store, &other).verdict, OUTBOX_QUARANTINED);
    nameless.outcome = "malformed";
    CHECK_INT(store_submit(&store, &nameless).verdict, OUTBOX_QUARANTINED);
    CHECK_INT(store_submit(&store, &nameless).verdict, OUTBOX_QUARANTINED);

    const struct outbox_counters *counters = store_counters(&store);

    CHECK_INT(counters->refused_rows, 3);
    CHECK_INT((int64_t)counters->outcome_count, 2);
    CHECK_INT(counters->quarantined[0].count, 2);
    CHECK_INT(counters->quarantined[1].count, 1);
    CHECK_INT(counters->accepted, 0);
    store_done(&store);
}

static void lets_the_oldest_refused_go(void)
{
    struct store store;
    char big[6000];

    memset(big, 'x', sizeof(big));
    store_init(&store);
    store.options.quarantine_max_rows = 10;
    store.options.quarantine_max_size = 20000;
    store_open(&store);
    for (int i = 0; i < 30; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%d", i);

        struct outbox_event bad = store_refusal(id, "{}");

        CHECK_INT(store_submit(&store, &bad).verdict, OUTBOX_QUARANTINED);
    }
    CHECK_INT(store_counters(&store)->refused_rows, 10);
    CHECK_INT(store_counters(&store)->refused_evicted, 20);
    for (int i = 0; i < 5; i++) {
        struct outbox_event bad = store_refusal("big", "");

        big[0] = (char)('0' + i);
        bad.raw = (struct str){ big, sizeof(big) };
        CHECK_INT(store_submit(&store, &bad).verdict, OUTBOX_QUARANTINED);
    }
    CHECK_INT(store_counters(&store)->refused_rows, 3);
    CHECK(store_counters(&store)->refused_bytes <= 20000);

    const struct outbox_counters *counters = store_counters(&store);

    CHECK_INT(counters->refused_rows + counters->refused_evicted, counters->quarantined[0].count);
    store_done(&store);
}

static bool count_row(void *self, const struct outbox_refused *row)
{
    (void)row;
    ++*(int64_t *)self;
    return true;
}

static int64_t count_refused(const struct store *store, struct outbox_filter filter)
{
    struct outbox_view *view = NULL;
    struct error err = { 0 };
    int64_t count = 0;

    CHECK(outbox_view_open(store->path, &view, &err));
    CHECK(outbox_view_refused(view, &filter, count_row, &count, &err));
    outbox_view_close(view);
    return count;
}

enum refusal { MALFORMED, MISSPELT, OF_REGISTRY, RESOLVED };

/* The n-th event of a kind; MISSPELT: each has a rule of its own. */
static void refuse(struct store *store, enum refusal kind, int n)
{
    static const char *const names[] = { "malformed", "schema_invalid", "schema_not_found",
                                         "late" };
    char id[32];
    char rule[32];

    (void)snprintf(id, sizeof(id), "%s-%d", names[kind], n);
    (void)snprintf(rule, sizeof(rule), "/properties/%d/type", n);

    struct outbox_event bad = store_refusal(id, "{}");

    bad.outcome = names[kind];
    bad.is_registry_kind = kind == OF_REGISTRY;
    if (kind == MALFORMED)
        bad.registry = bad.schema = bad.version = STR_NONE;
    if (kind == MISSPELT)
        bad.rule = str_from_c(rule);
    CHECK_INT(store_submit(store, &bad).verdict, OUTBOX_QUARANTINED);
    bad.outcome = NULL;
    bad.record = STR("{}");
    if (kind == RESOLVED)
        CHECK_INT(store_submit(store, &bad).verdict, OUTBOX_ACCEPTED);
}

static void refuse_some(struct store *store, enum refusal kind, int count)
{
    for (int n = 0; n < count; n++)
        refuse(store, kind, n);
}

static void lets_the_most_common_kind_go(void)
{
    const struct outbox_filter of_registry = { .only_registry_kind = true };
    const struct outbox_filter misspelt = { .outcome = "schema_invalid" };
    const struct outbox_filter malformed = { .outcome = "malformed" };
    const struct outbox_filter resolved = { .outcome = "late", .with_resolved = true };
    struct store store;

    store_init(&store);
    store.options.quarantine_max_rows = 20;
    store_open(&store);
    refuse_some(&store, OF_REGISTRY, 5);
    refuse_some(&store, MISSPELT, 5);
    refuse_some(&store, RESOLVED, 5);
    refuse_some(&store, MALFORMED, 8);
    CHECK_INT(count_refused(&store, resolved), 2);
    CHECK_INT(count_refused(&store, malformed), 8);
    refuse_some(&store, MALFORMED, 100);
    CHECK_INT(count_refused(&store, resolved), 0);
    CHECK_INT(count_refused(&store, malformed), 10);
    CHECK_INT(count_refused(&store, misspelt), 5);
    CHECK_INT(count_refused(&store, of_registry), 5);

    /* What the server posts again pushes out all others, and is pushed out by none of them. */
    refuse_some(&store, OF_REGISTRY, 25);
    CHECK_INT(count_refused(&store, of_registry), 20);
    refuse_some(&store, MALFORMED, 10);
    refuse_some(&store, MISSPELT, 10);
    CHECK_INT(count_refused(&store, of_registry), 20);
    CHECK_INT(store_counters(&store)->refused_rows, 20);
    CHECK_INT(store_counters(&store)->corrections, 0);
    store_done(&store);
}

static void keeps_what_is_too_large_out(void)
{
    static char text[4001];
    struct store store;

    memset(text, 'x', sizeof(text) - 1);
    store_init(&store);
    store.options.quarantine_max_size = 4000;
    store_open(&store);
    refuse(&store, MISSPELT, 1);

    struct outbox_event large = store_refusal("large", text);

    CHECK_INT(store_submit(&store, &large).verdict, OUTBOX_QUARANTINED);
    CHECK_INT(store_counters(&store)->refused_too_large, 1);
    CHECK_INT(store_counters(&store)->refused_rows, 1);
    store_done(&store);
}

static void asks_first_whether_it_was_accepted(void)
{
    struct outbox_event good = store_event("a", "{}");
    struct outbox_event known = store_refusal("a", "{}");
    struct outbox_event other = store_refusal("a", "{ }");
    struct outbox_result result;
    struct store store;

    store_init(&store);
    store_open(&store);
    CHECK_INT(store_submit(&store, &good).verdict, OUTBOX_ACCEPTED);
    known.time_us = other.time_us = good.time_us;
    result = store_submit(&store, &known);
    CHECK_INT(result.verdict, OUTBOX_DUPLICATE);
    CHECK_INT(result.processed_at_us, good.processed_at_us);
    CHECK_INT(store_submit(&store, &other).verdict, OUTBOX_QUARANTINED);
    CHECK_INT(store_counters(&store)->refused_rows, 1);
    known.is_not_kept = other.is_not_kept = true;
    other.raw = STR("{  }");
    CHECK_INT(store_submit(&store, &known).verdict, OUTBOX_DUPLICATE);
    CHECK_INT(store_submit(&store, &other).verdict, OUTBOX_NOT_KEPT);
    CHECK_INT(store_counters(&store)->refused_rows, 1);
    CHECK_INT(store_counters(&store)->duplicates, 2);
    store_done(&store);
}

static void is_full_at_its_bound_and_recovers(void)
{
    static const char *const sinks[] = { "s" };
    struct store store;
    char text[4001];
    struct outbox_event known = store_event("known", "{}");
    int accepted = 0;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    store_init(&store);
    store.options.max_size = 1 << 20;
    store.options.sinks = sinks;
    store.options.sink_count = 1;
    store_open(&store);
    CHECK_INT(store_submit(&store, &known).verdict, OUTBOX_ACCEPTED);
    for (int i = 0; i < 400; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%d", i);

        struct outbox_event event = store_event(id, text);
        struct outbox_result result = store_submit(&store, &event);

        if (result.verdict == OUTBOX_ACCEPTED)
            accepted++;
        else
            CHECK_STR(str_from_c(result.reason), "store full");
    }
    CHECK(accepted > 100 && accepted < 256);
    CHECK_STR(str_from_c(outbox_trouble(store.outbox)), "full");
    CHECK(store_counters(&store)->bytes <= 1 << 20);

    /* A known duplicate is answered all the same, and a bad event quarantined. */
    struct outbox_event bad = store_refusal("bad", "{}");

    CHECK_INT(store_submit(&store, &known).verdict, OUTBOX_DUPLICATE);
    CHECK_INT(store_submit(&store, &bad).verdict, OUTBOX_QUARANTINED);

    /* The sink is given up: there is room again. */
    store_close(&store);
    store.options.sink_count = 0;
    store_open(&store);

    struct error err = { 0 };

    CHECK(outbox_drop_sink(store.outbox, "s", &err));

    struct outbox_event more = store_event("more", text);

    CHECK_INT(store_submit(&store, &more).verdict, OUTBOX_ACCEPTED);
    CHECK(!outbox_trouble(store.outbox));
    CHECK_INT((int64_t)store_counters(&store)->sink_count, 0);
    store_done(&store);
}

/* Events arrive all the time, so that there is no pause between batches. */
static void moves_its_log_before_it_is_long(void)
{
    enum { RECORDS = 100, RECORD_BYTES = 256 * 1024, LONGEST = 18 * 1024 * 1024 };
    static const char *const sinks[] = { "s" };
    static char text[RECORD_BYTES + 1];
    struct store store;
    int64_t longest = 0;

    memset(text, 'x', sizeof(text) - 1);
    store_init(&store);
    store.options.max_size = (uint64_t)1 << 30;
    store.options.sinks = sinks;
    store.options.sink_count = 1;
    store_open(&store);
    for (int64_t i = 1; i <= RECORDS; i++) {
        struct outbox_event event = store_event(NULL, text);

        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);

        int64_t log_bytes = store_counters(&store)->bytes - i * RECORD_BYTES;

        longest = log_bytes > longest ? log_bytes : longest;
    }
    CHECK(longest <= LONGEST);
    store_done(&store);
}

static void belongs_to_one_process(void)
{
    struct store store;
    char link[FOLDER_PATH_SIZE];
    struct outbox *other = NULL;
    struct error err = { 0 };

    store_init(&store);
    store_open(&store);
    CHECK(!outbox_create(&store.options, &other, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK(strstr(err.text, "in use by another process") != NULL);
    folder_path(&store.folder, "link.db", link);
    CHECK(symlink(store.path, link) == 0);
    store.options.path = link;
    CHECK(!outbox_create(&store.options, &other, &err));
    CHECK(strstr(err.text, "in use by another process") != NULL);
    store.options.path = store.path;
    CHECK(outbox_check(store.path, &err));
    store_close(&store);
    CHECK(outbox_check(store.path, &err));
    store_open(&store);
    store_done(&store);
}

static void refuses_what_is_no_store(void)
{
    struct store store;
    struct outbox *outbox = NULL;
    struct error err = { 0 };

    store_init(&store);
    folder_write(&store.folder, "deep/store.db",
                 STR("this is no database, however long it may be"));
    CHECK(!outbox_create(&store.options, &outbox, &err));
    CHECK(strstr(err.text, "not a database") != NULL);
    CHECK(!outbox_check(store.path, &err));
    CHECK(unlink(store.path) == 0 && mkfifo(store.path, S_IRUSR | S_IWUSR) == 0);
    CHECK(!outbox_check(store.path, &err));
    CHECK(strstr(err.text, "not a regular file") != NULL);
    CHECK(!outbox_create(&store.options, &outbox, &err));
    store.options.path = "/proc/none/store.db";
    CHECK(!outbox_create(&store.options, &outbox, &err));
    store_done(&store);
}

/* Some jobs at once, more than may wait; what was taken is committed, what was not is told so. */
static void has_a_queue_with_an_end(void)
{
    enum { JOBS = 200 };
    struct store store;
    struct outbox_job *jobs[JOBS] = { 0 };
    int64_t taken = 0;

    store_init(&store);
    store.options.max_queued = 3;
    store_open(&store);
    for (int i = 0; i < JOBS; i++) {
        char text[16];
        struct error err = { 0 };

        (void)snprintf(text, sizeof(text), "%d", i);

        struct outbox_event event = store_event(text, text);

        if (outbox_submit(store.outbox, &(struct outbox_request){ .events = &event, .count = 1 },
                          &jobs[i], &err))
            taken++;
        else
            CHECK_STR(str_from_c(err.text), "store queue full");
    }
    CHECK(taken >= 3);
    outbox_stop(store.outbox);
    for (int i = 0; i < JOBS; i++)
        if (jobs[i]) {
            CHECK_INT(outbox_results(jobs[i])->verdict, OUTBOX_ACCEPTED);
            outbox_job_release(jobs[i]);
        }
    CHECK_INT(store_counters(&store)->accepted, taken);
    store_done(&store);
}

static void refuses_before_start_and_after_stop(void)
{
    struct store store;
    struct outbox_event event = store_event("a", "{}");
    struct error err = { 0 };

    store_init(&store);
    CHECK(outbox_create(&store.options, &store.outbox, &err));
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_UNAVAILABLE);
    CHECK(outbox_start(store.outbox, &err));
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    outbox_stop(store.outbox);
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_UNAVAILABLE);
    store_done(&store);
}

int main(void)
{
    RUN(knows_duplicates_across_restarts);
    RUN(tells_events_apart);
    RUN(notices_an_id_with_another_time);
    RUN(takes_replays_as_duplicates_when_told_so);
    RUN(knows_events_from_far_ahead);
    RUN(remembers_no_more_than_it_may);
    RUN(knows_thousands_across_restarts);
    RUN(forgets_what_is_too_old);
    RUN(keeps_refused_events_once_each);
    RUN(lets_the_oldest_refused_go);
    RUN(lets_the_most_common_kind_go);
    RUN(keeps_what_is_too_large_out);
    RUN(asks_first_whether_it_was_accepted);
    RUN(is_full_at_its_bound_and_recovers);
    RUN(moves_its_log_before_it_is_long);
    RUN(belongs_to_one_process);
    RUN(refuses_what_is_no_store);
    RUN(has_a_queue_with_an_end);
    RUN(refuses_before_start_and_after_stop);
    return test_end();
}
