/*
 * test_catalog.c - claims about schema/registry/catalog.h: what is live stays live until something
 * better comes, and readers never notice.
 */
#include "schema/registry/catalog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"
#include "tests/unit/wait.h"

enum { REFRESH_US = 1000 };

static struct folder folder;
static struct catalog *catalog;
static struct catalog_entry *entry;

static void create(void)
{
    folder_init(&folder);
    catalog = catalog_create(&(struct catalog_options){
        .registry = registry_file(folder.path),
        .refresh_us = REFRESH_US,
        .keys = (const struct str[]){ STR("detail") },
        .key_count = 1,
    });
    entry = catalog_add(catalog, "R", "S");
}

/* A catalog with one schema of this definition (NULL: none), loaded, and its refresher running. */
static void begin(const char *definition)
{
    struct error err = { 0 };

    create();
    if (definition)
        folder_write(&folder, "R/S.json", str_from_c(definition));
    catalog_load(catalog);
    CHECK(catalog_start(catalog, &err));
}

static void end(void)
{
    catalog_destroy(catalog);
    folder_done(&folder);
}

static struct catalog_status status(void)
{
    struct catalog_status now;

    catalog_status(catalog, 0, &now);
    return now;
}

/* Does the live schema take `text`? -1: there is none. */
static int verdict(const char *text)
{
    const struct flat *instance = tree_of(text);
    int result = -1;
    const struct live_schema *live = catalog_enter(entry);

    if (live->schema)
        result = schema_check(live->schema, instance, NULL) == SCHEMA_VALID;
    catalog_leave();
    return result;
}

static bool has_another_version(void *self)
{
    struct catalog_status now = status();

    return now.usable && strcmp(now.version, self) != 0;
}

static bool has_failed_since(void *self)
{
    return status().failed > *(const uint64_t *)self;
}

static bool has_refreshed_since(void *self)
{
    return status().refreshed > *(const uint64_t *)self;
}

static bool is_usable(void *self)
{
    (void)self;
    return status().usable;
}

static void await_failure(void)
{
    uint64_t before = status().failed;

    CHECK(wait_until(has_failed_since, &before));
}

static void await_success(void)
{
    uint64_t before = status().refreshed;

    CHECK(wait_until(has_refreshed_since, &before));
}

static void one_entry_for_one_schema(void)
{
    create();
    CHECK(catalog_add(catalog, "R", "S") == entry);
    CHECK(catalog_add(catalog, "R", "T") != entry);
    CHECK(catalog_add(catalog, "Q", "S") != entry);
    CHECK_INT((int64_t)catalog_count(catalog), 3);

    struct catalog_status last;

    catalog_load(catalog);
    catalog_status(catalog, 2, &last);
    CHECK_STR(str_from_c(last.registry), "Q");
    CHECK_STR(str_from_c(last.schema), "S");
    end();
    catalog_destroy(NULL);
}

static void what_is_there_is_live_after_loading(void)
{
    begin("{\"type\":\"integer\"}");
    CHECK_INT(verdict("1"), 1);
    CHECK_INT(verdict("\"x\""), 0);

    struct catalog_status now = status();

    CHECK(now.usable);
    CHECK_INT(now.error.code, ERR_NONE);
    CHECK(now.version[0] != '\0');
    CHECK(now.refreshed > 0 && now.failed == 0);
    CHECK(now.age_us >= 0 && now.age_us < 60000000);
    end();
}

static void keys_of_events_and_schemas_are_symbols(void)
{
    begin("{\"properties\":{\"interaction\":{\"required\":[\"start_time\"]}}}");

    const struct json_symbols *symbols = catalog_symbols(catalog);

    CHECK(json_symbols_find(symbols, STR("detail")) != NULL);
    CHECK(json_symbols_find(symbols, STR("interaction")) != NULL);
    CHECK(json_symbols_find(symbols, STR("start_time")) != NULL);
    CHECK(json_symbols_find(symbols, STR("nowhere")) == NULL);
    end();
}

