/*
 * test_guard.c - claims about schema/registry/guard.h, and about what the catalog makes of its
 * findings.
 */
#include "schema/registry/guard.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "schema/registry/catalog.h"
#include "schema/registry/catalog_cache.h"
#include "tests/unit/folder.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static struct schema *compile(const char *text)
{
    const struct flat *document = tree_of(text);
    struct schema *schema = NULL;
    struct error err = { 0 };

    CHECK(schema_compile(document, NULL, &schema, &err));
    return schema;
}

static void finds_what_would_be_refused(void)
{
    static const struct {
        const char *name;
        const char *now;
        const char *next;
        size_t tried;
        size_t refused;
        const char *instance;
        const char *keyword;
    } cases[] = {
        { "the same", "{}", "{}", 3, 0, "", "" },
        { "wider", "{\"type\":\"object\"}", "{}", 3, 0, "", "" },
        { "a type", "{}", "{\"properties\":{\"a\":{\"type\":\"string\"}}}", 3, 2, "/a",
          "/properties/a/type" },
        { "a member", "{}", "{\"required\":[\"b\"]}", 3, 2, "", "/required" },
        { "what is refused already", "{\"required\":[\"b\"]}",
          "{\"properties\":{\"a\":{\"type\":\"string\"}}}", 1, 0, "", "" },
        { "nothing goes", "{}", "false", 3, 3, "", "" },
    };
    static const char *const texts[] = { "{\"a\":1}", "{\"a\":2}", "{\"a\":\"x\",\"b\":1}" };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct samples *samples = samples_create(10);
        struct schema *now = compile(cases[i].now);
        struct schema *next = compile(cases[i].next);
        struct guard_finding finding = { 0 };

        TEST_CASE(cases[i].name);
        for (size_t j = 0; j < COUNT_OF(texts); j++)
            samples_offer(samples, tree_of(texts[j]), clock_now_us());
        CHECK_INT(guard_finds(samples, now, next, NULL, &finding), cases[i].refused > 0);
        if (cases[i].refused > 0) {
            CHECK_INT((int64_t)finding.tried, (int64_t)cases[i].tried);
            CHECK_INT((int64_t)finding.refused, (int64_t)cases[i].refused);
            CHECK_STR(str_from_c(finding.place.instance_location), cases[i].instance);
            CHECK_STR(str_from_c(finding.place.keyword_location), cases[i].keyword);
        }
        schema_destroy(now);
        schema_destroy(next);
        samples_destroy(samples);
    }
}

/* Names that came with an event may say who it is about. */
static void tells_no_name_that_the_schema_does_not_have(void)
{
    static const struct {
        const char *name;
        const char *next;
        const char *instance;
    } cases[] = {
        { "a name of the event", "{\"additionalProperties\":{\"type\":\"object\"}}", "/*" },
        { "below a name that is known",
          "{\"properties\":{\"attributes\":{\"additionalProperties\":{\"maxLength\":1}}}}",
          "/attributes/*" },
        { "a known name below one of the event",
          "{\"properties\":{\"attributes\":{},\"list\":{}},"
          "\"additionalProperties\":{\"properties\":{\"a/~b\":{\"type\":\"null\"}}}}",
          "/*/a~1~0b" },
        { "an index",
          "{\"properties\":{\"list\":{\"items\":{\"patternProperties\":{\"^J\":false}}}}}",
          "/list/1/*" },
    };
    static const char text[] = "{\"attributes\":{\"Jane Doe\":\"long\"},"
                               "\"Jane Doe\":{\"a/~b\":1},\"list\":[0,{\"Jane\":1}]}";

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct samples *samples = samples_create(10);
        struct schema *now = compile("{}");
        struct schema *next = compile(cases[i].next);
        struct guard_finding finding = { 0 };

        TEST_CASE(cases[i].name);
        samples_offer(samples, tree_of(text), clock_now_us());
        CHECK(guard_finds(samples, now, next, NULL, &finding));
        CHECK_STR(str_from_c(finding.place.instance_location), cases[i].instance);
        schema_destroy(now);
        schema_destroy(next);
        samples_destroy(samples);
    }
}

