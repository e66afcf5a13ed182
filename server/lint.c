/*
 * lint.c - see lint.h.
 */
#include "server/lint.h"

#include <string.h>

#include "base/json.h"
#include "handlers/matcher.h"
#include "handlers/transform.h"
#include "schema/reach.h"

/* Envelope members of EventBridge's default bus that are always strings. */
static const struct str strings[] = {
    STR_INIT("version"), STR_INIT("id"),     STR_INIT("source"), STR_INIT("detail-type"),
    STR_INIT("account"), STR_INIT("region"), STR_INIT("time"),
};

static void complain(const struct lint *lint, struct str key, const char *text)
{
    lint->report(lint->self,
                 arena_printf(lint->arena, "/routes/%zu%.*s", lint->route, STR_ARG(key)), text);
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
static void look_at_leaf(const struct lint *lint, struct str path)
{
    const struct schema_reach_options options = { .through_arrays = true };
    struct str payload = str_from_c(lint->config->routes[lint->route].payload);
    struct str found;

    if (!lint->document || !str_starts_with(path, payload) ||
        (path.len > payload.len && path.ptr[payload.len] != '/'))
        return;
    found = schema_reach(lint->document, str_from(path, payload.len), &options);
    if (found.ptr)
        complain(lint, arena_printf(lint->arena, "/pattern%.*s", STR_ARG(path)),
                 "matches no valid event: the schema of the route rules this value out");
}

static void look_at_fields(const struct lint *lint, const struct flat *object, struct str path)
{
    struct arena *arena = lint->arena;

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

static void look_at_strings(const struct lint *lint, const struct flat *tree, const char *key)
{
    for (size_t i = 0; tree && i < COUNT_OF(strings); i++) {
        const struct flat *wanted = flat_find(tree, strings[i]);

        if (wanted && !flat_is_object(wanted) && is_never_string(wanted))
            complain(lint, arena_printf(lint->arena, "/%s/%.*s", key, STR_ARG(strings[i])),
                     "matches no event of EventBridge, in which this is a string: use quotes");
    }
}

void lint_pattern(const struct lint *lint)
{
    const struct config_route *route = &lint->config->routes[lint->route];
    const struct flat *pattern;

    if (!route->matcher)
        return;
    pattern = matcher_pattern(route->matcher);
    if (strcmp(route->payload, "/detail") == 0) {
        look_at_strings(lint, pattern, "pattern");
        look_at_strings(lint, matcher_match(route->matcher), "match");
    }
    if (pattern)
        look_at_fields(lint, pattern, STR(""));
}

/* Transforms. */

static const char *find_fault(void *self, struct str pointer)
{
    const struct lint *lint = self;
    struct str found = schema_reach(lint->document, pointer, NULL);

    if (!found.ptr)
        return NULL;
    return arena_printf(
               lint->arena,
               "no valid event has a value at %.*s: the schema of routes[%zu] rules it out",
               STR_ARG(found), lint->route)
        .ptr;
}

static void pass_on(void *self, const char *line)
{
    const struct lint *lint = self;

    lint->report(lint->self, STR(""), line);
}

bool lint_transform(const struct lint *lint, const char *file)
{
    const struct transform_lint of = {
        .report = pass_on,
        .fault = lint->document ? find_fault : NULL,
        .self = (void *)lint,
    };

    return transform_check(file, &of);
}
