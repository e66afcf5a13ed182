/*
 * test_catalog_cache.c - claims about schema/registry/catalog_cache.h, and about a start from what
 * it holds.
 */
#include "schema/registry/catalog_cache.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "schema/registry/catalog.h"
#include "tests/unit/folder.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"

static struct folder folder;
static char dir[FOLDER_PATH_SIZE];
static struct catalog_place place;

static void begin(void)
{
    folder_init(&folder);
    folder_path(&folder, "deep/cache", dir);
    place = (struct catalog_place){ dir, "R", "S" };
}

static void end(void)
{
    folder_done(&folder);
}

static struct schema_definition definition_of(const char *version, const char *uuid,
                                              const char *text)
{
    struct schema_definition definition = { .text = str_from_c(text) };

    (void)snprintf(definition.version, sizeof(definition.version), "%s", version);
    (void)snprintf(definition.uuid, sizeof(definition.uuid), "%s", uuid);
    return definition;
}

static void write(const char *version, const char *text)
{
    struct schema_definition definition = definition_of(version, "u-1", text);
    struct error err = { 0 };

    CHECK(catalog_cache_write(&place, &definition, &err));
}

/* The path of the only file whose name ends so. */
static void find_file(const char *suffix, char path[static FOLDER_PATH_SIZE])
{
    DIR *list = opendir(dir);
    const struct dirent *found;
    int count = 0;

    CHECK(list != NULL);
    if (!list)
        return;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((found = readdir(list)) != NULL)
        if (str_ends_with(str_from_c(found->d_name), str_from_c(suffix))) {
            char name[FOLDER_PATH_SIZE];
            int len = snprintf(name, sizeof(name), "deep/cache/%.200s", found->d_name);

            CHECK(len > 0);
            folder_path(&folder, name, path);
            count++;
        }
    (void)closedir(list);
    CHECK_INT(count, 1);
}

static void what_is_kept_comes_back(void)
{
    static const char *const texts[] = { "{\"type\":\"object\"}\n", "", "\n\n", "a\nb\0c" };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct schema_definition out = { 0 };
        struct error err = { 0 };

        begin();
        CHECK(!catalog_cache_read(&place, &out, &err));
        CHECK_INT(err.code, ERR_NOT_FOUND);
        write("12", "something older");
        write("13", texts[i]);
        CHECK(catalog_cache_read(&place, &out, &err));
        CHECK_STR(out.text, texts[i]);
        CHECK_STR(str_from_c(out.version), "13");
        CHECK_STR(str_from_c(out.uuid), "u-1");
        schema_definition_done(&out);
        end();
    }
}

static void nobody_else_may_look(void)
{
    char path[FOLDER_PATH_SIZE];
    struct stat info;

    begin();
    write("1", "{}");
    CHECK(stat(dir, &info) == 0 && (info.st_mode & 0777) == 0700);
    find_file(".schema", path);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    end();
}

static void each_schema_has_its_own_files(void)
{
    static const struct {
        const char *registry;
        const char *schema;
    } names[] = {
        { "R", "S" },
        { "R", "S." },
        { "R", ".." },
        { "R.S", "T" },
        { "R", "S.T" },
        { "\xc3\xa4", " " },
        { "r", "s" },
        { "$#@", "a b" },
        { "R", "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS1" },
        { "R", "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS2" }
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        place = (struct catalog_place){ dir, names[i].registry, names[i].schema };
        write(names[i].registry, names[i].schema);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct schema_definition out = { 0 };
        struct error err = { 0 };

        TEST_CASE(names[i].schema);
        place = (struct catalog_place){ dir, names[i].registry, names[i].schema };
        CHECK(catalog_cache_read(&place, &out, &err));
        CHECK_STR(out.text, names[i].schema);
        CHECK_STR(str_from_c(out.version), names[i].registry);
        schema_definition_done(&out);
    }
    end();
}