/* The catalog. Each catalog_load() is one look. */

static struct folder folder;
static char dir[FOLDER_PATH_SIZE];
static struct scripted script;
static struct catalog *catalog;
static struct catalog_entry *entry;

static void create(enum catalog_guard guard, size_t samples)
{
    catalog = catalog_create(&(struct catalog_options){
        .registry = scripted_registry(&script),
        .refresh_us = 1000000,
        .cache_dir = dir,
        .guard = guard,
        .guard_samples = samples,
    });
    entry = catalog_add(catalog, "R", "S");
    catalog_load(catalog);
}

static void accept_event(const char *text)
{
    catalog_accepted(entry, tree_of(text), clock_now_us());
}

/* Version 1 is live, and took an event that version 2 would refuse. */
static void begin(enum catalog_guard guard, size_t samples)
{
    folder_init(&folder);
    folder_path(&folder, "cache", dir);
    scripted_init(&script);
    scripted_give(&script, "1", "{}");
    create(guard, samples);
    accept_event("{\"name\":\"secret\"}");
    scripted_give(&script, "2", "{\"properties\":{\"name\":{\"type\":\"integer\"}}}");
    catalog_load(catalog);
}

static void end(void)
{
    catalog_destroy(catalog);
    scripted_done(&script);
    folder_done(&folder);
}

static void restart(enum catalog_guard guard)
{
    catalog_destroy(catalog);
    script.interrupted = false;
    create(guard, 10);
}

static void accept_version(const char *version)
{
    const struct catalog_place place = { dir, "R", "S" };
    struct error err = { 0 };

    CHECK(catalog_cache_note(&place, CATALOG_ACCEPTED, version, &err));
}

static struct catalog_status look(void)
{
    struct catalog_status now;

    catalog_load(catalog);
    catalog_status(catalog, 0, &now);
    return now;
}

static struct catalog_status status(void)
{
    struct catalog_status now;

    catalog_status(catalog, 0, &now);
    return now;
}

static void warn_takes_it_and_says_so(void)
{
    struct catalog_status now;

    begin(CATALOG_GUARD_WARN, 10);
    now = status();
    CHECK_STR(str_from_c(now.version), "2");
    CHECK_STR(str_from_c(now.suspect), "2");
    CHECK(now.suspect_is_live);
    CHECK_STR(str_from_c(now.finding.place.instance_location), "/name");
    CHECK_STR(str_from_c(now.finding.place.keyword_location), "/properties/name/type");
    CHECK_INT((int64_t)now.guard_refusals, 1);
    CHECK_INT((int64_t)look().guard_refusals, 1);
    accept_version("2"); /* ends the suspicion */
    CHECK_STR(str_from_c(look().suspect), "");
    end();
}

static void the_next_version_ends_the_warning(void)
{
    begin(CATALOG_GUARD_WARN, 10);
    scripted_give(&script, "3", "{}");
    CHECK_STR(str_from_c(look().suspect), "");
    CHECK_STR(str_from_c(status().version), "3");
    CHECK_INT((int64_t)status().guard_refusals, 1);
    end();
}

