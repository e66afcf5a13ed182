/*
 * cmd_schema_change.c - `sluice schema` diff, register, create and open.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/flat.h"
#include "base/memory.h"
#include "schema/widen.h"
#include "server/cli/cmd_schema.h"
#include "server/cli/commands.h"
#include "server/cli/diff.h"

enum {
    OUTPUT_MAX = 64 * 1024 * 1024,
    DEFINITION_DEPTH = 256,
    PENDING_US = US_PER_MINUTE, /* how long Glue may take to decide */
    PENDING_LOOK_US = 300 * US_PER_MS,
    ANSWER_SIZE = 16,
};

static const char default_compatibility[] = "BACKWARD";

/* JSON text formatted for people; other text unchanged. In the arena. */
static struct str pretty(struct arena *arena, struct str text)
{
    const struct flat_options reading = { .max_depth = DEFINITION_DEPTH };
    struct buf *out = arena_buf(arena, OUTPUT_MAX);
    const struct flat *document;
    struct error err = { 0 };

    if (!flat_read(arena, text, &reading, &document, &err))
        return text;
    flat_write_pretty(out, document);
    return buf_str(out);
}

static bool read_file(const struct schema_cli *cli, const char *path, struct str *out,
                      struct error *err)
{
    struct str text;

    if (!file_read(path, REGISTRY_DEFINITION_MAX, &text, err))
        return false;
    *out = arena_copy(cli->arena, text);
    mem_free((void *)text.ptr);
    return true;
}

static bool is_version(const char *name)
{
    int64_t number;

    return strcmp(name, "latest") == 0 || glue_is_uuid(str_from_c(name)) ||
           glue_is_number(str_from_c(name), &number);
}

/* A version's definition, or a file. */
static bool find_text(const struct schema_cli *cli, const char *name, struct str *out,
                      struct error *err)
{
    struct glue_version version = { 0 };
    struct str text;

    if (is_version(name)) {
        if (!schema_cli_get(cli, strcmp(name, "latest") == 0 ? NULL : name, &version, err))
            return false;
        text = version.definition;
    } else if (!read_file(cli, name, &text, err)) {
        return false;
    }
    *out = pretty(cli->arena, text);
    return true;
}

int schema_cli_diff(const struct schema_cli *cli)
{
    struct diff_text from = { .name = cli->arguments[0] };
    struct diff_text to = { .name = cli->arguments[1] };
    struct error err = { 0 };
    bool differs = false;

    if (!find_text(cli, from.name, &from.text, &err) || !find_text(cli, to.name, &to.text, &err) ||
        !diff_print(&from, &to, &differs, &err))
        return schema_cli_complain(&err);
    return differs ? COMMAND_NO : COMMAND_OK;
}

static struct glue_schema schema_of(const struct schema_cli *cli)
{
    return (struct glue_schema){ cli->registry, cli->schema };
}

/* Glue gives no reason for status FAILURE; only the compatibility mode can be one. */
static bool fail_incompatible(const struct schema_cli *cli, const struct glue_version *version,
                              struct error *err)
{
    const struct glue_schema schema = schema_of(cli);
    struct error why = { 0 };
    struct str mode = STR("unknown");

    if (!glue_get_compatibility(cli->glue, &schema, cli->arena, &mode, &why))
        cli_complain("schema", why.text);
    return fail(err, ERR_INVALID,
                "AWS Glue refuses version %" PRId64 " (status FAILURE): the schema's compatibility "
                "mode is %.*s, and this definition breaks it",
                version->number, STR_ARG(mode));
}

/* Wait until Glue has decided about a registered version. */
static bool await_decision(const struct schema_cli *cli, struct glue_version *version,
                           struct error *err)
{
    int64_t end_us = clock_monotonic_us() + PENDING_US;
    const char *uuid = arena_copy(cli->arena, version->uuid).ptr;

    while (str_equal(version->status, STR("PENDING")) || version->status.len == 0) {
        if (clock_monotonic_us() > end_us)
            return fail(err, ERR_UNAVAILABLE, "version %" PRId64 " is still PENDING",
                        version->number);
        clock_sleep(PENDING_LOOK_US);
        if (!schema_cli_get(cli, uuid, version, err))
            return false;
    }
    if (str_equal(version->status, STR("AVAILABLE")))
        return true;
    if (str_equal(version->status, STR("FAILURE")))
        return fail_incompatible(cli, version, err);
    return fail(err, ERR_INVALID, "version %" PRId64 " is %.*s", version->number,
                STR_ARG(version->status));
}

/* Not every Glue has this call, and not every role may make it. Registering checks again. */
static bool check_in_glue(const struct schema_cli *cli, struct str definition, struct error *err)
{
    struct error why = { 0 };

    if (glue_check_definition(cli->glue, definition, &why))
        return true;
    if (why.code == ERR_INVALID) {
        *err = why;
        return false;
    }
    (void)fprintf(stderr, "sluice schema: warning: not checked by AWS Glue: %s\n", why.text);
    return true;
}

/* Check it here and in Glue, register it, and wait for the decision. */
static bool publish(const struct schema_cli *cli, struct str definition,
                    struct glue_version *version, struct error *err)
{
    const struct glue_registration registration = { .schema = schema_of(cli),
                                                    .definition = definition };

