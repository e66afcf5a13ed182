/*
 * explain.c - see explain.h.
 */
#include "server/explain.h"

#include "base/json.h"
#include "base/member.h"
#include "server/output.h"

enum { OUTPUT_MAX = 128 * 1024 * 1024 };

struct explanation {
    const struct service *service;
    const struct config *config;
    bool json;
    bool is_array;
    bool on_screen;
    struct buf out;
    size_t steps;
    const struct event *first;         /* of the array */
    struct buf fields;                 /* of the event at hand: where they come from, */
    const struct route_output *output; /* and of which output they were */
};

static struct str find_route(struct arena *arena, const struct event *event)
{
    if (event->route->drop)
        return arena_printf(arena, "route %zu: drops its events", event->route->number);
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
    return event->is_dropped ? STR("dropped by drop_when")
                             : arena_printf(arena, "record of %zu bytes", event->record.len);
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

/* End a line of columns, each of which has a space behind it. */
static void end_line(struct buf *out)
{
    while (out->len > 0 && out->ptr[out->len - 1] == ' ')
        out->len--;
    buf_add_char(out, '\n');
}

/* Why routes before the event's own, or all of them, do not take it. */

static void add_miss(struct explanation *explanation, const struct route *route,
                     const struct matcher_miss *miss, bool is_first)
{
    struct buf *out = &explanation->out;

    if (!explanation->json) {
        buf_printf(out, "%-10s no     %.*s: ", "", STR_ARG(route->name));
        output_safe_column(out, miss->key, 0);
        buf_printf(out, "is %s, expected ", miss->found);
        output_safe_column(out, miss->expected.len ? miss->expected : STR("other fields"), 0);
        end_line(out);
        return;
    }
    buf_add(out, is_first ? STR("{") : STR(",{"));
    member_text(out, "route", route->name);
    member_text(out, "key", miss->key);
    member_json(out, "expected", miss->expected.len ? miss->expected : STR_NONE);
    member_text(out, "found", str_from_c(miss->found));
    buf_add_char(out, '}');
}

static void add_misses(struct explanation *explanation, const struct event *event)
{
    const struct routes *routes = explanation->service->routes;
    size_t count = event->route ? event->route->number - 1 : routes_count(routes);
    struct arena *arena = arena_create();
    struct matcher_miss miss;

    for (size_t i = 0; flat_is_object(event->root) && i < count; i++)
        if (routes_explain(routes, i, event->root, arena, &miss))
            add_miss(explanation, routes_at(routes, i), &miss, i == 0);
    arena_destroy(arena);
}

/* Which sinks get a record. */

static void add_sinks(struct explanation *explanation, const struct route_output *output)
{
    const struct config *config = explanation->config;
    struct buf *out = &explanation->out;
    bool any = false;

    for (size_t i = 0; i < config->sink_count; i++) {
        if (!(output->sinks >> service_sink_slot(explanation->service, i) & 1))
            continue;
        buf_printf(out, explanation->json ? "%s\"%s\"" : "%s%s", any ? "," : "",
                   config->sinks[i].name);
        any = true;
    }
    if (!any && !explanation->json)
        buf_add(out, STR("none"));
}

static void add_all_sinks(struct explanation *explanation, const struct event *event)
{
    struct buf *out = &explanation->out;

    for (size_t i = 0; i < event->route->output_count; i++) {
        if (!event->records[i].ptr)
            continue;
        if (explanation->json)
            buf_add(out, i > 0 ? STR(",[") : STR("["));
        else
            buf_printf(out, "%-10s        record %zu to ", "", i + 1);
        add_sinks(explanation, &event->route->outputs[i]);
        buf_add_char(out, explanation->json ? ']' : '\n');
    }
}

/* Where the fields of the records come from. */
static void add_field(void *self, const struct event *event, struct str field, struct str from)
{
    struct explanation *explanation = self;
    struct buf *out = &explanation->fields;
    size_t number = (size_t)(event->output - event->route->outputs) + 1;

    if (explanation->json) {
        buf_add(out, out->len > 0 ? STR(",{") : STR("{"));
        member_text(out, "field", field);
        member_text(out, "from", from);
        if (number > 1)
            buf_printf(out, ",\"output\":%zu", number);
        buf_add_char(out, '}');
        return;
    }
    if (number > 1 && explanation->output != event->output)
        buf_printf(out, "%-10s        record %zu:\n", "", number);
    explanation->output = event->output;
    buf_printf(out, "%-10s        ", "");
    output_safe_column(out, field, 24);
    output_safe_column(out, from, 0);
    end_line(out);
}

/* What belongs to a step beside the line, or the members, that each step has. */
static void add_details(struct explanation *explanation, const char *step,
                        const struct event *event, bool ok)
{
    struct buf *out = &explanation->out;
    bool is_route = strcmp(step, "route") == 0;
    bool is_record = strcmp(step, "transform") == 0;

    if (is_route) {
        buf_add(out, explanation->json ? STR(",\"missed\":[") : STR(""));
        add_misses(explanation, event);
    }
    if (is_record) {
        buf_add(out, explanation->json ? STR(",\"fields\":[") : STR(""));
        buf_add(out, buf_str(&explanation->fields));
        buf_clear(&explanation->fields);
    }
    if (explanation->json && (is_route || is_record))
        buf_add_char(out, ']');
    if (is_record && ok && !event->is_dropped) {
        buf_add(out, explanation->json ? STR(",\"sinks\":[") : STR(""));
        add_all_sinks(explanation, event);
        buf_add(out, explanation->json ? STR("]") : STR(""));
    }
}

static void add_json_step(struct explanation *explanation, const char *step, bool ok,
                          struct str text)
{
    struct buf *out = &explanation->out;

