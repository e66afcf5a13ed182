/*
 * test_sinks.c - claims about server/sinks.h: the configured sinks deliver, also after the
 * configuration is destroyed, and those of the next configuration follow them.
 */
#include "server/sinks.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/load_config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static struct store store;

static struct sinks *sinks;

/* The set of a configuration with a store and these sinks. */
static struct sink_set *create(const char *list)
{
    struct config *config;
    struct sink_set *set = NULL;
    struct error err = { 0 };
    char yaml[1000];

    (void)snprintf(yaml, sizeof(yaml), "store: {path: x}\nsinks: [%s]\n", list);
    assert(load_config(scratch_file(yaml), &config, &err));
    CHECK(sink_set_create(sinks, config, &set, &err));
    CHECK_STR(str_from_c(err.text), "");
    config_destroy(config);
    scratch_close();
    return set;
}

static bool all_failed_or_delivered(void *self)
{
    (void)self;
    return store_sink(&store, "archive")->delivered == 1;
}

static void each_configured_sink_has_a_pump(void)
{
    static const char *const names[] = { "archive", "hook" };
    struct sink_set *set;
    struct error err = { 0 };
    char path[FOLDER_PATH_SIZE];
    char list[900];
    size_t count = 0;

    store_init(&store);
    store.options.sinks = names;
    store.options.sink_count = COUNT_OF(names);
    store_open(&store);
    folder_path(&store.folder, "records", path);
    (void)snprintf(list, sizeof(list),
                   "{name: archive, kind: file, path: %s},"
                   "{name: hook, kind: http, url: 'http://127.0.0.1:1/', headers: {a: b},"
                   " secret_headers: {c: /dev/null, d: 'env:SLUICE_TEST_SECRET'},"
                   " compression: gzip}",
                   path);
    sinks = sinks_create(NULL);
    set = create(list);
    CHECK_STR(str_from_c(pump_name(sink_set_pumps(set, &count)[0])), "archive");
    CHECK_STR(str_from_c(pump_name(sink_set_pumps(set, &count)[1])), "hook");
    CHECK_INT((int64_t)count, 2);
    CHECK_INT((int64_t)sink_set_slot(set, 1), 1);
    CHECK(sinks_start(sinks, set, store.outbox, &err));
    store_fill(&store, "a", 1);
    CHECK(wait_until(all_failed_or_delivered, NULL));
    CHECK_INT(store_sink(&store, "hook")->pending, 1); /* the sink is not reachable */
    CHECK(sinks_tend(sinks));
    sinks_reopen(sinks);
    sinks_stop(sinks, 1000000);
    CHECK(access(path, F_OK) == 0);
    sink_set_destroy(set);
    sinks_destroy(sinks);
    store_done(&store);
}

