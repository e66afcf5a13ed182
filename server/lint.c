/*
 * lint.c - see lint.h.
 */
#include "server/lint.h"

#include <string.h>

#include "base/json.h"
#include "handlers/matcher.h"
#include "handlers/pattern.h"
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

/* Conditions of patterns. */

/* What of the values at one place a schema is asked about. */
struct lint_place {
    const struct lint *lint;
    struct str pointer; /* from the payload */
    size_t exact;       /* as in schema_reach_options */
};

static bool is_ruled_out(const struct lint_place *place, const struct schema_reach_value *value)
{
    const struct schema_reach_options options = { .through_arrays = true,
                                                  .exact = place->exact,
                                                  .value = value };

    return schema_reach(place->lint->document, place->pointer, &options).ptr != NULL;
}

/* Does the schema rule out each value that meets the condition? */
static bool condition_is_ruled_out(const struct lint_place *place, const struct flat *condition)
{
    static const struct str texts[] = { STR_INIT("prefix"), STR_INIT("suffix"),
                                        STR_INIT("equals-ignore-case"), STR_INIT("wildcard"),
                                        STR_INIT("cidr") };
    struct schema_reach_value value = { flat_kind(condition), condition };

    if (!flat_is_object(condition))
        return is_ruled_out(place, &value);
    value = (struct schema_reach_value){ JSON_NUMBER, NULL };
    if (str_equal(flat_key(condition + 1), STR("numeric")))
        return is_ruled_out(place, &value);
    value.kind = JSON_STRING;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (str_equal(flat_key(condition + 1), texts[i]))
            return is_ruled_out(place, &value);
    return false;
}

/* Does no valid payload have what the list of conditions needs? */
static bool need_is_ruled_out(const struct lint_place *place, const struct flat *conditions)
{
    if (is_ruled_out(place, NULL))
        return true;
    for (FLAT_EACH(condition, conditions))
        if (!condition_is_ruled_out(place, condition))
            return false;
    return true;
}

static void look_at_need(void *self, const struct pattern_need *need)
{
    const struct lint *lint = self;
    struct str payload = str_from_c(lint->config->routes[lint->route].payload);
    struct lint_place place = { .lint = lint,
                                .pointer = str_from(need->pointer, payload.len),
                                .exact = payload.len == 0 ? 1 : 0 };

    if (!lint->document || !str_starts_with(need->pointer, payload) ||
        (place.pointer.len > 0 && *place.pointer.ptr != '/') ||
        !need_is_ruled_out(&place, need->conditions))
        return;
    complain(lint, arena_printf(lint->arena, "/pattern%.*s", STR_ARG(need->pointer)),
             "matches no valid event: the schema of the route rules this value out");
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
        pattern_needs(pattern, lint->arena, look_at_need, (void *)lint);
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

static const char *find_misfit(void *self, struct str base, const struct pattern_need *need)
{
    const struct lint *lint = self;
    const struct lint_place place = {
        .lint = lint,
        .pointer = arena_printf(lint->arena, "%.*s%.*s", STR_ARG(base), STR_ARG(need->pointer)),
        .exact = base.len + 1, /* only an object fits a pattern */
    };

    if (!need_is_ruled_out(&place, need->conditions))
        return NULL;
    return arena_printf(lint->arena,
                        "no valid event fits: the schema of routes[%zu] rules this value out",
                        lint->route)
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
        .misfit = lint->document ? find_misfit : NULL,
        .self = (void *)lint,
    };

    return transform_check(file, &of);
}
