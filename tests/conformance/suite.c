/*
 * suite.c - the official JSON Schema test suite, whole, through checker and reporter.
 *
 *     suite [FOLDER]      default $JSON_SCHEMA_SUITE, else the Debian package's place
 *
 * Of the required tests all must pass, and there must be as many as we know of, so that an empty
 * folder fails. Optional tests that do not pass are listed by name with a reason in misses.txt; a
 * miss that is not listed fails the run, and so does a listed one that passes. Formats are asserted
 * for optional/format alone. Each test runs four times: checked and reported, read with and without
 * symbols; all four must agree.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "schema/schema.h"

#define PACKAGE "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance"
#define MISSES  "tests/conformance/misses.txt"
#define REMOTE  "http://localhost:1234"

enum { FILE_MAX = 16 * 1024 * 1024, REMOTES_MAX = 256, PERCENT_OPTIONAL = 95 };

struct score {
    unsigned passed;
    unsigned total;
};

struct run {
    struct arena *arena;
    const char *suite;
    const char *draft_name; /* the folder */
    enum schema_draft draft;
    struct schema_resource remotes[REMOTES_MAX];
    size_t remote_count;
    bool assert_formats;
    struct str misses;
    unsigned faults;
};

static const struct flat_options deep = { .max_depth = JSON_DEPTH_LIMIT };

/* Files. */

