/*
 * test_shadow.c - claims about shadows: what schema/registry/shadow.h counts and keeps, and that
 * nothing of a catalog depends on them.
 */
#include "schema/registry/shadow.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "schema/registry/catalog.h"
#include "tests/unit/capture.h"
#include "tests/unit/folder.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"
#include "tests/unit/wait.h"

enum { NOW_US = 1000000 };

static struct shadow *shadow;

static void note(const char *live, const char *version, enum shadow_verdict verdict,
                 const char *rule)
{
    struct shadow_word word = { .verdict = verdict };

    (void)snprintf(word.place.keyword_location, GUARD_POINTER_SIZE, "%s", rule);
    shadow_note(shadow, &(struct shadow_pair){ live, version }, &word, NOW_US);
}

static void check_written(const char *expected)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_char(&text, '{');
    shadow_write(shadow, &text);
    CHECK_STR(str_from(buf_str(&text), 1), expected);
}

#define COUNTS(a, r, c, s, u)                                                                      \
    "\"events\":{\"agrees\":" #a ",\"would_refuse\":" #r ",\"would_accept\":" #c                   \
    ",\"skipped\":" #s ",\"unavailable\":" #u "}"
#define RULE(verdict, rule, events)                                                                \
    "{\"verdict\":\"" verdict "\",\"rule\":\"" rule "\",\"place\":\"\",\"events\":" #events        \
    ",\"first_at\":\"1970-01-01T00:00:01.000000Z\"}"

static void the_first_of_each_rule_is_kept(void)
{
    shadow = shadow_create();
    check_written("\"live_version\":\"\",\"shadow_version\":\"\",\"since\":\"\"," COUNTS(
        0, 0, 0, 0, 0) ",\"rules\":[],\"rules_left_out\":0");
    note("3", "7", SHADOW_AGREES, "");
    note("3", "7", SHADOW_WOULD_REFUSE, "/a");
    note("3", "7", SHADOW_WOULD_REFUSE, "/a");
    note("3", "7", SHADOW_WOULD_ACCEPT, "/a");
    note("3", "7", SHADOW_SKIPPED, "");
    note("3", "", SHADOW_UNAVAILABLE, "");
    check_written(
        "\"live_version\":\"3\",\"shadow_version\":\"7\","
        "\"since\":\"1970-01-01T00:00:01.000000Z\"," COUNTS(1, 2, 1, 1, 1) ",\"rules\":[" RULE(
            "would_refuse", "/a", 2) "," RULE("would_accept", "/a", 1) "],\"rules_left_out\":0");
    shadow_destroy(shadow);
}

static void another_version_begins_again(void)
{
    shadow = shadow_create();
    note("3", "7", SHADOW_WOULD_REFUSE, "/a");
    note("3", "8", SHADOW_AGREES, "");
    check_written("\"live_version\":\"3\",\"shadow_version\":\"8\","
                  "\"since\":\"1970-01-01T00:00:01.000000Z\"," COUNTS(
                      1, 0, 0, 0, 0) ",\"rules\":[],\"rules_left_out\":0");
    CHECK_INT((int64_t)shadow_total(shadow, SHADOW_WOULD_REFUSE), 1);
    note("4", "8", SHADOW_AGREES, "");
    check_written("\"live_version\":\"4\",\"shadow_version\":\"8\","
                  "\"since\":\"1970-01-01T00:00:01.000000Z\"," COUNTS(
                      1, 0, 0, 0, 0) ",\"rules\":[],\"rules_left_out\":0");
    CHECK_INT((int64_t)shadow_total(shadow, SHADOW_AGREES), 2);
    shadow_destroy(shadow);
}

static void rules_have_a_limit(void)
{
    CLEANUP(buf_done) struct buf text;
    char rule[32];

    shadow = shadow_create();
    for (int i = 0; i < 60; i++) {
        (void)snprintf(rule, sizeof(rule), "/%d", i);
        note("3", "7", SHADOW_WOULD_REFUSE, rule);
    }
    buf_init(&text, SIZE_MAX);
    shadow_write(shadow, &text);
    CHECK(str_ends_with(buf_str(&text), STR("\"rules_left_out\":10")));
    shadow_destroy(shadow);
}

/* A catalog with a live schema and a shadow in a file. */

#define LIVE  "{\"properties\":{\"id\":{\"type\":\"string\"}},\"required\":[\"id\"]}"
#define OTHER "{\"properties\":{\"id\":true},\"additionalProperties\":{\"type\":\"integer\"}}"

static struct folder folder;
static struct catalog *catalog;
static struct catalog_entry *live;
static struct catalog_entry *beside;

static struct catalog *create_catalog(void)
{
    return catalog_create(&(struct catalog_options){
        .registry = registry_file(folder.path),
        .refresh_us = 1000,
        .guard = CATALOG_GUARD_ENFORCE,
        .guard_samples = 5,
    });
}

static struct catalog_entry *add_file(struct catalog *to, const char *route)
{
    char path[FOLDER_PATH_SIZE];