static void off_and_no_samples_take_anything(void)
{
    begin(CATALOG_GUARD_OFF, 10);
    CHECK_STR(str_from_c(status().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
    begin(CATALOG_GUARD_WARN, 0);
    CHECK_STR(str_from_c(status().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void enforce_keeps_the_old_one(void)
{
    struct catalog_status now;

    begin(CATALOG_GUARD_ENFORCE, 10);
    now = status();
    CHECK_STR(str_from_c(now.version), "1");
    CHECK_STR(str_from_c(now.suspect), "2");
    CHECK(!now.suspect_is_live);
    CHECK_INT((int64_t)now.guard_refusals, 1);
    CHECK(now.held > 0);
    CHECK_INT(now.error.code, ERR_NONE);
    CHECK_INT((int64_t)look().guard_refusals, 1);
    CHECK_STR(str_from_c(status().version), "1");
    end();
}

static void until_it_is_accepted(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    accept_version("1"); /* another */
    CHECK_STR(str_from_c(look().version), "1");
    accept_version("2");
    CHECK_STR(str_from_c(look().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void or_until_a_better_one_comes(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    scripted_give(&script, "3", "{\"title\":\"wide\"}");
    CHECK_STR(str_from_c(look().version), "3");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void or_until_it_is_withdrawn(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    scripted_give(&script, "1", "{}");
    CHECK_STR(str_from_c(look().version), "1");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void also_across_a_restart(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    restart(CATALOG_GUARD_ENFORCE);
    CHECK_STR(str_from_c(status().version), "1");
    CHECK_STR(str_from_c(status().suspect), "2");
    accept_version("2");
    CHECK_STR(str_from_c(look().version), "2");
    end();
}

/* Version 1 is live, and no event has been accepted since. */
static void begin_without_events(size_t samples)
{
    folder_init(&folder);
    folder_path(&folder, "cache", dir);
    scripted_init(&script);
    scripted_give(&script, "1", "{}");
    create(CATALOG_GUARD_ENFORCE, samples);
    scripted_give(&script, "2", "{\"required\":[\"a\"]}");
    catalog_load(catalog);
}

static void without_samples_it_waits_for_events(void)
{
    begin_without_events(20);
    CHECK_STR(str_from_c(status().version), "1");
    CHECK_STR(str_from_c(status().suspect), "2");
    CHECK_INT((int64_t)status().finding.tried, 0);
    CHECK_INT((int64_t)status().finding.refused, 0);
    CHECK_INT((int64_t)status().guard_refusals, 0);
    for (size_t i = 0; i < 9; i++)
        accept_event("{\"a\":1}");
    CHECK_STR(str_from_c(look().version), "1");
    CHECK_INT((int64_t)status().finding.tried, 9);
    accept_event("{\"a\":1}");
    CHECK_STR(str_from_c(look().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void or_is_found_out(void)
{
    begin_without_events(20);
    accept_event("{}");
    CHECK_STR(str_from_c(look().version), "1");
    CHECK_INT((int64_t)status().finding.refused, 1);
    CHECK_INT((int64_t)status().guard_refusals, 1);
    for (size_t i = 0; i < 10; i++)
        accept_event("{\"a\":1}");
    CHECK_STR(str_from_c(look().version), "1");
    end();
}

static void or_is_accepted(void)
{
    begin_without_events(0); /* there will never be any */
    CHECK_STR(str_from_c(status().version), "1");
    CHECK_STR(str_from_c(status().suspect), "2");
    accept_version("2");
    CHECK_STR(str_from_c(look().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void samples_outlive_a_restart(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    restart(CATALOG_GUARD_ENFORCE);
    scripted_give(&script, "3", "{\"properties\":{\"name\":false}}");
    CHECK_STR(str_from_c(look().suspect), "3");
    CHECK_INT((int64_t)status().finding.tried, 1);
    CHECK_INT((int64_t)status().finding.refused, 1);
    scripted_give(&script, "4", "{\"required\":[\"name\"]}");
    CHECK_STR(str_from_c(look().version), "4");

    /* Where none are to be kept, none are left. */
    restart(CATALOG_GUARD_OFF);
    restart(CATALOG_GUARD_ENFORCE);
    scripted_give(&script, "5", "{}");
    CHECK_STR(str_from_c(look().suspect), "5");
    CHECK_INT((int64_t)status().finding.tried, 0);
    end();
}

/* As at a reload: the heir begins beside its predecessor, which goes on. */
static void succeed_in(bool same_registry, enum catalog_guard guard, size_t samples)
{
    struct catalog *predecessor = catalog;

    folder_path(&folder, "another", dir); /* where no version is cached yet */
    catalog = catalog_create(&(struct catalog_options){
        .registry = scripted_registry(&script),
        .refresh_us = 1000000,
        .cache_dir = dir,
        .guard = guard,
        .guard_samples = samples,
    });
    entry = catalog_add(catalog, "R", "S");
    catalog_continue(catalog, predecessor, same_registry);
    catalog_load(catalog);
    catalog_destroy(predecessor);
    script.interrupted = false;
}

static void succeed(enum catalog_guard guard, size_t samples)
{
    succeed_in(true, guard, samples);
}

static void a_successor_tries_new_versions_on_the_same_samples(void)
{
    static const struct {
        const char *name;
        enum catalog_guard guard;
        size_t samples;
        const char *suspect;
    } cases[] = {
        { "warn", CATALOG_GUARD_WARN, 10, "3" },
        { "enforce", CATALOG_GUARD_ENFORCE, 10, "3" },
        { "another number: the set begins again", CATALOG_GUARD_WARN, 20, "" },
        { "none are kept", CATALOG_GUARD_WARN, 0, "" },
        { "off", CATALOG_GUARD_OFF, 10, "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        begin(CATALOG_GUARD_ENFORCE, 10);
        scripted_give(&script, "3", "{\"required\":[\"more\"]}");
        succeed(cases[i].guard, cases[i].samples);
        CHECK_STR(str_from_c(status().suspect), cases[i].suspect);
        CHECK_INT((int64_t)status().guard_refusals, *cases[i].suspect ? 2 : 1);
        accept_event("{}"); /* the set is in use, too */
        end();
    }
}

static void a_successor_keeps_what_was_found(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    succeed(CATALOG_GUARD_ENFORCE, 10);
    CHECK_STR(str_from_c(status().version), "1");
    CHECK_STR(str_from_c(status().suspect), "2");
    CHECK_INT((int64_t)status().finding.refused, 1);
    CHECK_STR(str_from_c(status().finding.place.instance_location), "/name");
    accept_version("2");
    CHECK_STR(str_from_c(look().version), "2");
    end();
}

static void another_registrys_versions_are_not_kept(void)
{
    begin(CATALOG_GUARD_ENFORCE, 10);
    succeed_in(false, CATALOG_GUARD_ENFORCE, 10);
    CHECK_STR(str_from_c(status().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    end();
}

static void a_live_suspect_is_not_held_by_a_stricter_successor(void)
{
    begin(CATALOG_GUARD_WARN, 10);
    succeed(CATALOG_GUARD_ENFORCE, 10);
    CHECK_STR(str_from_c(status().version), "2");
    CHECK_STR(str_from_c(status().suspect), "");
    CHECK_INT((int64_t)status().held, 0);
    end();
}

static void one_that_does_not_compile_is_no_candidate(void)
{
    begin(CATALOG_GUARD_WARN, 10);
    scripted_give(&script, "3", "{\"type\":\"strin\"}");
    CHECK_STR(str_from_c(look().version), "2");
    CHECK_INT(status().error.code, ERR_INTERNAL);
    end();
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(finds_what_would_be_refused);
    RUN(warn_takes_it_and_says_so);
    RUN(the_next_version_ends_the_warning);
    RUN(off_and_no_samples_take_anything);
    RUN(enforce_keeps_the_old_one);
    RUN(until_it_is_accepted);
    RUN(or_until_a_better_one_comes);
    RUN(or_until_it_is_withdrawn);
    RUN(also_across_a_restart);
    RUN(tells_no_name_that_the_schema_does_not_have);
    RUN(without_samples_it_waits_for_events);
    RUN(or_is_found_out);
    RUN(or_is_accepted);
    RUN(samples_outlive_a_restart);
    RUN(a_successor_tries_new_versions_on_the_same_samples);
    RUN(a_successor_keeps_what_was_found);
    RUN(another_registrys_versions_are_not_kept);
    RUN(a_live_suspect_is_not_held_by_a_stricter_successor);
    RUN(one_that_does_not_compile_is_no_candidate);
    trees_end();
    return test_end();
}