static const struct flat *read_json(struct run *run, const char *path)
{
    const struct flat *document = NULL;
    struct str text = { NULL, 0 };
    struct error err = { 0 };

    if (!file_read(path, FILE_MAX, &text, &err) ||
        !flat_read(run->arena, text, &deep, &document, &err)) {
        printf("%s: %s\n", path, err.text);
        run->faults++;
    }
    arena_own(run->arena, (void *)text.ptr, mem_free);
    return document;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Everything below `path` that ends in .json, in order; `visit` is told the path from the suite. */
static void each_file(struct run *run, const char *path, bool recurse,
                      void (*visit)(struct run *, const char *))
{
    struct dirent **entries;
    struct str folder = arena_printf(run->arena, "%s/%s", run->suite, path);
    int count = scandir(folder.ptr, &entries, is_visible, alphasort);

    for (int i = 0; i < count; i++) {
        struct str child = arena_printf(run->arena, "%s/%s", path, entries[i]->d_name);

        if (str_ends_with(child, STR(".json")))
            visit(run, child.ptr);
        else if (recurse)
            each_file(run, child.ptr, true, visit);
        mem_free(entries[i]);
    }
    if (count >= 0)
        mem_free(entries);
}

/* Remotes of other drafts stay out: some have a meaning in their own draft only. */
static void add_remote(struct run *run, const char *path)
{
    struct str name = str_from(str_from_c(path), strlen("remotes"));
    struct str own = arena_printf(run->arena, "/%s/", run->draft_name);
    bool foreign = str_starts_with(name, STR("/draft")) && !str_starts_with(name, own) &&
                   !str_matches_glob(name, STR("/draft*/ignore-*")) &&
                   !str_matches_glob(name, STR("/draft*/dependentRequired.json")) &&
                   !str_matches_glob(name, STR("/draft*/prefixItems.json"));

    if (foreign || run->remote_count == REMOTES_MAX)
        return;
    run->remotes[run->remote_count++] = (struct schema_resource){
        .uri = arena_printf(run->arena, REMOTE "%.*s", STR_ARG(name)).ptr,
        .document = read_json(run, arena_printf(run->arena, "%s/%s", run->suite, path).ptr),
    };
}

/* One test. */

static bool reports_as(struct run *run, const struct schema *schema, const struct flat *instance,
                       bool valid)
{
    const struct schema_report_options options = { .max_errors = 3 };
    struct schema_report report;
    enum schema_verdict verdict =
        schema_report(schema, instance, &options, NULL, run->arena, &report);

    if (valid)
        return verdict == SCHEMA_VALID && report.count == 0 && report.best.error.len == 0;
    return verdict == SCHEMA_INVALID && report.count > 0 && report.count <= 3 &&
           report.units[0].error.len > 0 && report.best.error.len > 0;
}

static bool agrees(struct run *run, const struct schema *schema, const struct flat *instance,
                   bool valid)
{
    return schema_check(schema, instance, NULL) == (valid ? SCHEMA_VALID : SCHEMA_INVALID) &&
           reports_as(run, schema, instance, valid);
}

/* The same with the schema's keys known to the reader. */
static bool agrees_with_symbols(struct run *run, const struct flat *document,
                                const struct flat *instance, bool valid)
{
    struct json_symbols *symbols = json_symbols_create(1 << 16);
    const struct flat_options reading = { .max_depth = JSON_DEPTH_LIMIT, .symbols = symbols };
    const struct schema_options options = {
        .draft = run->draft,
        .assert_formats = run->assert_formats,
        .resources = run->remotes,
        .resource_count = run->remote_count,
        .symbols = symbols,
    };
    struct schema *schema = NULL;
    const struct flat *copy = NULL;
    struct error err;
    bool ok = schema_compile(document, &options, &schema, &err) &&
              flat_read(run->arena, flat_text(run->arena, instance), &reading, &copy, &err) &&
              agrees(run, schema, copy, valid) && agrees(run, schema, instance, valid);

    schema_destroy(schema);
    json_symbols_destroy(symbols);
    return ok;
}

static bool is_listed(const struct run *run, struct str name)
{
    struct str line = { run->misses.ptr, 0 };

    for (size_t at = 0; at < run->misses.len; at += line.len + 1) {
        const char *end = memchr(run->misses.ptr + at, '\n', run->misses.len - at);

        line.ptr = run->misses.ptr + at;
        line.len = end ? (size_t)(end - line.ptr) : run->misses.len - at;
        if (str_starts_with(line, name) && str_starts_with(str_from(line, name.len), STR(" -- ")))
            return true;
    }
    return false;
}

static void judge(struct run *run, struct str name, bool ok, const char *why)
{
    bool listed = is_listed(run, name);

    if (ok == !listed)
        return;
    run->faults++;
    printf("%s %.*s%s%s\n", ok ? "LISTED BUT PASSES" : "FAILED", STR_ARG(name), why[0] ? ": " : "",
           why);
}

static struct score run_group(struct run *run, const char *path, const struct flat *group)
{
    const struct schema_options options = {
        .draft = run->draft,
        .assert_formats = run->assert_formats,
        .resources = run->remotes,
        .resource_count = run->remote_count,
    };
    struct score score = { 0 };
    struct schema *schema = NULL;
    const struct flat *document = flat_find(group, STR("schema"));
    const struct flat *tests = flat_find(group, STR("tests"));
    struct error err = { 0 };
    bool compiled = schema_compile(document, &options, &schema, &err);

    for (FLAT_EACH(test, tests)) {
        const struct flat *instance = flat_find(test, STR("data"));
        bool expected = flat_is_true(flat_find(test, STR("valid")));
        bool ok = compiled && agrees(run, schema, instance, expected) &&
                  agrees_with_symbols(run, document, instance, expected);
        struct str description = flat_find_str(group, STR("description"));
        struct str detail = flat_find_str(test, STR("description"));
        struct str name = arena_printf(run->arena, "%s: %.*s: %.*s", path + strlen("tests/"),
                                       STR_ARG(description), STR_ARG(detail));

        judge(run, name, ok, err.text);
        score.passed += ok;
        score.total++;
    }
    schema_destroy(schema);
    return score;
}

static struct score *tally; /* of the folder at work */

static void run_file(struct run *run, const char *path)
{
    const struct flat *groups =
        read_json(run, arena_printf(run->arena, "%s/%s", run->suite, path).ptr);

    if (!groups)
        return;
    for (FLAT_EACH(group, groups)) {
        struct score score = run_group(run, path, group);

        tally->passed += score.passed;
        tally->total += score.total;
    }
}

static struct score run_folder(struct run *run, const char *below, bool assert_formats)
{
    struct score score = { 0 };
    struct str path = arena_printf(run->arena, "tests/%s%s", run->draft_name, below);

    tally = &score;
    run->assert_formats = assert_formats;
    each_file(run, path.ptr, false, run_file);
    return score;
}

static void require(struct run *run, bool ok, const char *what)
{
    if (ok)
        return;
    printf("%s: %s\n", run->draft_name, what);
    run->faults++;
}

static bool is_most(struct score score)
{
    return score.passed * 100 >= score.total * PERCENT_OPTIONAL;
}

static void run_draft(struct run *run, unsigned known)
{
    run->remote_count = 0;
    each_file(run, "remotes", true, add_remote);

    struct score required = run_folder(run, "", false);
    struct score optional = run_folder(run, "/optional", false);
    struct score formats = run_folder(run, "/optional/format", true);

    printf("%-13s required %u/%u  optional %u/%u  formats %u/%u\n", run->draft_name,
           required.passed, required.total, optional.passed, optional.total, formats.passed,
           formats.total);
    require(run, required.total >= known, "tests are missing");
    require(run, required.passed == required.total, "not all required tests pass");
    require(run, is_most(optional), "too few optional tests pass");
    require(run, is_most(formats), "too few format tests pass");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum schema_draft draft;
        unsigned known;
    } drafts[] = {
        { "draft4", SCHEMA_DRAFT_4, 578 },
        { "draft6", SCHEMA_DRAFT_6, 777 },
        { "draft7", SCHEMA_DRAFT_7, 861 },
        { "draft2019-09", SCHEMA_DRAFT_2019_09, 1176 },
        { "draft2020-12", SCHEMA_DRAFT_2020_12, 1176 },
    };
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    const char *from_environment = getenv("JSON_SCHEMA_SUITE");
    unsigned faults = 0;
    struct str misses;
    struct error err = { 0 };

    if (!file_read(MISSES, FILE_MAX, &misses, &err)) {
        printf("%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < COUNT_OF(drafts); i++) {
        struct run run = {
            .arena = arena_create(),
            .suite = from_environment ? from_environment
                     : argc > 1       ? argv[1]
                                      : PACKAGE,
            .draft_name = drafts[i].name,
            .draft = drafts[i].draft,
            .misses = misses,
        };

        run_draft(&run, drafts[i].known);
        faults += run.faults;
        arena_destroy(run.arena);
    }
    mem_free((char *)misses.ptr);
    return faults > 0;
}