    folder_path(&folder, "next.json", path);
    return catalog_add_shadow(
        to, &(struct catalog_shadow){
                .route = route, .registry = "R", .schema = "S", .version = "", .file = path });
}

/* `definition` NULL: the file is missing. */
static void begin(const char *definition)
{
    folder_init(&folder);
    folder_write(&folder, "R/S.json", STR(LIVE));
    if (definition)
        folder_write(&folder, "next.json", str_from_c(definition));
    catalog = create_catalog();
    beside = add_file(catalog, "a");
    live = catalog_add(catalog, "R", "S");
    catalog_name_route(catalog, live, "a");
    catalog_name_route(catalog, live, "b");
    catalog_load(catalog);
}

static void end(void)
{
    catalog_destroy(catalog);
    folder_done(&folder);
}

/* Check a payload with both. */
static struct shadow_word try_on(const char *text, int64_t budget_us)
{
    const struct schema_report_options options = { .max_errors = 1 };
    struct arena *arena = arena_create();
    const struct flat_options reading = { .symbols = catalog_symbols(catalog) };
    struct schema_budget budget = schema_budget_slice(budget_us);
    struct schema_report report = { 0 };
    struct catalog_trial trial = { .version = "1", .now_us = NOW_US };
    struct shadow_word word;
    struct error err = { 0 };

    CHECK(flat_read(arena, str_from_c(text), &reading, &trial.payload, &err));
    if (schema_report(catalog_enter(live)->schema, trial.payload, &options, NULL, arena, &report) !=
        SCHEMA_VALID)
        trial.refusal = &report.best;
    catalog_leave();
    catalog_try_shadow(beside, live, &trial, &budget, &word);
    arena_destroy(arena);
    return word;
}

static void a_shadow_says_what_it_would_decide_differently(void)
{
    static const struct {
        const char *payload;
        enum shadow_verdict verdict;
        const char *rule;
        const char *place;
    } cases[] = {
        { "{\"id\":\"x\"}", SHADOW_AGREES, "", "" },
        { "{\"id\":5,\"b\":\"no\"}", SHADOW_AGREES, "", "" },
        { "{\"id\":\"x\",\"secret\":\"no\"}", SHADOW_WOULD_REFUSE, "/additionalProperties/type",
          "/*" },
        { "{\"id\":5}", SHADOW_WOULD_ACCEPT, "/properties/id/type", "/id" },
        { "{}", SHADOW_WOULD_ACCEPT, "/required", "" },
    };

    begin(OTHER);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shadow_word word = try_on(cases[i].payload, US_PER_S);

        TEST_CASE(cases[i].payload);
        CHECK_INT(word.verdict, cases[i].verdict);
        CHECK_STR(str_from_c(word.place.keyword_location), cases[i].rule);
        CHECK_STR(str_from_c(word.place.instance_location), cases[i].place);
    }
    end();
}