static void a_new_definition_takes_the_old_ones_place(void)
{
    begin("{\"type\":\"integer\"}");

    struct catalog_status before = status();

    folder_write(&folder, "R/S.json", STR("{\"type\":\"string\"}"));
    CHECK(wait_until(has_another_version, before.version));
    CHECK_INT(verdict("1"), 0);
    CHECK_INT(verdict("\"x\""), 1);
    end();
}

static void the_last_good_version_stays(void)
{
    static const struct {
        const char *name;
        const char *definition; /* NULL: the file vanishes */
        enum err_code code;
        const char *beginning;
    } cases[] = {
        { "vanished", NULL, ERR_NOT_FOUND, "Schema S not found in registry R" },
        { "empty", "", ERR_INVALID, "Schema definition is empty in Glue Registry" },
        { "no JSON", "{", ERR_INVALID, "Schema definition is not valid JSON: at byte 1" },
        { "no schema", "{\"type\":\"strin\"}", ERR_INTERNAL, "schema does not compile: " },
        { "no object", "5", ERR_INTERNAL, "schema does not compile: " },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        begin("{\"type\":\"integer\"}");

        struct catalog_status before = status();

        if (cases[i].definition)
            folder_write(&folder, "R/S.json", str_from_c(cases[i].definition));
        else
            folder_remove(&folder, "R/S.json");
        await_failure();
        await_failure();

        struct catalog_status now = status();

        CHECK(now.usable);
        CHECK_STR(str_from_c(now.version), before.version);
        CHECK_INT(now.error.code, cases[i].code);
        CHECK(str_starts_with(str_from_c(now.error.text), str_from_c(cases[i].beginning)));
        CHECK_INT(verdict("1"), 1);
        CHECK_INT(verdict("\"x\""), 0);

        folder_write(&folder, "R/S.json", STR("{\"type\":\"integer\"}")); /* and it recovers */
        await_success();
        CHECK_INT(status().error.code, ERR_NONE);
        end();
    }
}

static void without_any_version_events_are_told_why(void)
{
    begin(NULL);

    const struct live_schema *live = catalog_enter(entry);

    CHECK(live && !live->schema);
    CHECK_INT(live->error.code, ERR_NOT_FOUND);
    CHECK_STR(str_from_c(live->error.text), "Schema S not found in registry R");
    catalog_leave();
    CHECK(!status().usable);
    CHECK_STR(str_from_c(status().version), "");
    CHECK_INT(status().age_us, 0);

    folder_write(&folder, "R/S.json", STR("")); /* another reason */
    await_failure();
    await_failure();
    live = catalog_enter(entry);
    CHECK_INT(live->error.code, ERR_INVALID);
    catalog_leave();

    folder_write(&folder, "R/S.json", STR("{\"type\":\"integer\"}")); /* and then it comes */
    CHECK(wait_until(is_usable, NULL));
    CHECK_INT(verdict("1"), 1);
    end();
}

static void keys_that_come_later_are_found_too(void)
{
    begin("{\"properties\":{\"a\":{\"type\":\"string\"}}}");

    struct catalog_status before = status();
    const struct json_symbols *symbols = catalog_symbols(catalog);
    const struct flat *instance;

    folder_write(&folder, "R/S.json",
                 STR("{\"properties\":{\"b\":{\"type\":\"string\"}},\"required\":[\"a\",\"b\"]}"));
    CHECK(wait_until(has_another_version, before.version));
    instance = tree_read(STR("{\"a\":1,\"b\":1}"), symbols);
    CHECK_INT(schema_check(catalog_enter(entry)->schema, instance, NULL), SCHEMA_INVALID);
    catalog_leave();
    instance = tree_read(STR("{\"a\":1,\"b\":\"x\"}"), symbols);
    CHECK_INT(schema_check(catalog_enter(entry)->schema, instance, NULL), SCHEMA_VALID);
    catalog_leave();
    end();
}

