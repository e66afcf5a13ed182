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
    struct buf *place = arena_buf(arena, SIZE_MAX);
    struct matcher *matcher;
    struct error err;

    if (settings_has_problem(settings, arena_printf(arena, "/routes/%zu/match", index)) ||
        settings_has_problem(settings, arena_printf(arena, "/routes/%zu/pattern", index)))
        return;
    if (options.pattern.len > 0 && !str_equal(options.match, STR("{}")))
        settings_complain(settings, arena_printf(arena, "/routes/%zu/pattern", index),
                          "stands beside match: a route has one of the two");
    else if (!matcher_create(&options, place, &matcher, &err))
        settings_complain(settings,
                          arena_printf(arena, "/routes/%zu%.*s", index, STR_ARG(buf_str(place))),
                          "%s", err.text);
    else
        route->matcher = matcher;
    if (route->matcher)
        arena_own(arena, (void *)route->matcher, matcher_destroy);
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

static void check_route_sinks(struct settings *settings, const struct config *config, size_t index)
{
    const struct config_strings *names = &config->routes[index].sinks;

    for (size_t i = 0; i < names->count; i++)
        if (config_sink_index(config, names->list[i]) == config->sink_count)
            settings_complain(settings,
                              arena_printf(config->arena, "/routes/%zu/sinks/%zu", index, i),
                              "there is no sink %s", names->list[i]);
}

void config_route_rules(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->route_count; i++) {
        create_matcher(settings, config, i);
        check_route_name(settings, config, i);
        check_route_sinks(settings, config, i);
    }
}

static bool names_sink(const struct config_route *route, const char *sink)
{
    if (route->drop)
        return false;
    for (size_t i = 0; i < route->sinks.count; i++)
        if (strcmp(route->sinks.list[i], sink) == 0)
            return true;
    return route->sinks.count == 0;
}

bool config_feeds_sink(const struct config *config, const char *sink)
{
    for (size_t i = 0; i < config->route_count; i++)
        if (names_sink(&config->routes[i], sink))
            return true;
    return false;
}

struct str config_routes_of(const struct config *config, const char *sink)
{
    struct str list = STR("[");

    for (size_t i = 0; i < config->route_count; i++)
        if (names_sink(&config->routes[i], sink))
            list = arena_printf(config->arena, "%.*s%s\"%s\"", STR_ARG(list),
                                list.len > 1 ? "," : "", config->routes[i].name);
    return arena_printf(config->arena, "%.*s]", STR_ARG(list));
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
