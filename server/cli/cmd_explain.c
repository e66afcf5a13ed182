/*
 * cmd_explain.c - `sluice explain`: take one event through the pipeline, step by step.
 *
 * It runs the code that answers POST /events, with an observer that prints, so its result is the
 * server's.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/output.h"
#include "server/service.h"

enum { OUTPUT_MAX = 128 * 1024 * 1024 };

struct explanation {
    bool json;
    struct buf out;
    size_t steps;
};

static struct str find_route(struct arena *arena, const struct event *event)
{
    return arena_printf(arena, "route %zu: schema %s/%s", event->route->number,
                        event->route->registry, event->route->schema);
}

/* Quoted, because a terminal must not interpret the sender's bytes. */
static struct str find_id(struct arena *arena, const struct event *event)
{
    struct buf *text = arena_buf(arena, OUTPUT_MAX);

    if (!event->id.ptr)
        return STR("no event id");
    buf_add(text, STR("event id "));
    json_write_string(text, event->id);
    return buf_str(text);
}

static struct str find_version(struct arena *arena, const struct event *event)
{
    return arena_printf(arena, "schema version %.*s", STR_ARG(event->version));
}

static struct str find_record(struct arena *arena, const struct event *event)
{
    return arena_printf(arena, "record of %zu bytes", event->record.len);
}

/* What a successful step has found; in the arena. */
static struct str describe(struct arena *arena, const char *step, const struct event *event)
{
    static const struct {
        const char *step;
        struct str (*describe)(struct arena *arena, const struct event *event);
    } findings[] = {
        { "route", find_route },
        { "payload", find_id },
        { "validate", find_version },
        { "transform", find_record },
    };

    for (size_t i = 0; i < COUNT_OF(findings); i++)
        if (strcmp(step, findings[i].step) == 0)
            return findings[i].describe(arena, event);
    return STR("");
}

static void add_json_step(struct explanation *explanation, const char *step, bool ok,
                          struct str text)
{
    struct buf *out = &explanation->out;

    buf_printf(out, "%s{\"step\":\"%s\",\"ok\":%s", explanation->steps ? "," : "", step,
               ok ? "true" : "false");
    if (text.len > 0)
        output_text(out, ok ? "found" : "error", text);
    buf_add_char(out, '}');
}

static void add_step(void *self, const char *step, const struct event *event,
                     const struct error *err)
{
    struct explanation *explanation = self;
    struct arena *arena = arena_create();
    struct str text = err ? str_from_c(err->text) : describe(arena, step, event);

    if (explanation->json)
        add_json_step(explanation, step, !err, text);
    else
        buf_printf(&explanation->out, text.len ? "%-10s %-6s %.*s\n" : "%-10s %s%.*s\n", step,
                   err ? "FAILED" : "ok", STR_ARG(text));
    explanation->steps++;
    arena_destroy(arena);
}

static void add_answer(struct explanation *explanation, const struct response *response)
{
    if (explanation->json) {
        buf_printf(&explanation->out, "],\"status\":%d,\"body\":", response->status);
        buf_add(&explanation->out, response->body);
        buf_add(&explanation->out, STR("}\n"));
        return;
    }
    buf_printf(&explanation->out, "%-10s %d\n", "answer", response->status);
    buf_add(&explanation->out, response->body);
    buf_add_char(&explanation->out, '\n');
}

/* Print the explanation. Returns the answer's status. */
static int explain(const struct service *service, struct str body, bool json)
{
    struct explanation explanation = { .json = json };
    const struct event_observer observer = { add_step, &explanation };
    struct request request = {
        .arena = arena_create(), .method = STR("POST"), .path = STR("/events"), .body = body
    };
    struct response response = { 0 };

    buf_init(&explanation.out, OUTPUT_MAX);
    if (json)
        buf_add(&explanation.out, STR("{\"steps\":["));
    events_answer(service->events, &request, &observer, &response);
    add_answer(&explanation, &response);
    output_print(&explanation.out);
    arena_destroy(request.arena);
    return response.status;
}

/* Returns the exit status. */
static int explain_file(const struct config *config, const char *path, bool json)
{
    struct service *service;
    struct error err = { 0 };
    struct str body;

    if (!file_read(path, config->http.max_body, &body, &err)) {
        cli_complain("explain", err.text); /* over http.max_body: the answer would be 413 */
        return err.code == ERR_CONFIG ? COMMAND_NO : COMMAND_ENVIRONMENT;
    }
    if (!service_create(config, NULL, &service, &err)) {
        cli_complain("explain", err.text);
        mem_free((void *)body.ptr);
        return COMMAND_ENVIRONMENT;
    }

    int status = explain(service, body, json);

    service_destroy(service);
    mem_free((void *)body.ptr);
    return status == 200 ? COMMAND_OK : COMMAND_NO;
}

int cmd_explain(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {
        { "json", 0, NULL, "one JSON object instead of lines", .flag = &json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice explain [-c FILE] [--json] [EVENT|-]",
        .about = "Take the event in the file EVENT (- or none: standard input) through every step "
                 "of\n"
                 "POST /events, and print what each step found and what the sender would be "
                 "answered.\n"
                 "Nothing is stored or sent.\n",
        .ending = "Exits with 0 when the answer would be 200, and only then.\n",
        .options = options,
        .takes_config = true,
        .needs_files = true,
        .max_arguments = 1,
    };
    struct cli cli;
    struct config *config;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(LOG_ERROR, LOG_TEXT);
    status = explain_file(config, cli.argument_count ? cli.arguments[0] : "-", json);
    config_destroy(config);
    return status;
}