    return schema_cli_compile(cli, definition, err) && check_in_glue(cli, definition, err) &&
           glue_register_version(cli->glue, &registration, cli->arena, version, err) &&
           await_decision(cli, version, err);
}

static int publish_and_report(const struct schema_cli *cli, struct str definition)
{
    struct glue_version version = { 0 };
    struct error err = { 0 };

    if (!publish(cli, definition, &version, &err))
        return schema_cli_complain(&err);
    (void)printf("%s/%s: version %" PRId64 " (%.*s) is AVAILABLE\n", cli->registry, cli->schema,
                 version.number, STR_ARG(version.uuid));
    return COMMAND_OK;
}

int schema_cli_register(const struct schema_cli *cli)
{
    struct str definition = STR_NONE;
    struct error err = { 0 };

    if (!read_file(cli, cli->arguments[0], &definition, &err))
        return schema_cli_complain(&err);
    return publish_and_report(cli, definition);
}

static void print_created(const char *what, const char *name, bool existed)
{
    (void)printf("%s %s: %s\n", what, name, existed ? "is there already" : "created");
}

int schema_cli_create(const struct schema_cli *cli)
{
    struct glue_registration registration = {
        .schema = schema_of(cli),
        .compatibility = cli->compatibility ? cli->compatibility : default_compatibility,
    };
    struct error err = { 0 };
    bool existed = false;

    if (cli->argument_count &&
        (!read_file(cli, cli->arguments[0], &registration.definition, &err) ||
         !schema_cli_compile(cli, registration.definition, &err)))
        return schema_cli_complain(&err);
    if (!glue_create_registry(cli->glue, cli->registry, &existed, &err))
        return schema_cli_complain(&err);
    print_created("registry", cli->registry, existed);
    if (!glue_create_schema(cli->glue, &registration, &existed, &err))
        return schema_cli_complain(&err);
    print_created("schema", cli->schema, existed);
    return COMMAND_OK;
}

/* A schema that accepts more is backward compatible only. */
static void warn_of_mode(struct str mode)
{
    if (str_equal(mode, STR("DISABLED")))
        (void)fprintf(stderr, "sluice schema: the compatibility mode is DISABLED: AWS Glue will "
                              "refuse this, as any new version\n");
    else if (str_starts_with(mode, STR("FORWARD")) || str_starts_with(mode, STR("FULL")))
        (void)fprintf(stderr,
                      "sluice schema: the compatibility mode is %.*s: AWS Glue will refuse this, "
                      "since older readers may not\nexpect what it allows; BACKWARD takes it\n",
                      STR_ARG(mode));
    else
        (void)fprintf(stderr, "sluice schema: the compatibility mode is %.*s, which allows this\n",
                      STR_ARG(mode));
}

static bool is_confirmed(const struct schema_cli *cli)
{
    char answer[ANSWER_SIZE];

    if (cli->yes)
        return true;
    (void)fprintf(stderr, "Register this as the new version? [y/N] ");
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* The latest definition, opened, as text; `*changes` places have changed. */
static bool open_latest(const struct schema_cli *cli, struct glue_version *latest, struct str *out,
                        size_t *changes, struct error *err)
{
    const struct flat_options reading = { .max_depth = DEFINITION_DEPTH };
    struct buf *text = arena_buf(cli->arena, OUTPUT_MAX);
    const struct flat *document;

    if (!schema_cli_get(cli, NULL, latest, err))
        return false;
    if (!flat_read(cli->arena, latest->definition, &reading, &document, err)) {
        err->code = ERR_INVALID;
        return fail_within(err, "Schema definition is not valid JSON");
    }
    *changes = schema_widen(text, document);
    *out = pretty(cli->arena, buf_str(text));
    return true;
}

/* Show what opening version `latest` changes, and whether its mode allows that. */
static bool show_opening(const struct schema_cli *cli, const struct glue_version *latest,
                         struct str opened, struct error *err)
{
    const struct glue_schema schema = schema_of(cli);
    const struct diff_text from = {
        .name = arena_printf(cli->arena, "version %" PRId64, latest->number).ptr,
        .text = pretty(cli->arena, latest->definition),
    };
    const struct diff_text to = { .name = "open", .text = opened };
    struct str mode = STR_NONE;
    bool differs;

    if (!glue_get_compatibility(cli->glue, &schema, cli->arena, &mode, err) ||
        !diff_print(&from, &to, &differs, err))
        return false;
    warn_of_mode(mode);
    return true;
}

int schema_cli_open(const struct schema_cli *cli)
{
    struct glue_version latest = { 0 };
    struct str opened = STR_NONE;
    struct error err = { 0 };
    size_t changes = 0;

    if (!open_latest(cli, &latest, &opened, &changes, &err))
        return schema_cli_complain(&err);
    if (changes == 0) {
        (void)printf("%s/%s: version %" PRId64 " is open already\n", cli->registry, cli->schema,
                     latest.number);
        return COMMAND_OK;
    }
    if (!show_opening(cli, &latest, opened, &err))
        return schema_cli_complain(&err);
    if (!is_confirmed(cli)) {
        cli_complain("schema", "nothing was registered");
        return COMMAND_NO;
    }
    return publish_and_report(cli, opened);
}