static atomic_bool stop;
static atomic_int wrong;

/* Each version takes exactly one of these two, and the reader must see a whole version. */
static void *check_until_stopped(void *self)
{
    struct arena *arena = arena_create();
    const struct flat *integer = NULL;
    const struct flat *string = NULL;
    struct error err = { 0 };
    bool ok = flat_read(arena, STR("1"), NULL, &integer, &err) &&
              flat_read(arena, STR("\"x\""), NULL, &string, &err);

    wrong += !ok;
    while (ok && !atomic_load(&stop)) {
        const struct live_schema *live = catalog_enter(entry);

        wrong += (schema_check(live->schema, integer, NULL) == SCHEMA_VALID) ==
                 (schema_check(live->schema, string, NULL) == SCHEMA_VALID);
        wrong += live->version[0] == '\0';
        catalog_leave();
    }
    arena_destroy(arena);
    return self;
}

static void readers_never_notice_a_swap(void)
{
    enum { READERS = 3, SWAPS = 60 };
    pthread_t readers[READERS];
    bool all_seen = true;

    begin("{\"type\":\"integer\"}");
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, check_until_stopped, NULL) == 0);
    for (int i = 0; i < SWAPS && all_seen; i++) {
        struct catalog_status before = status();
        char text[100];

        (void)snprintf(text, sizeof(text), "{\"type\":\"%s\",\"title\":\"%d\"}",
                       i % 2 ? "integer" : "string", i);
        folder_write(&folder, "R/S.json", str_from_c(text));
        all_seen = wait_until(has_another_version, before.version);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(readers[i], NULL);
    CHECK(all_seen);
    CHECK_INT(wrong, 0);
    end();
}

static struct capture capture;

static void begin_logged(const char *definition)
{
    log_configure(LOG_INFO, LOG_JSON);
    capture_begin(&capture, STDOUT_FILENO);
    begin(definition);
}

/* How many lines were logged; `*output` are they, for mem_free(). */
static size_t end_logged(struct str *output)
{
    size_t lines = 0;

    end();
    *output = capture_end(&capture);
    log_configure(LOG_ERROR, LOG_JSON);
    for (size_t i = 0; i < output->len; i++)
        lines += output->ptr[i] == '\n';
    return lines;
}

static void a_failure_is_logged_once_not_at_each_look(void)
{
    struct str output;

    begin_logged(NULL);
    for (int i = 0; i < 5; i++)
        await_failure();
    CHECK_INT((int64_t)end_logged(&output), 1);
    CHECK(strstr(output.ptr, "\"level\":\"warn\",\"event\":\"schema_refresh_failed\"") != NULL);
    CHECK(strstr(output.ptr, "\"error\":\"Schema S not found in registry R\"") != NULL);
    mem_free((void *)output.ptr);
}

static void the_end_of_a_failure_is_logged_too(void)
{
    struct str output;

    begin_logged(NULL);
    await_failure();
    folder_write(&folder, "R/S.json", STR("{}"));
    CHECK(wait_until(is_usable, NULL));
    (void)end_logged(&output);
    CHECK(strstr(output.ptr, "\"event\":\"schema_refresh_recovered\",\"registry\":\"R\","
                             "\"schema\":\"S\",\"attempts_failed\":") != NULL);
    mem_free((void *)output.ptr);
}

static void a_change_is_taken_and_logged_once(void)
{
    struct str output;

    begin_logged("{}");

    struct catalog_status before = status();

    folder_write(&folder, "R/S.json", STR("{\"type\":\"integer\"}"));
    CHECK(wait_until(has_another_version, before.version));
    for (int i = 0; i < 5; i++)
        await_success();
    CHECK_INT((int64_t)end_logged(&output), 1);
    CHECK(strstr(output.ptr, "\"level\":\"info\",\"event\":\"schema_live\"") != NULL);
    mem_free((void *)output.ptr);
}