static void what_is_costly_is_skipped(void)
{
    CLEANUP(buf_done) struct buf text;

    begin("{\"items\":{\"pattern\":\"^(a+)+$\"}}");
    buf_init(&text, SIZE_MAX);
    buf_add(&text, STR("[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""));
    for (int i = 0; i < 20000; i++)
        buf_add(&text, STR(",\"a\""));
    buf_add_char(&text, ']');
    buf_add_char(&text, '\0');
    CHECK_INT(try_on(text.ptr, 1).verdict, SHADOW_SKIPPED);
    end();
}

static void nothing_depends_on_a_shadow(void)
{
    struct catalog_shadow_status status;

    begin(NULL);
    CHECK(catalog_is_whole(catalog));
    CHECK_INT((int64_t)catalog_count(catalog), 1);
    CHECK_INT((int64_t)catalog_shadow_count(catalog), 1);
    CHECK(add_file(catalog, "a") == beside);
    CHECK_INT(try_on("{}", US_PER_S).verdict, SHADOW_UNAVAILABLE);
    catalog_shadow_status(catalog, 0, &status);
    CHECK_STR(str_from_c(status.route), "a");
    CHECK(!status.status.usable && strstr(status.status.error.text, "next.json"));
    CHECK_INT((int64_t)status.totals[SHADOW_UNAVAILABLE], 1);
    end();
}

static bool is_usable(void *self)
{
    struct catalog_shadow_status status;

    (void)self;
    catalog_shadow_status(catalog, 0, &status);
    return status.status.usable;
}

static bool has_changed(void *self)
{
    (void)self;
    return try_on("{}", US_PER_S).verdict == SHADOW_AGREES;
}

static void a_shadow_is_refreshed_without_the_guard(void)
{
    struct error err = { 0 };

    begin(NULL);
    CHECK(catalog_start(catalog, &err));
    folder_write(&folder, "next.json", STR(OTHER));
    CHECK(wait_until(is_usable, NULL));
    CHECK_INT(try_on("{}", US_PER_S).verdict, SHADOW_WOULD_ACCEPT);
    folder_write(&folder, "next.json", STR("false"));
    CHECK(wait_until(has_changed, NULL));
    end();
}

static void a_successor_continues_the_counts(void)
{
    struct catalog_shadow_status status;
    struct catalog *heir;

    begin(OTHER);
    heir = create_catalog();
    (void)try_on("{}", US_PER_S);
    (void)add_file(heir, "a");
    (void)add_file(heir, "new");
    (void)catalog_add(heir, "R", "S");
    catalog_continue(heir, catalog, true);
    catalog_destroy(catalog);
    catalog = heir;
    catalog_shadow_status(catalog, 0, &status);
    CHECK_INT((int64_t)status.totals[SHADOW_WOULD_ACCEPT], 1);
    catalog_shadow_status(catalog, 1, &status);
    CHECK_INT((int64_t)status.totals[SHADOW_WOULD_ACCEPT], 0);
    end();
}

static void a_shadow_is_written_as_json(void)
{
    CLEANUP(buf_done) struct buf text;
    struct error err = { 0 };

    begin(NULL);
    (void)add_file(catalog, "b");
    buf_init(&text, SIZE_MAX);
    CHECK(!catalog_write_shadow(catalog, STR("c"), &text, &err));
    CHECK_INT(err.code, ERR_NOT_FOUND);
    CHECK(catalog_write_shadow(catalog, STR("a"), &text, &err));
    CHECK(
        str_starts_with(buf_str(&text), STR("{\"route\":\"a\",\"registry\":\"R\",\"schema\":\"S\","
                                            "\"shadow\":\"")));
    buf_clear(&text);
    catalog_write_shadows(catalog, &text);
    CHECK(str_starts_with(buf_str(&text), STR("[{\"route\":\"a\",")));
    CHECK(strstr(text.ptr, "},{\"route\":\"b\","));
    end();
}

static void a_version_is_asked_for_by_its_number(void)
{
    struct scripted script;
    struct catalog_shadow_status status;

    scripted_init(&script);
    scripted_give(&script, "7", OTHER);
    catalog = catalog_create(
        &(struct catalog_options){ .registry = scripted_registry(&script), .refresh_us = 1000 });
    beside = catalog_add_shadow(
        catalog, &(struct catalog_shadow){
                     .route = "a", .registry = "R", .schema = "S", .version = "7", .file = "" });
    CHECK_STR(str_from_c(catalog_shadow_name(beside)), "version 7");
    catalog_load(catalog);
    CHECK_STR(str_from_c(script.asked), "7");
    catalog_shadow_status(catalog, 0, &status);
    CHECK(status.status.usable);
    catalog_destroy(catalog);
    scripted_done(&script);
}

static void a_server_that_starts_does_not_wait_for_a_shadow(void)
{
    struct scripted script;

    scripted_init(&script);
    catalog = catalog_create(&(struct catalog_options){
        .registry = scripted_registry(&script), .refresh_us = 1000, .loads_briefly = true });
    (void)catalog_add_shadow(
        catalog, &(struct catalog_shadow){
                     .route = "a", .registry = "R", .schema = "S", .version = "7", .file = "" });
    catalog_load(catalog);
    CHECK_INT(scripted_asks(&script), 0);
    catalog_destroy(catalog);
    scripted_done(&script);
}

static bool has_failed(void *self)
{
    struct catalog_status status;

    (void)self;
    catalog_status(catalog, 0, &status);
    return status.failed > 0;
}

static void the_log_names_the_routes(void)
{
    struct capture capture;
    struct error err = { 0 };
    struct str log;

    log_configure(LOG_INFO, LOG_JSON);
    capture_begin(&capture, STDOUT_FILENO);
    begin(NULL);
    CHECK(catalog_start(catalog, &err));
    folder_write(&folder, "next.json", STR(OTHER));
    CHECK(wait_until(is_usable, NULL));
    folder_write(&folder, "R/S.json", STR("{"));
    CHECK(wait_until(has_failed, NULL));
    end();
    log = capture_end(&capture);
    log_configure(LOG_ERROR, LOG_TEXT);
    CHECK(strstr(log.ptr, "\"event\":\"schema_refresh_failed\",\"registry\":\"R\",\"schema\":\"S\","
                          "\"shadow\":\""));
    CHECK(strstr(log.ptr, "\"event\":\"schema_refresh_recovered\",\"registry\":\"R\","
                          "\"schema\":\"S\",\"shadow\":\""));
    CHECK(strstr(log.ptr, "\"event\":\"schema_refresh_failed\",\"registry\":\"R\",\"schema\":\"S\","
                          "\"routes\":\"a,b\""));
    mem_free((void *)log.ptr);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_TEXT);
    RUN(the_first_of_each_rule_is_kept);
    RUN(another_version_begins_again);
    RUN(rules_have_a_limit);
    RUN(a_shadow_says_what_it_would_decide_differently);
    RUN(what_is_costly_is_skipped);
    RUN(nothing_depends_on_a_shadow);
    RUN(a_shadow_is_refreshed_without_the_guard);
    RUN(a_successor_continues_the_counts);
    RUN(a_shadow_is_written_as_json);
    RUN(a_version_is_asked_for_by_its_number);
    RUN(a_server_that_starts_does_not_wait_for_a_shadow);
    RUN(the_log_names_the_routes);
    trees_end();
    return test_end();
}
