/*
 * test_catalog_work.c - claims about schema/registry/catalog.h: who asks the registry when, and who
 * waits.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "schema/registry/catalog.h"
#include "tests/unit/folder.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { LONG_US = 3600000000, MANY = 1000 };

static struct scripted script;
static struct catalog *catalog;
static struct catalog_entry *entry;
static struct arena *arena;
static atomic_int woken;

static void begin_with(struct catalog_options options)
{
    scripted_init(&script);
    options.registry = scripted_registry(&script);
    options.refresh_us = options.refresh_us ? options.refresh_us : LONG_US;
    catalog = catalog_create(&options);
    entry = catalog_add(catalog, "R", "S");
    arena = arena_create();
    atomic_store(&woken, 0);
}

static void begin(void)
{
    begin_with((struct catalog_options){ 0 });
}

static void start(void)
{
    struct error err = { 0 };

    CHECK(catalog_start(catalog, &err));
}

static void end(void)
{
    arena_destroy(arena);
    catalog_destroy(catalog);
    scripted_done(&script);
}

static void count_wake(struct waker waker)
{
    (void)waker;
    atomic_fetch_add(&woken, 1);
}

static bool await(void)
{
    return catalog_await(catalog, entry, (struct waker){ .wake = count_wake }, arena);
}

static struct catalog_status status(void)
{
    struct catalog_status now;

    catalog_status(catalog, 0, &now);
    return now;
}

static bool is_usable(void *self)
{
    (void)self;
    return status().usable;
}

static bool is_whole(void *self)
{
    (void)self;
    return catalog_is_whole(catalog);
}

static bool has_failed(void *self)
{
    return status().failed >= *(const uint64_t *)self;
}

static bool are_woken(void *self)
{
    return atomic_load(&woken) >= *(const int *)self;
}

static void await_failures(uint64_t count)
{
    CHECK(wait_until(has_failed, &count));
}

static void await_woken(int count)
{
    CHECK(wait_until(are_woken, &count));
    CHECK_INT(atomic_load(&woken), count);
}

static void many_who_wait_cause_one_look(void)
{
    begin();
    scripted_close(&script, true);
    CHECK(!catalog_is_whole(catalog));
    CHECK(await()); /* even before the refresher runs */
    start();
    CHECK(scripted_await_inside(&script));
    for (int i = 1; i < MANY; i++)
        CHECK(await());
    CHECK_INT(atomic_load(&woken), 0);
    scripted_close(&script, false);
    await_woken(MANY);
    CHECK_INT(scripted_asks(&script), 1);
    CHECK(catalog_is_whole(catalog));
    CHECK(!await());
    end();
}

static void a_fresh_failure_is_an_answer(void)
{
    begin();
    scripted_fail(&script, ERR_DENIED, "no");
    start();
    if (await())
        await_woken(1);
    else
        await_failures(1);

    const struct live_schema *live = catalog_enter(entry);

    CHECK_INT(live->error.code, ERR_DENIED);
    CHECK_STR(str_from_c(live->error.text), "no");
    catalog_leave();
    end();
}

static bool must_wait(void *self)
{
    (void)self;
    return await();
}

static void who_asks_later_causes_another_look(void)
{
    begin();
    scripted_fail(&script, ERR_THROTTLED, "throttled");
    start();
    await_failures(1);
    CHECK(wait_until(must_wait, NULL));
    await_failures(2);
    scripted_give(&script, "7", "{}"); /* the fault ends */
    CHECK(wait_until(is_usable, NULL));
    CHECK_STR(str_from_c(status().version), "7");
    CHECK_INT(status().error.code, ERR_NONE);
    CHECK(!await());
    end();
}

static void a_registry_that_asks_for_patience_is_told_without_details(void)
{
    begin();
    scripted_fail(&script, ERR_THROTTLED, "Rate exceeded");
    catalog_load(catalog);

    const struct live_schema *live = catalog_enter(entry);

    CHECK_INT(live->error.code, ERR_THROTTLED);
    CHECK_STR(str_from_c(live->error.text), "");
    catalog_leave();
    CHECK_STR(str_from_c(status().error.text), "Rate exceeded"); /* the operator is told more */
    end();
}

static void while_nothing_is_known_it_looks_often(void)
{
    begin(); /* refreshes once an hour */
    scripted_fail(&script, ERR_NOT_FOUND, "not there");
    start();
    await_failures(2); /* without a request that asks */
    scripted_give(&script, "1", "{}");
    CHECK(wait_until(is_usable, NULL));
    end();
}

static void one_that_hangs_does_not_stop_others(void)
{
    struct catalog_entry *other;
    struct catalog_status second;

    begin_with((struct catalog_options){ .threads = 2 });
    other = catalog_add(catalog, "R", "T");
    scripted_close(&script, true);
    start();
    CHECK(catalog_await(catalog, other, (struct waker){ 0 }, arena));
    CHECK(scripted_await_inside(&script));
    scripted_close(&script, false);
    CHECK(wait_until(is_whole, NULL));
    catalog_stop(catalog);
    catalog_status(catalog, 1, &second);
    CHECK(script.most <= 2);
    CHECK_INT(script.asks, 2);
    CHECK(second.usable);
    end();
}

