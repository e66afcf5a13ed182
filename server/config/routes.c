/*
 * routes.c - the rules for routes that a schema cannot express; routes that no event can reach.
 *
 * The first route that matches wins, so a route after one that matches all its events is a mistake.
 * Every report is certain. A route that only several others together cover is not found.
 */
#include "handlers/matcher.h"
#include "server/config/config_internal.h"

size_t config_route_before(const struct config *config, size_t index)
{
    const struct matcher *later = config->routes[index].matcher;
    size_t first = 0;

    while (first < index && !(later && config->routes[first].matcher &&
                              matcher_covers(config->routes[first].matcher, later)))
        first++;
    return first;
}

/* Compile the route's matcher. Without one if the configuration lacks a part of it. */
static void create_matcher(struct settings *settings, const struct config *config, size_t index)
{
    struct config_route *route = (struct config_route *)&config->routes[index];
    struct arena *arena = config->arena;
    const struct matcher_options options = { str_from_c(route->match), str_from_c(route->pattern) };
    const struct pattern_report report = { arena_printf(arena, "/routes/%zu", index),
                                           settings_on_problem, settings };
    struct matcher *matcher = NULL;

    if (settings_has_problem(settings, arena_printf(arena, "/routes/%zu/match", index)) ||
        settings_has_problem(settings, arena_printf(arena, "/routes/%zu/pattern", index)))
        return;
    if (options.pattern.len > 0 && !str_equal(options.match, STR("{}")))
        settings_complain(settings, arena_printf(arena, "/routes/%zu/pattern", index),
                          "stands beside match: a route has one of the two");
    else if (matcher_create(&options, &report, &matcher))
        arena_own(arena, matcher, matcher_destroy);
    route->matcher = matcher;
}

static void check_route_name(struct settings *settings, const struct config *config, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(config->routes[i].name, config->routes[index].name) == 0) {
            settings_complain(settings, arena_printf(config->arena, "/routes/%zu/name", index),
                              "another route has this name already");
            return;
        }
}

size_t config_sink_index(const struct config *config, const char *name)
{
    size_t index = 0;

    while (index < config->sink_count && strcmp(config->sinks[index].name, name) != 0)
        index++;
    return index;
}

size_t config_output_count(const struct config_route *route)
{
    if (route->drop)
        return 0;
    return route->outputs.count > 0 ? route->outputs.count : 1;
}

struct config_output config_output(const struct config_route *route, size_t index)
{
    return route->outputs.count > 0 ? route->outputs.list[index]
                                    : (struct config_output){ route->transform, route->sinks };
}

struct str config_output_pointer(const struct config *config, size_t route, size_t output,
                                 const char *key)
{
    if (config->routes[route].outputs.count == 0)
        return arena_printf(config->arena, "/routes/%zu/%s", route, key);
    return arena_printf(config->arena, "/routes/%zu/outputs/%zu/%s", route, output, key);
}

static void check_named_sinks(struct settings *settings, const struct config *config,
                              const struct config_strings *names, struct str pointer)
{
    for (size_t i = 0; i < names->count; i++)
        if (config_sink_index(config, names->list[i]) == config->sink_count)
            settings_complain(settings,
                              arena_printf(config->arena, "%.*s/%zu", STR_ARG(pointer), i),
                              "there is no sink %s", names->list[i]);
}

static void check_route_sinks(struct settings *settings, const struct config *config, size_t index)
{
    const struct config_route *route = &config->routes[index];

    for (size_t i = 0; i < config_output_count(route); i++) {
        struct config_output output = config_output(route, i);

        check_named_sinks(settings, config, &output.sinks,
                          config_output_pointer(config, index, i, "sinks"));
    }
}

