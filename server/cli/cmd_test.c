/*
 * cmd_test.c - `sluice test`: events of a file through routes, schemas and transforms.
 *
 * It runs the code that answers POST /events, so its results are the server's. Nothing is stored
 * and no network is asked.
 */
#include <limits.h>
#include <stdio.h>

#include "base/embed.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/test_case.h"
#include "server/cli/test_report.h"
#include "settings/settings.h"

EMBED(test_schema, "conf/test.schema.json");

enum { DIFFERENCES_MAX = 64 * 1024 };

/* One file of tests. */
struct suite {
    const char *path;
    const struct config *config;
    const struct service *service;
    struct settings *settings;
    struct test_report *report;
};

static void end_settings(struct settings **settings)
{
    settings_destroy(*settings);
}

/* The event of a test, as JSON in the arena. */
static bool read_event(const struct suite *suite, struct setting *test, struct arena *arena,
                       struct str *body, struct error *err)
{
    struct setting event = settings_get(suite->settings, test, "event");
    struct setting file = settings_get(suite->settings, test, "event_file");
    const char *slash = strrchr(suite->path, '/');
    const char *path;

    if (event.is_default == file.is_default)
        return fail(err, ERR_CONFIG, "expected either event or event_file");
    if (!event.is_default) {
        *body = json_text(arena, event.value);
        return true;
    }
    path = json_object_get_string(file.value);
    if (*path != '/' && slash)
        path = arena_printf(arena, "%.*s/%s", (int)(slash - suite->path), suite->path, path).ptr;
    if (!file_read_regular(path, suite->config->http.max_body, body, err))
        return false;
    arena_own(arena, (void *)body->ptr, mem_free);
    return true;
}

static void run_test(const struct suite *suite, struct setting *test)
{
    struct arena *arena = arena_create();
    struct setting expect = settings_get(suite->settings, test, "expect");
    struct setting route = settings_get(suite->settings, test, "route");
    struct settings_problem place = settings_place(suite->settings, test->pointer);
    struct test_case one = {
        .name = json_find_str(test->value, "name"),
        .route = route.is_default ? STR_NONE : json_str(route.value),
        .expect = json_flatten(arena, expect.value),
    };
    struct buf differences;
    struct error err = { 0 };

    buf_init(&differences, DIFFERENCES_MAX);
    if (read_event(suite, test, arena, &one.body, &err))
        test_case_run(&one, suite->service, arena, &differences);
    else
        buf_printf(&differences, "%s\n", err.text);
    test_report_add(suite->report, arena_printf(arena, "%s:%zu", place.file, place.line), one.name,
                    buf_str(&differences));
    buf_done(&differences);
    arena_destroy(arena);
}

static bool run_file(struct suite *suite, const char *path, struct error *err)
{
    CLEANUP(end_settings) struct settings *settings = NULL;
    struct yaml_options options = { .file = path, .regular = true };
    struct setting root;
    struct setting tests;

    if (!settings_load(&options, EMBEDDED(test_schema), &settings, err))
        return false;
    for (size_t i = 0; i < settings_problem_count(settings); i++)
        (void)fprintf(stderr, "%s\n", settings_problem(settings, i)->text);
    if (settings_problem_count(settings) > 0)
        return fail(err, ERR_CONFIG, "%s: not a file of tests", path);
    suite->path = path;
    suite->settings = settings;
    root = settings_root(settings);
    tests = settings_get(settings, &root, "tests");
    for (size_t i = 0; i < json_count(tests.value); i++) {
        struct setting test = settings_at(settings, &tests, i);

        run_test(suite, &test);
    }
    return true;
}

/* Returns the exit status. */
static int run_files(const struct cli *cli, const struct config *config, const char *junit,
                     struct error *err)
{
    struct service *service;
    struct test_report report;
    bool ok = true;

    if (!service_create_offline(config, &service, err))
        return COMMAND_ENVIRONMENT;
    test_report_init(&report);

    struct suite suite = { .config = config, .service = service, .report = &report };

    for (int i = 0; ok && i < cli->argument_count; i++)
        ok = run_file(&suite, cli->arguments[i], err);
    test_report_print(&report);
    if (ok && junit)
        ok = test_report_write_junit(&report, junit, err);

    int status = report.failed > 0 ? COMMAND_NO : COMMAND_OK;

    test_report_done(&report);
    service_destroy(service);
    return ok ? status : COMMAND_ENVIRONMENT;
}

int cmd_test(int argc, char **argv)
{
    const char *junit = NULL;
    const struct cli_option options[] = {
        { "junit", 0, "FILE", "write the results there too, as XML", .text = &junit },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice test [-c FILE] [--junit FILE] TESTS.yaml...",
        .about = "Run each event of the files of tests through routes, schemas and transforms, and "
                 "compare what\n"
                 "becomes of it with what is expected. Prints TAP version 14. Nothing is stored, "
                 "sent or fetched;\n"
                 "of a registry other than files the versions in registry.cache_dir count.\n",
        .ending = "A file of tests: tests: [ { name: ..., event: {...}, expect: { status: 200, "
                  "record_has: {...} } } ].\n"
                  "Exits with 0 when all pass, 1 when one fails, 2 for a wrong call, 3 for a file "
                  "that cannot be used.\n",
        .options = options,
        .takes_config = true,
        .needs_files = true,
        .max_arguments = INT_MAX,
    };
    struct cli cli;
    struct config *config;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (cli.argument_count == 0)
        return cli_refuse("test", "name a file of tests");
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(LOG_ERROR, LOG_TEXT);
    status = run_files(&cli, config, junit, &err);
    if (err.text[0])
        cli_complain("test", err.text);
    config_destroy(config);
    return status;
}
