/*
 * cmd_validate.c - `sluice validate`: JSON documents against a JSON Schema, a line of output each.
 */
#include <fcntl.h>
#include <getopt.h>
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

/* What the tree of one document may take; a hundred times less would do for most. */
#define TREE_MAX ((size_t)2 << 30)

enum {
    RESOURCE_MAX = 64,
    SCHEMA_BYTES_MAX = 64 * 1024 * 1024,
    INSTANCE_BYTES_MAX = 256 * 1024 * 1024,
    OUTPUT_MAX = 1024 * 1024 * 1024,
    ERRORS_MAX = 10000,       /* told of one instance */
    BUDGET_US = 5 * US_PER_S, /* for one instance; only a schema made to be slow needs it */
};

static const char usage_text[] =
    "Usage: sluice validate --schema FILE [OPTION...] [INSTANCE...|-]\n"
    "\n"
    "Check each INSTANCE and print a line for it: {\"valid\":true}, or "
    "{\"valid\":false,\"errors\":[...]}.\n"
    "A file is one JSON document; a file whose name ends in .ndjson, and standard input (- or no\n"
    "INSTANCE), is one document a line. What is not JSON is invalid, and so is what cannot be "
    "checked\n"
    "in 5 seconds. Behind the first 10,000 errors stands \"truncated\":true.\n"
    "\n"
    "      --schema FILE        the schema\n"
    "      --draft D            4, 6, 7, 2019-09 or 2020-12, for a schema without $schema;\n"
    "                           default 2020-12\n"
    "      --assert-formats     a `format` that does not hold is an error\n"
    "      --output flag|basic  only the verdict, or the errors too; default basic\n"
    "      --resource URI=FILE  a document that $ref may reach; any number of times\n"
    "  -h, --help               this text\n"
    "\n"
    "Exits with 0 when all are valid, 1 when any is invalid, 2 for a wrong call, 3 for a schema or "
    "a\n"
    "file that cannot be used.\n";

struct arguments {
    const char *schema;
    bool flag_only;
    bool unreadable; /* what is wrong is a file, not the call */
    struct schema_options compiling;
    struct schema_resource resources[RESOURCE_MAX];
    char **instances;
    int instance_count;
};

struct run {
    const struct schema *schema;
    bool flag_only;
    bool any_invalid;
    bool leads_nowhere; /* an instance reached a $ref that does */
    bool on_screen;     /* the results are read on a terminal, where the bar may be in their way */
    struct progress progress;
};

static bool complain(const char *text, const char *what)
{
    (void)fprintf(stderr, "sluice validate: %s%s\n", text, what);
    return false;
}

/* Reading documents. */

static bool read_document(const char *path, struct json_object **out, struct error *err)
{
    const struct json_read_options options = { .max_depth = JSON_DEPTH_LIMIT };
    struct str text;

    if (!file_read(path, SCHEMA_BYTES_MAX, &text, err))
        return false;

    bool ok = json_read(text, &options, out, err);

    mem_free((void *)text.ptr);
    return ok || fail_within(err, path);
}

/* `URI=FILE`; the URI stays in the argument, cut at its last `=`. */
static bool add_resource(struct arguments *arguments, char *text)
{
    char *equals = strrchr(text, '=');
    struct error err = { 0 };
    size_t at = arguments->compiling.resource_count;

    if (!equals || equals == text || at == RESOURCE_MAX)
        return complain("--resource wants URI=FILE, at most 64 of them: ", text);
    arguments->unreadable = true;
    if (!read_document(equals + 1, &arguments->resources[at].document, &err))
        return complain("--resource: ", err.text);
    arguments->unreadable = false;
    *equals = '\0';
    arguments->resources[at].uri = text;
    arguments->compiling.resource_count++;
    return true;
}

static void end_arguments(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->compiling.resource_count; i++)
        json_release(arguments->resources[i].document);
}

/* The command line. */

static bool set_output(struct arguments *arguments, const char *text)
{
    arguments->flag_only = strcmp(text, "flag") == 0;
    return arguments->flag_only || strcmp(text, "basic") == 0 ||
           complain("--output is flag or basic, not ", text);
}

static bool take_option(struct arguments *arguments, int option)
{
    switch (option) {
    case 's':
        arguments->schema = optarg;
        return true;
    case 'd':
        return schema_draft_parse(str_from_c(optarg), &arguments->compiling.draft) ||
               complain("--draft is 4, 6, 7, 2019-09 or 2020-12, not ", optarg);
    case 'f':
        arguments->compiling.assert_formats = true;
        return true;
    case 'o':
        return set_output(arguments, optarg);
    case 'r':
        return add_resource(arguments, optarg);
    default:
        return complain("unknown option, or one without its value", "");
    }
}