/* With outputs, the keys for one output have no effect. */
static void check_route_outputs(struct settings *settings, const struct config *config,
                                size_t index)
{
    static const char *const keys[] = { "transform", "sinks" };
    struct setting root = settings_root(settings);
    struct setting routes = settings_get(settings, &root, "routes");
    struct setting route = settings_at(settings, &routes, index);

    for (size_t i = 0; config->routes[index].outputs.count > 0 && i < COUNT_OF(keys); i++) {
        struct setting key = settings_get(settings, &route, keys[i]);

        if (!key.is_default)
            settings_complain(settings, key.pointer, "stands beside outputs: name it in each");
    }
}

static void check_route_shadow(struct settings *settings, const struct config *config, size_t index)
{
    const struct config_shadow *shadow = &config->routes[index].shadow;
    struct str pointer = arena_printf(config->arena, "/routes/%zu/shadow", index);

    if (*shadow->version && *shadow->file)
        settings_complain(settings, pointer,
                          "has a version and a file: a shadow is one of the two");
    else if (*shadow->version && config->registry.kind == CONFIG_REGISTRY_FILE)
        settings_complain(settings, arena_printf(config->arena, "%.*s/version", STR_ARG(pointer)),
                          "needs registry.kind: glue; a schema in a file has one version");
}

void config_route_rules(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->route_count; i++) {
        create_matcher(settings, config, i);
        check_route_name(settings, config, i);
        check_route_sinks(settings, config, i);
        check_route_outputs(settings, config, i);
        check_route_shadow(settings, config, i);
    }
}

static bool names_sink(const struct config_strings *names, const char *sink)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], sink) == 0)
            return true;
    return names->count == 0;
}

/* Append the name of a route's output to a JSON array without its end. */
static struct str add_output_name(struct arena *arena, struct str list, const char *route,
                                  size_t output)
{
    struct str before =
        arena_printf(arena, "%.*s%s\"%s", STR_ARG(list), list.len > 1 ? "," : "", route);

    return output == 0 ? arena_printf(arena, "%.*s\"", STR_ARG(before))
                       : arena_printf(arena, "%.*s#%zu\"", STR_ARG(before), output + 1);
}

/* The names of the outputs of `route` (NULL: of all) that `sink` (NULL: any) gets; without the end.
 */
static struct str list_outputs(const struct config *config, const char *route, const char *sink)
{
    struct str list = STR("[");

    for (size_t i = 0; i < config->route_count; i++) {
        const struct config_route *one = &config->routes[i];

        if (route && strcmp(one->name, route) != 0)
            continue;
        for (size_t j = 0; j < config_output_count(one); j++) {
            struct config_output output = config_output(one, j);

            if (!sink || names_sink(&output.sinks, sink))
                list = add_output_name(config->arena, list, one->name, j);
        }
    }
    return list;
}

struct str config_output_names(const struct config *config, const char *route, const char *sink)
{
    struct str list = list_outputs(config, route, sink);

    if (list.len == 1)
        list = list_outputs(config, route, NULL);
    if (list.len == 1) /* of an earlier configuration */
        list = add_output_name(config->arena, list, route, 0);
    return arena_printf(config->arena, "%.*s]", STR_ARG(list));
}

struct str config_routes_of(const struct config *config, const char *sink)
{
    return arena_printf(config->arena, "%.*s]", STR_ARG(list_outputs(config, NULL, sink)));
}

bool config_feeds_sink(const struct config *config, const char *sink)
{
    return config_routes_of(config, sink).len > STR("[]").len;
}

static void check_fed_sinks(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++)
        if (!config_feeds_sink(config, config->sinks[i].name))
            settings_complain(settings, arena_printf(config->arena, "/sinks/%zu/name", i),
                              "gets no records: no route names this sink");
}

void config_check_routes(struct settings *settings, const struct config *config)
{
    for (size_t i = 1; i < config->route_count; i++) {
        size_t first = config_route_before(config, i);
        const char *key = *config->routes[i].pattern ? "pattern" : "match";

        if (first < i)
            settings_complain(settings, arena_printf(config->arena, "/routes/%zu/%s", i, key),
                              "is never reached: routes[%zu] takes all its events", first);
    }
    check_fed_sinks(settings, config);
}