    buf_printf(out, "%s{\"step\":\"%s\",\"ok\":%s", explanation->steps ? "," : "", step,
               ok ? "true" : "false");
    if (text.len > 0)
        member_text(out, ok ? "found" : "error", text);
}

static void add_text_step(struct explanation *explanation, const char *step, bool ok,
                          struct str text)
{
    const char *colour = ok ? "\033[32m" : "\033[31m";
    bool on_screen = explanation->on_screen;

    buf_printf(&explanation->out, text.len ? "%-10s %s%-6s%s %.*s\n" : "%-10s %s%s%s%.*s\n", step,
               on_screen ? colour : "", ok ? "ok" : "FAILED", on_screen ? "\033[0m" : "",
               STR_ARG(text));
}

/* The number of an array's event, from 1. */
static size_t element_number(struct explanation *explanation, const struct event *event)
{
    if (!explanation->first)
        explanation->first = event;
    return (size_t)(event - explanation->first) + 1;
}

static void add_step(void *self, const char *step, const struct event *event,
                     const struct error *err)
{
    struct explanation *explanation = self;
    struct buf *out = &explanation->out;
    struct arena *arena = arena_create();
    struct str text = err ? str_from_c(err->text) : describe(arena, step, event);
    size_t number = event && explanation->is_array ? element_number(explanation, event) : 0;

    if (explanation->json)
        add_json_step(explanation, step, !err, text);
    else if (number > 0 && strcmp(step, "route") == 0)
        buf_printf(out, "event %zu\n", number);
    if (explanation->json && number > 0)
        buf_printf(out, ",\"event\":%zu", number);
    if (!explanation->json)
        add_text_step(explanation, step, !err, text);
    if (event)
        add_details(explanation, step, event, !err);
    buf_add(out, explanation->json ? STR("}") : STR(""));
    explanation->steps++;
    arena_destroy(arena);
}

/* What the shadow schema says. It comes after the steps of all events. */
static void explain_shadow(void *self, const struct event *event, const struct shadow_word *word)
{
    struct explanation *explanation = self;
    const char *name = catalog_shadow_name(event->route->shadow);
    const char *verdict = shadow_verdict_name(word->verdict);
    struct buf *out = &explanation->out;

    if (explanation->json) {
        buf_printf(out, ",{\"step\":\"shadow\",\"ok\":true,\"verdict\":\"%s\"", verdict);
        member_text(out, "schema", str_from_c(name));
        member_text(out, "rule", str_from_c(word->place.keyword_location));
        member_text(out, "place", str_from_c(word->place.instance_location));
        if (explanation->is_array)
            buf_printf(out, ",\"event\":%zu", element_number(explanation, event));
        buf_add_char(out, '}');
        return;
    }
    buf_printf(out, "%-10s        ", "shadow");
    if (explanation->is_array)
        buf_printf(out, "event %zu: ", element_number(explanation, event));
    output_safe_column(out, str_from_c(name), 0);
    buf_printf(out, "%s", verdict);
    if (*word->place.keyword_location)
        buf_printf(out, ": %s at %s", word->place.keyword_location,
                   *word->place.instance_location ? word->place.instance_location : "\"\"");
    buf_add_char(out, '\n');
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

int explain(const struct service *service, const struct config *config, struct str body,
            const struct explain_form *form, struct buf *out)
{
    struct explanation explanation = {
        .service = service,
        .config = config,
        .json = form->json,
        .is_array = str_starts_with(json_span(body), STR("[")),
        .on_screen = form->on_screen,
    };
    const struct event_observer observer = { add_step, add_field, explain_shadow, &explanation };
    struct request request = {
        .arena = arena_create(), .method = STR("POST"), .path = STR("/events"), .body = body
    };
    struct response response = { 0 };

    buf_init(&explanation.out, OUTPUT_MAX);
    buf_init(&explanation.fields, OUTPUT_MAX);
    if (form->json)
        buf_add(&explanation.out, STR("{\"steps\":["));
    events_answer(service->events, &request, &observer, &response);
    add_answer(&explanation, &response);
    buf_done(&explanation.fields);
    *out = explanation.out;
    arena_destroy(request.arena);
    return response.status;
}
