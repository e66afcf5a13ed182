/*
 * inspect_routes.c - mistakes in routes and transforms that their schema shows.
 *
 * The schema is read from its file. What a schema in AWS Glue shows is not looked for.
 */
#include <string.h>

#include "base/memory.h"
#include "handlers/matcher.h"
#include "schema/reach.h"
#include "schema/registry/registry.h"
#include "server/cli/inspect_internal.h"

/* Envelope members of EventBridge's default bus that are always strings. */
static const struct str strings[] = {
    STR_INIT("version"), STR_INIT("id"),     STR_INIT("source"), STR_INIT("detail-type"),
    STR_INIT("account"), STR_INIT("region"), STR_INIT("time"),
};

const struct flat *inspect_schema(const struct inspection *inspection, size_t route)
{
    const struct config *config = inspection->config;
    const struct config_route *of = &config->routes[route];
    const struct registry_query query = { of->registry, of->schema, NULL };
    struct registry registry;
    struct schema_definition definition;
    const struct flat *document = NULL;
    struct error err;

    if (config->registry.kind != CONFIG_REGISTRY_FILE || of->drop ||
        !inspect_is_sound(inspection, "/registry") ||
        !inspect_is_sound(inspection,
                          arena_printf(inspection->arena, "/routes/%zu/schema", route).ptr))
        return NULL;
    registry = registry_file(config->registry.dir);
    if (registry.fetch(registry.self, &query, &definition, &err)) {
        if (!flat_read(inspection->arena, arena_copy(inspection->arena, definition.text), NULL,
                       &document, &err))
            document = NULL; /* which is reported elsewhere */
        schema_definition_done(&definition);
    }
    registry.destroy(registry.self);
    return document;
}

const char *inspect_fault(void *self, struct str pointer)
{
    const struct inspect_schema_lint *lint = self;
    struct str found = schema_reach(lint->document, pointer, NULL);

    if (!found.ptr)
        return NULL;
    return arena_printf(
               lint->inspection->arena,
               "no valid event has a value at %.*s: the schema of routes[%zu] rules it out",
               STR_ARG(found), lint->route)
        .ptr;
}

/* Patterns and matches. */

struct pattern_lint {
    const struct inspection *inspection;
    size_t route;
    const struct flat *document; /* NULL: not known */
    struct str payload;          /* JSON Pointer */
};

static void complain_of_route(const struct pattern_lint *lint, struct str key, const char *text)
{
    const char *pointer =
        arena_printf(lint->inspection->arena, "/routes/%zu%.*s", lint->route, STR_ARG(key)).ptr;

    inspect_say(lint->inspection, INSPECT_FAILURE, "route", pointer, "%s", text);
}

/* Does a condition accept that the value is absent? */
static bool may_be_absent(const struct flat *list)
{
    for (FLAT_EACH(condition, list))
        if (flat_is_object(condition) && flat_find(condition, STR("exists")) &&
            !flat_is_true(flat_find(condition, STR("exists"))))
            return true;
    return false;
}

/* A field whose conditions need a value: can a payload have one there? */
static void look_at_leaf(const struct pattern_lint *lint, struct str path)
{
    const struct schema_reach_options options = { .through_arrays = true };
    struct str found;

    if (!lint->document || !str_starts_with(path, lint->payload) ||
        (path.len > lint->payload.len && path.ptr[lint->payload.len] != '/'))
        return;
    found = schema_reach(lint->document, str_from(path, lint->payload.len), &options);
    if (found.ptr)
        complain_of_route(lint,
                          arena_printf(lint->inspection->arena, "/pattern%.*s", STR_ARG(path)),
                          "matches no valid event: the schema of the route rules this value out");
}

static void look_at_fields(const struct pattern_lint *lint, const struct flat *object,
                           struct str path)
{
    struct arena *arena = lint->inspection->arena;

    for (FLAT_EACH(member, object)) {
        struct buf *inner = arena_buf(arena, SIZE_MAX);

        if (str_equal(flat_key(member), STR("$or")))
            continue; /* one branch may match nothing */
        buf_add(inner, path);
        buf_add_char(inner, '/');
        json_write_pointer_token(inner, flat_key(member));
        if (flat_is_object(member))
            look_at_fields(lint, member, buf_str(inner));
        else if (flat_is_array(member) && !may_be_absent(member))
            look_at_leaf(lint, buf_str(inner));
    }
}

/* Is the value, or each of the list, a number or a boolean? */
static bool is_never_string(const struct flat *wanted)
{
    bool is_list = flat_is_array(wanted);
    const struct flat *end = wanted + wanted->size;

    for (const struct flat *at = is_list ? wanted + 1 : wanted; at < end; at += at->size)
        if (!flat_is_number(at) && !flat_is_boolean(at))
            return false;
    return true;
}

static void look_at_strings(const struct pattern_lint *lint, const struct flat *tree,
                            const char *key)
{
    for (size_t i = 0; tree && i < COUNT_OF(strings); i++) {
        const struct flat *wanted = flat_find(tree, strings[i]);

        if (wanted && !flat_is_object(wanted) && is_never_string(wanted))
            complain_of_route(
                lint, arena_printf(lint->inspection->arena, "/%s/%.*s", key, STR_ARG(strings[i])),
                "matches no event of EventBridge, in which this is a string: use quotes");
    }
}

static void look_at_route(const struct inspection *inspection, size_t index)
{
    const struct config_route *route = &inspection->config->routes[index];
    const struct pattern_lint lint = { inspection, index, inspect_schema(inspection, index),
                                       str_from_c(route->payload) };
    const struct flat *pattern;

    if (!route->matcher)
        return;
    pattern = matcher_pattern(route->matcher);
    if (strcmp(route->payload, "/detail") == 0) {
        look_at_strings(&lint, pattern, "pattern");
        look_at_strings(&lint, matcher_match(route->matcher), "match");
    }
    if (pattern)
        look_at_fields(&lint, pattern, STR(""));
}

void inspect_routes(const struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->config->route_count; i++)
        look_at_route(inspection, i);
}