/* COMMAND_OK with a schema set: go on. */
static int take_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        { "schema", required_argument, NULL, 's' },
        { "draft", required_argument, NULL, 'd' },
        { "assert-formats", no_argument, NULL, 'f' },
        { "output", required_argument, NULL, 'o' },
        { "resource", required_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int option;

    optind = 0; /* getopt's state is the process's; begin anew */
    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage_text, stdout);
            arguments->schema = NULL;
            return COMMAND_OK;
        }
        if (!take_option(arguments, option))
            return arguments->unreadable ? COMMAND_ENVIRONMENT : COMMAND_USAGE;
    }
    if (!arguments->schema) {
        (void)complain("--schema FILE is missing; try --help", "");
        return COMMAND_USAGE;
    }
    arguments->compiling.resources = arguments->resources;
    arguments->instances = argv + optind;
    arguments->instance_count = argc - optind;
    return COMMAND_OK;
}

/* Verdicts. */

static void make_room(struct run *run)
{
    if (run->on_screen)
        progress_end(&run->progress);
}

static void print_invalid(struct run *run, const struct schema_report *report)
{
    CLEANUP(buf_done) struct buf line;

    buf_init(&line, OUTPUT_MAX);
    run->any_invalid = true;
    make_room(run);
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

/* The instance is wrong as a whole. */
static void print_reason(struct run *run, struct str why)
{
    const struct schema_unit unit = { STR(""), STR(""), why };

    print_invalid(run, &(struct schema_report){ .units = &unit, .count = 1 });
}

static void judge(struct run *run, struct arena *arena, struct json_object *instance)
{
    const struct schema_report_options options = { .max_errors = ERRORS_MAX };
    struct schema_budget budget = schema_budget(BUDGET_US);
    struct schema_report report = { 0 };
    enum schema_verdict verdict = schema_check(run->schema, instance, &budget);

    if (verdict == SCHEMA_VALID) {
        make_room(run);
        (void)puts("{\"valid\":true}");
        return;
    }
    if (verdict == SCHEMA_INVALID && !run->flag_only)
        verdict = schema_report(run->schema, instance, &options, &budget, arena, &report);
    run->leads_nowhere = run->leads_nowhere || verdict == SCHEMA_DANGLING;
    if (verdict != SCHEMA_INVALID)
        print_reason(run, verdict == SCHEMA_TOO_EXPENSIVE
                              ? STR("too expensive to check")
                              : str_from_c(schema_verdict_text(verdict)));
    else
        print_invalid(run, &report);
}

static void check_text(struct run *run, struct str text)
{
    const struct json_read_options options = {
        .max_depth = JSON_DEPTH_LIMIT,
        .max_memory = TREE_MAX,
    };
    struct arena *arena = arena_create();
    struct json_object *instance = NULL;
    struct error err = { 0 };

    if (json_read_in(arena, text, &options, &instance, &err)) {
        judge(run, arena, instance);
    } else if (err.code == ERR_TOO_EXPENSIVE) {
        print_reason(run, str_from_c(err.text));
    } else {
        print_reason(run, arena_printf(arena, "Invalid JSON %s", err.text));
    }
    arena_destroy(arena);
}

static bool check_lines(struct run *run, int fd, struct error *err)
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

static bool check_file(struct run *run, const char *path, struct error *err)
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

static int check_all(const struct arguments *arguments, const struct schema *schema)
{
    char *const standard_input[] = { (char[]){ "-" } };
    struct run run = {
        .schema = schema,
        .flag_only = arguments->flag_only,
        .on_screen = isatty(STDOUT_FILENO) == 1,
    };
    struct error err = { 0 };
    bool any = arguments->instance_count > 0;
    char *const *instances = any ? arguments->instances : standard_input;

    for (int i = 0; i < (any ? arguments->instance_count : 1); i++) {
        if (!check_file(&run, instances[i], &err)) {
            (void)complain(err.text, "");
            return COMMAND_ENVIRONMENT;
        }
    }
    if (run.leads_nowhere)
        return COMMAND_ENVIRONMENT;
    return run.any_invalid ? COMMAND_NO : COMMAND_OK;
}

static void print_warnings(const char *file, const struct schema *schema)
{
    size_t count;
    const struct str *warnings = schema_warnings(schema, &count);

    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, "sluice validate: warning: %s: %.*s\n", file, STR_ARG(warnings[i]));
}

static int validate(const struct arguments *arguments)
{
    CLEANUP(json_cleanup) struct json_object *document = NULL;
    struct schema *schema = NULL;
    struct error err = { 0 };

    if (!read_document(arguments->schema, &document, &err)) {
        (void)complain(err.text, "");
        return COMMAND_ENVIRONMENT;
    }
    if (!schema_compile(document, &arguments->compiling, &schema, &err)) {
        (void)fail_within(&err, arguments->schema);
        (void)complain(err.text, "");
        return COMMAND_ENVIRONMENT;
    }

    print_warnings(arguments->schema, schema);

    int status = check_all(arguments, schema);

    schema_destroy(schema);
    return status;
}

int cmd_validate(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    int status = take_arguments(argc, argv, &arguments);

    if (status == COMMAND_OK && arguments.schema)
        status = validate(&arguments);
    end_arguments(&arguments);
    return status;
}