static void brief_loading_gives_up_a_registry_that_fails(void)
{
    static const struct {
        const char *name;
        enum err_code code;
        bool is_brief;
        int asks;
    } cases[] = {
        { "unreachable", ERR_UNREACHABLE, true, 1 },
        { "busy", ERR_THROTTLED, true, 1 },
        { "silent", ERR_UNAVAILABLE, true, 1 },
        { "silent, and there is time", ERR_UNAVAILABLE, false, 3 },
        { "not found", ERR_NOT_FOUND, true, 3 },
        { "denied", ERR_DENIED, true, 3 },
        { "unusable", ERR_INVALID, true, 3 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        begin_with((struct catalog_options){ .loads_briefly = cases[i].is_brief });
        (void)catalog_add(catalog, "R", "T");
        (void)catalog_add(catalog, "R", "U");
        scripted_fail(&script, cases[i].code, "no");
        catalog_load(catalog);
        CHECK_INT(scripted_asks(&script), cases[i].asks);
        end();
    }
}

static void brief_loading_asks_for_what_is_not_known(void)
{
    struct folder folder;
    char dir[FOLDER_PATH_SIZE];

    folder_init(&folder);
    folder_path(&folder, "cache", dir);
    for (int round = 1; round <= 2; round++) {
        begin_with((struct catalog_options){ .loads_briefly = true, .cache_dir = dir });
        scripted_give(&script, "1", "{}");
        if (round == 2)
            (void)catalog_add(catalog, "R", "T");
        catalog_load(catalog);
        CHECK_INT(scripted_asks(&script), 1); /* the one that is not cached */
        CHECK(catalog_is_whole(catalog));
        end();
    }
    folder_done(&folder);
}

static void a_request_that_left_is_forgotten(void)
{
    begin();
    scripted_close(&script, true);
    start();
    CHECK(await());
    arena_reset(arena); /* it is gone while the look is under way */
    CHECK(await());
    scripted_close(&script, false);
    CHECK(wait_until(is_usable, NULL));
    end();
}

static void stopping_interrupts_a_look_and_wakes_nobody(void)
{
    int64_t before_us = clock_monotonic_us();

    begin();
    scripted_close(&script, true);
    start();
    CHECK(await());
    CHECK(scripted_await_inside(&script));
    catalog_stop(catalog);
    CHECK(!await());
    end();
    CHECK(clock_monotonic_us() - before_us < 20000000);
}

static void a_pinned_version_is_asked_for_once(void)
{
    static const struct catalog_pin pins[] = { { "R/T", "9" }, { "R/S", "3" } };

    begin_with((struct catalog_options){ .refresh_us = 1000, .pins = pins, .pin_count = 2 });
    scripted_give(&script, "3", "{}");
    start();
    CHECK(wait_until(is_usable, NULL));

    catalog_stop(catalog);
    CHECK_INT(script.asks, 1);
    CHECK_STR(str_from_c(script.asked), "3");
    CHECK_INT(status().age_us, 0);
    end();
}

static void a_schema_that_comes_later_shares_its_keys_with_the_reader(void)
{
    const struct flat *payloads[2]; /* read before the schema was known, and after */
    struct error err = { 0 };

    begin();

    const struct flat_options reading = { .symbols = catalog_symbols(catalog) };

    CHECK(!json_symbols_find(reading.symbols, STR("late")));
    CHECK(flat_read(arena, STR("{\"late\":\"x\"}"), &reading, &payloads[0], &err));
    scripted_give(&script, "1", "{\"properties\":{\"late\":{\"type\":\"integer\"}}}");
    start();
    CHECK(wait_until(is_usable, NULL));
    CHECK(catalog_symbols(catalog) == reading.symbols);
    CHECK(json_symbols_find(reading.symbols, STR("late")) != NULL);
    CHECK(flat_read(arena, STR("{\"late\":\"x\"}"), &reading, &payloads[1], &err));

    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        CHECK_INT(schema_check(catalog_enter(entry)->schema, payloads[i], NULL), SCHEMA_INVALID);
        catalog_leave();
    }
    end();
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(many_who_wait_cause_one_look);
    RUN(a_fresh_failure_is_an_answer);
    RUN(who_asks_later_causes_another_look);
    RUN(a_registry_that_asks_for_patience_is_told_without_details);
    RUN(while_nothing_is_known_it_looks_often);
    RUN(one_that_hangs_does_not_stop_others);
    RUN(brief_loading_gives_up_a_registry_that_fails);
    RUN(brief_loading_asks_for_what_is_not_known);
    RUN(a_request_that_left_is_forgotten);
    RUN(stopping_interrupts_a_look_and_wakes_nobody);
    RUN(a_pinned_version_is_asked_for_once);
    RUN(a_schema_that_comes_later_shares_its_keys_with_the_reader);
    return test_end();
}
