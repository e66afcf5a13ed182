/*
 * cmd_validate.c - `sluice validate`: JSON documents against a JSON Schema, a line of output each.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "schema/schema.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/lines.h"
#include "server/cli/progress.h"

enum {
    RESOURCE_MAX = 64,
    SCHEMA_BYTES_MAX = 64 * 1024 * 1024,
    INSTANCE_BYTES_MAX = 256 * 1024 * 1024,
    OUTPUT_MAX = 1024 * 1024 * 1024,
    ERRORS_MAX = 10000,       /* printed for one instance */
    BUDGET_US = 5 * US_PER_S, /* for one instance; only hostile schemas reach it */
};

struct arguments {
    struct arena *arena; /* for the schema's documents */
    const char *schema;
    bool flag_only;
    struct schema_options compiling;
    struct schema_resource resources[RESOURCE_MAX];
    const char *resource_files[RESOURCE_MAX];
    char **instances;
    int instance_count;
};

struct validation {
    const struct schema *schema;
    bool flag_only;
    bool any_invalid;
    bool dangling;  /* an instance reached a $ref without a target */
    bool on_screen; /* the results go to a terminal, so the progress bar gives way to them */
    struct progress progress;
};

/* Reading documents. */

static bool read_document(struct arena *arena, const char *path, const struct flat **out,
                          struct error *err)
{
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    struct str text;

    if (!file_read(path, SCHEMA_BYTES_MAX, &text, err))
        return false;
    arena_own(arena, (void *)text.ptr, mem_free);
    return flat_read(arena, text, &options, out, err) || fail_within(err, path);
}

static bool read_resources(struct arguments *arguments, struct error *err)
{
    for (size_t i = 0; i < arguments->compiling.resource_count; i++)
        if (!read_document(arguments->arena, arguments->resource_files[i],
                           &arguments->resources[i].document, err))
            return fail_within(err, "--resource");
    arguments->compiling.resources = arguments->resources;
    return true;
}

/* The command line. */

static bool read_draft(void *self, const char *value, struct error *err)
{
    struct arguments *arguments = self;

    return schema_draft_parse(str_from_c(value), &arguments->compiling.draft) ||
           fail(err, ERR_INVALID, "--draft is 4, 6, 7, 2019-09 or 2020-12, not %s", value);
}

static bool read_output(void *self, const char *value, struct error *err)
{
    struct arguments *arguments = self;

    arguments->flag_only = strcmp(value, "flag") == 0;
    return arguments->flag_only || strcmp(value, "basic") == 0 ||
           fail(err, ERR_INVALID, "--output is flag or basic, not %s", value);
}

/* The URI stays in the argument, which is cut at its last '='. */
static bool read_resource(void *self, const char *value, struct error *err)
{
    struct arguments *arguments = self;
    size_t at = arguments->compiling.resource_count;
    char *equals = strrchr(value, '=');

    if (!equals || equals == value || at == RESOURCE_MAX)
        return fail(err, ERR_INVALID, "--resource wants URI=FILE, at most 64 of them: %s", value);
    *equals = '\0';
    arguments->resources[at].uri = value;
    arguments->resource_files[at] = equals + 1;
    arguments->compiling.resource_count++;
    return true;
}

/* Verdicts. */

static void clear_progress(struct validation *run)
{
    if (run->on_screen)
        progress_end(&run->progress);
}

static void print_invalid(struct validation *run, const struct schema_report *report)
{
    CLEANUP(buf_done) struct buf line;

    buf_init(&line, OUTPUT_MAX);
    run->any_invalid = true;
    clear_progress(run);
    if (run->flag_only) {
        (void)puts("{\"valid\":false}");
        return;
    }
    buf_add(&line, STR("{\"valid\":false,\"errors\":["));
    for (size_t i = 0; i < report->count; i++) {
        if (i > 0)
            buf_add_char(&line, ',');
        schema_unit_write(&line, &report->units[i]);
    }
    buf_add(&line, report->truncated ? STR("],\"truncated\":true}\n") : STR("]}\n"));
    (void)fwrite(line.ptr, 1, line.len, stdout);
}

/* The instance could not be checked. */
static void print_reason(struct validation *run, struct str why)
{
    const struct schema_unit unit = { STR(""), STR(""), why };

    print_invalid(run, &(struct schema_report){ .units = &unit, .count = 1 });
}

static void check_instance(struct validation *run, struct arena *arena, const struct flat *instance)
{
    const struct schema_report_options options = { .max_errors = ERRORS_MAX };
    struct schema_budget budget = schema_budget(BUDGET_US);
    struct schema_report report = { 0 };
    enum schema_verdict verdict = schema_check(run->schema, instance, &budget);

    if (verdict == SCHEMA_VALID) {
        clear_progress(run);
        (void)puts("{\"valid\":true}");
        return;
    }
    if (verdict == SCHEMA_INVALID && !run->flag_only)
        verdict = schema_report(run->schema, instance, &options, &budget, arena, &report);
    run->dangling = run->dangling || verdict == SCHEMA_DANGLING;
    if (verdict != SCHEMA_INVALID)
        print_reason(run, verdict == SCHEMA_TOO_EXPENSIVE
                              ? STR("too expensive to check")
                              : str_from_c(schema_verdict_text(verdict)));
    else
        print_invalid(run, &report);
}