/* Each byte of a small file changed, and each length it could have been cut to. */
static void whatever_is_damaged_is_told(void)
{
    char path[FOLDER_PATH_SIZE];
    struct str whole;
    struct error err = { 0 };
    struct schema_definition out = { 0 };
    int taken = 0;

    begin();
    write("1", "{\"type\":\"object\"}");
    find_file(".schema", path);
    CHECK(file_read(path, 10000, &whole, &err));

    char *copy = mem_copy(whole.ptr, whole.len);

    for (size_t i = 0; i < whole.len; i++) {
        copy[i] = (char)(copy[i] ^ 1);
        CHECK(file_replace(path, (struct str){ copy, whole.len }, &err));
        taken += catalog_cache_read(&place, &out, &err);
        CHECK_INT(err.code, ERR_INVALID);
        copy[i] = whole.ptr[i];
        CHECK(file_replace(path, (struct str){ copy, i }, &err));
        taken += catalog_cache_read(&place, &out, &err);
        CHECK_INT(err.code, ERR_INVALID);
    }
    CHECK_INT(taken, 0);
    CHECK_STR(out.text, "");
    mem_free(copy);
    mem_free((void *)whole.ptr);
    end();
}

static void without_a_folder_nothing_is_kept(void)
{
    struct schema_definition definition = definition_of("1", "", "{}");
    struct schema_definition out = { 0 };
    struct error err = { 0 };

    place = (struct catalog_place){ "", "R", "S" };
    CHECK(catalog_cache_write(&place, &definition, &err));
    CHECK(catalog_cache_note(&place, CATALOG_ACCEPTED, "1", &err));
    CHECK(!catalog_cache_lists(&place, CATALOG_ACCEPTED, &definition));
    CHECK(!catalog_cache_read(&place, &out, &err));
    CHECK_INT(err.code, ERR_NOT_FOUND);
}