static void ends_at_once_while_waiting_long(void)
{
    struct error err = { 0 };
    int64_t before = clock_monotonic_us();

    folder_init(&folder);
    catalog = catalog_create(&(struct catalog_options){
        .registry = registry_file(folder.path),
        .refresh_us = 3600000000,
    });
    catalog_load(catalog);
    CHECK_INT((int64_t)catalog_count(catalog), 0);
    CHECK(catalog_start(catalog, &err));
    end();
    CHECK(clock_monotonic_us() - before < 20000000);
}

static void a_successor_goes_on_counting(void)
{
    begin("{}");

    struct catalog *heir =
        catalog_create(&(struct catalog_options){ .registry = registry_file(folder.path) });
    struct catalog_status now;

    (void)catalog_add(heir, "R", "New");
    (void)catalog_add(heir, "R", "S");
    catalog_continue(heir, catalog, true);
    catalog_status(heir, 0, &now);
    CHECK(now.refreshed == 0);
    catalog_status(heir, 1, &now);
    CHECK(now.refreshed >= 1 && !now.usable);
    catalog_destroy(heir);
    end();
}

/* `wanted`: NULL: there is none. */
static void check_text(struct catalog *of, const char *which, const char *wanted)
{
    CLEANUP(json_cleanup) struct json_object *tree = NULL;
    struct json_object *found = NULL;
    struct error err = { 0 };
    struct buf texts;

    buf_init(&texts, 4096);
    CHECK(catalog_write_texts(of, STR("R"), STR("S"), &texts, &err));
    CHECK(json_read(buf_str(&texts), NULL, &tree, &err) && json_find(tree, which, &found));
    CHECK(!wanted == !found);
    if (wanted)
        CHECK_STR(json_find_str(found, "text"), wanted);
    buf_done(&texts);
}

/* Versions: a, then b, and `last` when the successor looks first. */
static void check_inherited_texts(const char *last, const char *previous)
{
    static const char a[] = "{\"title\":\"a\"}";
    static const char b[] = "{\"title\":\"b\"}";
    struct catalog_status before;
    struct catalog *heir;

    begin(a);
    before = status();
    folder_write(&folder, "R/S.json", str_from_c(b));
    CHECK(wait_until(has_another_version, before.version));
    catalog_stop(catalog);
    check_text(catalog, "previous", a);
    folder_write(&folder, "R/S.json", str_from_c(last));
    heir = catalog_create(&(struct catalog_options){ .registry = registry_file(folder.path) });
    (void)catalog_add(heir, "R", "S");
    catalog_continue(heir, catalog, true);
    catalog_load(heir);
    check_text(heir, "live", last);
    check_text(heir, "previous", previous);
    catalog_destroy(heir);
    end();
}

static void a_successor_knows_the_version_before(void)
{
    check_inherited_texts("{\"title\":\"b\"}", "{\"title\":\"a\"}");
    check_inherited_texts("{\"title\":\"c\"}", "{\"title\":\"b\"}");
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(one_entry_for_one_schema);
    RUN(what_is_there_is_live_after_loading);
    RUN(keys_of_events_and_schemas_are_symbols);
    RUN(a_new_definition_takes_the_old_ones_place);
    RUN(the_last_good_version_stays);
    RUN(without_any_version_events_are_told_why);
    RUN(keys_that_come_later_are_found_too);
    RUN(readers_never_notice_a_swap);
    RUN(a_failure_is_logged_once_not_at_each_look);
    RUN(the_end_of_a_failure_is_logged_too);
    RUN(a_change_is_taken_and_logged_once);
    RUN(ends_at_once_while_waiting_long);
    RUN(a_successor_goes_on_counting);
    RUN(a_successor_knows_the_version_before);
    trees_end();
    return test_end();
}