static void a_store_that_does_not_know_them_refuses(void)
{
    struct sink_set *set;
    struct error err = { 0 };

    sinks = sinks_create(NULL);
    set = create("{name: b, kind: file, path: y}");
    store_begin(&store, 0);
    CHECK(!sinks_start(sinks, set, store.outbox, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    sink_set_destroy(set);
    sinks_destroy(sinks);
    sink_set_destroy(NULL);
    sinks_destroy(NULL);
    store_done(&store);
}

static void no_sinks_are_fine(void)
{
    struct sink_set *set;
    struct error err = { 0 };
    size_t count = 1;

    sinks = sinks_create(NULL);
    set = create("");
    (void)sink_set_pumps(set, &count);
    CHECK_INT((int64_t)count, 0);
    CHECK(sinks_start(sinks, set, NULL, &err));
    CHECK(sinks_tend(sinks));
    sinks_reopen(sinks);
    sinks_stop(sinks, 0);
    sink_set_destroy(set);
    sinks_destroy(sinks);
}

#define A         "{name: a, kind: file, path: a.ndjson}"
#define A_CHANGED "{name: a, kind: file, path: a.ndjson, batch: 7}"
#define B         "{name: b, kind: file, path: b.ndjson}"
#define C         "{name: c, kind: http, url: 'http://127.0.0.1:1/'}"

/* Started with the sinks of `list`, a and b of which the store knows. */
static struct sink_set *begin(const char *list)
{
    struct sink_set *set;
    struct error err = { 0 };

    store_begin(&store, 2);
    sinks = sinks_create(NULL);
    set = create(list);
    CHECK(sinks_start(sinks, set, store.outbox, &err));
    return set;
}

static void end(struct sink_set *set)
{
    sinks_stop(sinks, 0);
    sink_set_destroy(set);
    sinks_destroy(sinks);
    store_done(&store);
}

static bool is_settled(void *self)
{
    (void)self;
    return sinks_tend(sinks);
}

static struct pump *pump_at(const struct sink_set *set, size_t index)
{
    size_t count;

    return sink_set_pumps(set, &count)[index];
}

static void a_sink_keeps_its_slot_and_with_the_same_settings_its_pump(void)
{
    struct sink_set *first = begin(A "," B);
    struct sink_set *second = create(B "," A);
    struct sink_set *third;

    CHECK(pump_at(first, 0) == pump_at(second, 1));
    CHECK_INT((int64_t)sink_set_slot(second, 0), 1);
    CHECK_INT((int64_t)sink_set_slot(second, 1), 0);
    sinks_use(sinks, second);
    sink_set_destroy(first);
    CHECK(sinks_tend(sinks));
    third = create(A_CHANGED "," B);
    CHECK(pump_at(third, 0) != pump_at(second, 1));
    CHECK(pump_at(third, 1) == pump_at(second, 0));
    CHECK_INT((int64_t)sink_set_slot(third, 0), 0);
    sinks_use(sinks, third);
    CHECK(wait_until(is_settled, NULL));
    CHECK(pump_has_ended(pump_at(second, 1))); /* its numbers can still be read */
    CHECK(!pump_has_ended(pump_at(third, 0)));
    sink_set_destroy(second);
    end(third);
}

static void a_removed_sink_lives_as_long_as_a_set_has_it(void)
{
    struct sink_set *first = begin(A "," B);
    struct sink_set *second = create(B);
    struct sink_set *third;

    sinks_use(sinks, second);
    CHECK(sinks_tend(sinks));
    CHECK(!pump_has_ended(pump_at(first, 0)));
    CHECK(store_sink(&store, "a")->configured);
    sink_set_destroy(first);
    CHECK(wait_until(is_settled, NULL));
    CHECK(!store_sink(&store, "a")->configured);
    third = create(C "," B); /* takes the slot */
    CHECK_INT((int64_t)sink_set_slot(third, 0), 0);
    sink_set_destroy(third);
    CHECK(wait_until(is_settled, NULL));
    end(second);
}

static void a_set_that_is_not_used_changes_nothing(void)
{
    struct sink_set *first = begin(A "," B);
    struct sink_set *second = create(A_CHANGED "," C);

    CHECK_INT((int64_t)sink_set_slot(second, 0), 0);
    CHECK_INT((int64_t)sink_set_slot(second, 1), 2);
    sink_set_destroy(second);
    CHECK(wait_until(is_settled, NULL));
    CHECK(!pump_has_ended(pump_at(first, 0)));
    CHECK_INT((int64_t)store_counters(&store)->sink_count, 2);
    end(first);
}

static void a_sink_that_cannot_start_is_tried_again(void)
{
    struct sink_set *first = begin(A);
    struct sink_set *second = create(A "," C);
    const struct outbox_sink added = { "c", sink_set_slot(second, 1), NULL };
    struct error err = { 0 };

    sinks_use(sinks, second);
    CHECK(!sinks_tend(sinks)); /* the store does not know it */
    CHECK(!sinks_tend(sinks));
    CHECK(outbox_add_sinks(store.outbox, &added, 1, &err));
    CHECK(wait_until(is_settled, NULL));
    CHECK(!pump_has_ended(pump_at(second, 1)));
    sink_set_destroy(first);
    end(second);
}

static void changes_are_listed_by_name(void)
{
    CLEANUP(arena_cleanup) struct arena *arena = arena_create();
    struct sink_set *first = begin(A "," B);
    struct sink_set *second = create(A_CHANGED "," C);
    struct sink_changes changes = sink_set_compare(first, second, arena);

    CHECK_STR(changes.added, "c");
    CHECK_STR(changes.removed, "b");
    CHECK_STR(changes.changed, "a");
    changes = sink_set_compare(first, first, arena);
    CHECK_INT((int64_t)(changes.added.len + changes.removed.len + changes.changed.len), 0);
    sink_set_destroy(second);
    end(first);
}

/* `count` sinks with names from `first` on. */
static struct config *many(size_t first, size_t count)
{
    char yaml[8000] = "store: {path: x}\nsinks:\n";
    struct config *config;
    struct error err = { 0 };
    size_t len = strlen(yaml);

    for (size_t i = first; i < first + count; i++)
        len += (size_t)snprintf(yaml + len, sizeof(yaml) - len,
                                "- {name: s%zu, kind: file, path: f%zu}\n", i, i);
    assert(load_config(scratch_file(yaml), &config, &err));
    scratch_close();
    return config;
}

static void more_sinks_than_slots_are_refused(void)
{
    struct config *all = many(0, OUTBOX_SINKS_MAX);
    struct config *others = many(OUTBOX_SINKS_MAX, 1);
    struct sink_set *set;
    struct sink_set *more;
    struct error err = { 0 };

    sinks = sinks_create(NULL);
    CHECK(sink_set_create(sinks, all, &set, &err));
    CHECK(!sink_set_create(sinks, others, &more, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    sink_set_destroy(set);
    sinks_destroy(sinks);
    config_destroy(all);
    config_destroy(others);
}

int main(void)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    (void)setenv("SLUICE_TEST_SECRET", "secret", 1);
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(each_configured_sink_has_a_pump);
    RUN(a_store_that_does_not_know_them_refuses);
    RUN(no_sinks_are_fine);
    RUN(a_sink_keeps_its_slot_and_with_the_same_settings_its_pump);
    RUN(a_removed_sink_lives_as_long_as_a_set_has_it);
    RUN(a_set_that_is_not_used_changes_nothing);
    RUN(a_sink_that_cannot_start_is_tried_again);
    RUN(changes_are_listed_by_name);
    RUN(more_sinks_than_slots_are_refused);
    return test_end();
}
