/*
 * cmd_infer.c - `sluice infer`: propose a schema or a transform from events.
 */
#include <limits.h>

#include "base/file.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/infer.h"

enum { FILE_MAX = 256 * 1024 * 1024, OUTPUT_MAX = 64 * 1024 * 1024 };

struct inference {
    struct arena *arena;
    struct shape *shape;
    struct json_pointer *payload;
    size_t count;
};

/* Add the payload of an event, or of each event of an array. */
static bool infer_events(struct inference *inference, const struct flat *value, struct error *err)
{
    const struct flat *payload = NULL;

    if (flat_is_array(value)) {
        for (FLAT_EACH(element, value))
            if (flat_is_array(element) || !infer_events(inference, element, err))
                return err->code != ERR_NONE || fail(err, ERR_INVALID, "an array in an array");
        return true;
    }
    if (flat_pointer_find(inference->payload, value, &payload, NULL) != JSON_FOUND)
        return fail(err, ERR_INVALID, "an event has no payload; --payload says where it is");
    shape_add(inference->shape, payload);
    inference->count++;
    return true;
}

static bool infer_text(struct inference *inference, struct str text, struct error *err)
{
    const struct flat *tree = NULL;

    return flat_read(inference->arena, text, NULL, &tree, err) &&
           infer_events(inference, tree, err);
}

/* The lines of a file, each an event. */
static bool infer_lines(struct inference *inference, struct str text, struct error *err)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct str line = { text.ptr, end ? (size_t)(end - text.ptr) : text.len };

        if (str_trim(line).len > 0 && !infer_text(inference, line, err))
            return false;
        text = str_from(text, line.len + 1);
    }
    return true;
}

static bool infer_file(struct inference *inference, const char *path, struct error *err)
{
    bool is_lines = str_ends_with(str_from_c(path), STR(".ndjson"));
    struct str text;

    if (!file_read(path, FILE_MAX, &text, err))
        return false;
    arena_own(inference->arena, (void *)text.ptr, mem_free);
    return (is_lines ? infer_lines : infer_text)(inference, text, err) || fail_within(err, path);
}

static bool infer(const struct cli *cli, const char *payload, struct buf *out, struct error *err)
{
    struct inference inference = { .arena = arena_create() };
    bool is_schema = strcmp(cli->arguments[0], "schema") == 0;
    bool ok = json_pointer_create(str_from_c(payload), &inference.payload, err) ||
              fail_within(err, "--payload");

    inference.shape = shape_create(inference.arena);
    for (int i = 1; ok && i < cli->argument_count; i++)
        ok = infer_file(&inference, cli->arguments[i], err);
    if (ok && inference.count == 0)
        ok = fail(err, ERR_INVALID, "there is no event");
    if (ok && is_schema)
        infer_write_schema(out, inference.shape);
    else if (ok)
        infer_write_transform(out, inference.shape);
    json_pointer_destroy(inference.payload);
    arena_destroy(inference.arena);
    return ok;
}

int cmd_infer(int argc, char **argv)
{
    const char *payload = "/detail";
    const struct cli_option options[] = {
        { "payload", 0, "POINTER", "where the payload is in an event; default /detail",
          .text = &payload },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice infer schema [--payload POINTER] EVENTS...\n"
                 "sluice infer transform [--payload POINTER] EVENTS...",
        .about = "Propose a JSON Schema or a transform from events. A file is an event or an array "
                 "of them; one\n"
                 "whose name ends in .ndjson has an event a line. The schema accepts all of them: "
                 "types, `required`\n"
                 "for what is always there, formats, and enums where few texts come again and "
                 "again. The transform\n"
                 "has a field for each value, with comments.\n",
        .ending = "Exits with 0, 1 when there is no payload, 2 for a wrong call, 3 for a file that "
                  "cannot be read.\n",
        .options = options,
        .max_arguments = INT_MAX,
    };
    struct cli cli;
    struct buf out;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (cli.argument_count < 2 ||
        (strcmp(cli.arguments[0], "schema") != 0 && strcmp(cli.arguments[0], "transform") != 0))
        return cli_refuse("infer", "wants schema or transform, and files of events");
    buf_init(&out, OUTPUT_MAX);
    if (!infer(&cli, payload, &out, &err)) {
        cli_complain("infer", err.text);
        buf_done(&out);
        return err.code == ERR_INVALID ? COMMAND_NO : COMMAND_ENVIRONMENT;
    }
    cli_print_all(&out);
    return COMMAND_OK;
}