static void check_text(struct validation *run, struct str text)
{
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    struct arena *arena = arena_create();
    const struct flat *instance = NULL;
    struct error err = { 0 };

    if (flat_read(arena, text, &options, &instance, &err))
        check_instance(run, arena, instance);
    else
        print_reason(run, arena_printf(arena, "Invalid JSON %s", err.text));
    arena_destroy(arena);
}

static bool check_lines(struct validation *run, int fd, struct error *err)
{
    struct lines lines;
    struct stat file = { 0 };
    struct str line;

    (void)fstat(fd, &file);
    progress_start(&run->progress, S_ISREG(file.st_mode) ? (uint64_t)file.st_size : 0);
    lines_init(&lines, fd, INSTANCE_BYTES_MAX);
    while (lines_next(&lines, &line, err)) {
        if (str_trim(line).len > 0)
            check_text(run, line);
        progress_add(&run->progress, line.len + 1);
    }
    progress_end(&run->progress);
    lines_done(&lines);
    return err->code == ERR_NONE;
}

static bool check_file(struct validation *run, const char *path, struct error *err)
{
    struct str text;

    if (strcmp(path, "-") == 0)
        return check_lines(run, STDIN_FILENO, err);
    if (str_ends_with(str_from_c(path), STR(".ndjson"))) {
        CLEANUP(file_close) int fd = -1;

        return file_open(path, &fd, err) && check_lines(run, fd, err);
    }
    if (!file_read(path, INSTANCE_BYTES_MAX, &text, err))
        return false;
    check_text(run, text);
    mem_free((void *)text.ptr);
    return true;
}

static int check_all(const struct arguments *arguments, const struct schema *schema,
                     struct error *err)
{
    char *const standard_input[] = { (char[]){ "-" } };
    struct validation run = {
        .schema = schema,
        .flag_only = arguments->flag_only,
        .on_screen = isatty(STDOUT_FILENO) == 1,
    };
    bool any = arguments->instance_count > 0;
    char *const *instances = any ? arguments->instances : standard_input;

    for (int i = 0; i < (any ? arguments->instance_count : 1); i++)
        if (!check_file(&run, instances[i], err))
            return COMMAND_ENVIRONMENT;
    if (run.dangling)
        return COMMAND_ENVIRONMENT;
    return run.any_invalid ? COMMAND_NO : COMMAND_OK;
}

static void print_schema_warnings(const char *file, const struct schema *schema)
{
    size_t count;
    const struct str *warnings = schema_warnings(schema, &count);

    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, "sluice validate: warning: %s: %.*s\n", file, STR_ARG(warnings[i]));
}

static int validate(struct arguments *arguments, struct error *err)
{
    const struct flat *document = NULL;
    struct schema *schema = NULL;

    if (!read_resources(arguments, err) ||
        !read_document(arguments->arena, arguments->schema, &document, err))
        return COMMAND_ENVIRONMENT;
    if (!schema_compile(document, &arguments->compiling, &schema, err)) {
        (void)fail_within(err, arguments->schema);
        return COMMAND_ENVIRONMENT;
    }
    print_schema_warnings(arguments->schema, schema);

    int status = check_all(arguments, schema, err);

    schema_destroy(schema);
    return status;
}

int cmd_validate(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    const struct cli_option options[] = {
        { "schema", 0, "FILE", "the schema", .text = &arguments.schema },
        { "draft", 0, "D",
          "4, 6, 7, 2019-09 or 2020-12, for a schema without $schema;\n"
          "default 2020-12",
          .read = read_draft, .self = &arguments },
        { "assert-formats", 0, NULL, "a `format` that does not hold is an error",
          .flag = &arguments.compiling.assert_formats },
        { "output", 0, "flag|basic", "only the verdict, or the errors too; default basic",
          .read = read_output, .self = &arguments },
        { "resource", 0, "URI=FILE", "a document that $ref may reach; any number of times",
          .read = read_resource, .self = &arguments },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice validate --schema FILE [OPTION...] [INSTANCE...|-]",
        .about = "Check each INSTANCE and print a line for it: {\"valid\":true}, or\n"
                 "{\"valid\":false,\"errors\":[...]}. A file is one JSON document. A file whose "
                 "name ends in .ndjson,\n"
                 "and standard input (- or no INSTANCE), is one document a line. A document that "
                 "is not JSON, or\n"
                 "cannot be checked in 5 seconds, is invalid. After 10,000 errors follows "
                 "\"truncated\":true.\n",
        .ending = "Exits with 0 when all are valid, 1 when any is invalid, 2 for a wrong call, 3 "
                  "for a schema or a\n"
                  "file that cannot be used.\n",
        .options = options,
        .max_arguments = INT_MAX,
    };
    struct cli cli;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!arguments.schema)
        return cli_refuse("validate", "--schema FILE is missing");
    arguments.instances = cli.arguments;
    arguments.instance_count = cli.argument_count;
    arguments.arena = arena_create();
    status = validate(&arguments, &err);
    if (err.text[0])
        cli_complain("validate", err.text);
    arena_destroy(arguments.arena);
    return status;
}