static void says_when_it_cannot_write(void)
{
    struct schema_definition definition = definition_of("1", "", "{}");
    struct error err = { 0 };

    begin();
    folder_write(&folder, "deep/cache", STR("a file in the folder's place"));
    CHECK(!catalog_cache_write(&place, &definition, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK(!catalog_cache_note(&place, CATALOG_REFUSED, "1", &err));
    end();
}

static void lists_know_versions_by_number_and_uuid(void)
{
    struct schema_definition third = definition_of("3", "U-3", "{}");
    struct schema_definition fourth = definition_of("4", "", "{}");
    struct error err = { 0 };

    begin();
    CHECK(!catalog_cache_lists(&place, CATALOG_ACCEPTED, &third));
    CHECK(catalog_cache_note(&place, CATALOG_ACCEPTED, "3", &err));
    CHECK(catalog_cache_note(&place, CATALOG_ACCEPTED, "33", &err));
    CHECK(catalog_cache_note(&place, CATALOG_ACCEPTED, "3", &err));
    CHECK(catalog_cache_lists(&place, CATALOG_ACCEPTED, &third));
    CHECK(!catalog_cache_lists(&place, CATALOG_ACCEPTED, &fourth));
    CHECK(!catalog_cache_lists(&place, CATALOG_REFUSED, &third));
    CHECK(catalog_cache_note(&place, CATALOG_REFUSED, "u-3", &err));
    CHECK(catalog_cache_lists(&place, CATALOG_REFUSED, &third));
    end();
}

static void a_list_does_not_grow_without_end(void)
{
    struct schema_definition last = definition_of("3999", "", "{}");
    char path[FOLDER_PATH_SIZE];
    struct stat info;
    struct error err = { 0 };
    char *filler = mem_alloc(65600);

    begin();
    CHECK(catalog_cache_note(&place, CATALOG_REFUSED, "1", &err));
    find_file(".refused", path);
    memset(filler, '\n', 65500);
    CHECK(file_replace(path, (struct str){ filler, 65500 }, &err));
    CHECK(catalog_cache_note(&place, CATALOG_REFUSED, "3999", &err));
    CHECK(catalog_cache_lists(&place, CATALOG_REFUSED, &last));
    CHECK(stat(path, &info) == 0 && info.st_size < 65536);
    mem_free(filler);
    end();
}

static struct scripted script;

static struct catalog *create_catalog(const struct catalog_pin *pin)
{
    struct catalog *catalog;

    scripted_init(&script);
    scripted_fail(&script, ERR_UNREACHABLE, "down");
    catalog = catalog_create(&(struct catalog_options){
        .registry = scripted_registry(&script),
        .refresh_us = 1000000,
        .cache_dir = dir,
        .pins = pin,
        .pin_count = pin ? 1 : 0,
    });
    (void)catalog_add(catalog, "R", "S");
    return catalog;
}

static struct catalog_status load(const struct catalog_pin *pin)
{
    struct catalog *catalog = create_catalog(pin);
    struct catalog_status status;

    catalog_load_cached(catalog);
    catalog_status(catalog, 0, &status);
    CHECK_INT(script.asks, 0);
    catalog_destroy(catalog);
    scripted_done(&script);
    return status;
}

static void a_start_takes_what_is_kept_without_asking(void)
{
    static const struct {
        const char *name;
        const char *text;
        struct catalog_pin pin;
        bool usable;
    } cases[] = {
        { "latest", "{}", { 0 }, true },
        { "pinned by number", "{}", { "R/S", "5" }, true },
        { "pinned by uuid", "{}", { "R/S", "U-1" }, true },
        { "pinned to another", "{}", { "R/S", "6" }, false },
        { "no JSON", "{", { 0 }, false },
        { "no schema", "{\"type\":5}", { 0 }, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct catalog_status status;

        TEST_CASE(cases[i].name);
        begin();
        write("5", cases[i].text);
        status = load(cases[i].pin.schema ? &cases[i].pin : NULL);
        CHECK_INT(status.usable, cases[i].usable);
        CHECK_STR(str_from_c(status.version), cases[i].usable ? "5" : "");
        end();
    }
}

static void a_failing_registry_changes_nothing_after_that(void)
{
    struct catalog *catalog;
    struct catalog_status status;
    struct schema_definition out = { 0 };
    struct error err = { 0 };

    begin();
    write("5", "{}");
    catalog = create_catalog(NULL);
    catalog_load(catalog);
    catalog_status(catalog, 0, &status);
    CHECK(status.usable && status.failed == 1);
    CHECK_STR(str_from_c(status.version), "5");

    scripted_give(&script, "6", "{\"type\":\"object\"}"); /* and what comes then is kept */
    catalog_load(catalog);
    CHECK(catalog_cache_read(&place, &out, &err));
    CHECK_STR(str_from_c(out.version), "6");
    schema_definition_done(&out);
    catalog_destroy(catalog);
    scripted_done(&script);
    end();
}

static void who_is_retired_writes_no_more(void)
{
    struct schema_definition kept = { 0 };
    struct error err = { 0 };
    struct catalog *catalog;

    begin();
    catalog = create_catalog(NULL);
    scripted_give(&script, "1", "{}");
    catalog_load(catalog);
    catalog_retire(catalog);
    scripted_give(&script, "2", "{\"title\":\"later\"}");
    catalog_load(catalog);
    CHECK(catalog_cache_read(&place, &kept, &err));
    CHECK_STR(str_from_c(kept.version), "1");
    schema_definition_done(&kept);
    catalog_destroy(catalog);
    scripted_done(&script);
    end();
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(what_is_kept_comes_back);
    RUN(nobody_else_may_look);
    RUN(each_schema_has_its_own_files);
    RUN(whatever_is_damaged_is_told);
    RUN(without_a_folder_nothing_is_kept);
    RUN(says_when_it_cannot_write);
    RUN(lists_know_versions_by_number_and_uuid);
    RUN(a_list_does_not_grow_without_end);
    RUN(a_start_takes_what_is_kept_without_asking);
    RUN(a_failing_registry_changes_nothing_after_that);
    RUN(who_is_retired_writes_no_more);
    return test_end();
}
