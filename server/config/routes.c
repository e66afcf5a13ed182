/*
 * routes.c - the rules for routes that a schema cannot express; routes that no event can reach.
 *
 * The first route that matches wins, so a route after one that matches all its events is a mistake.
 * Every report is certain. A route that only several others together cover is not found.
 */
#include "base/utf8.h"
#include "server/config/config_internal.h"

static const char *next_character(const char *at)
{
    at++;
    while (utf8_continues((unsigned char)*at))
        at++;
    return at;
}

/*
 * Does every text that `narrow` matches match `wide` too? Both are globs; `narrow` is read
 * as a text, in which only a star of `wide` matches a star.
 */
static bool covers_glob(const char *wide, const char *narrow)
{
    const char *star = NULL; /* the last star in `wide`, and the end of what it matches */
    const char *taken = narrow;

    while (*narrow) {
        if (*wide == '*') {
            star = wide++;
            taken = narrow;
        } else if (*wide == '?' && *narrow != '*') {
            wide++;
            narrow = next_character(narrow);
        } else if (*wide == *narrow && *narrow != '*') {
            wide++;
            narrow++;
        } else if (star) {
            wide = star + 1;
            narrow = taken = next_character(taken);
        } else {
            return false;
        }
    }
    while (*wide == '*')
        wide++;
    return !*wide;
}

/* The glob of `route` for this key; "*", which matches everything, when it has none. */
static const char *glob_of(const struct config_route *route, const char *key)
{
    for (size_t i = 0; i < route->match.count; i++)
        if (strcmp(route->match.list[i].key, key) == 0)
            return route->match.list[i].value;
    return "*";
}

/* Does `first` match every event that `later` matches? */
static bool covers(const struct config_route *first, const struct config_route *later)
{
    for (size_t i = 0; i < first->match.count; i++)
        if (!covers_glob(first->match.list[i].value, glob_of(later, first->match.list[i].key)))
            return false;
    return true;
}

size_t config_route_before(const struct config *config, size_t index)
{
    size_t first = 0;

    while (first < index && !covers(&config->routes[first], &config->routes[index]))
        first++;
    return first;
}

/* Is the route's `match` without problems? Otherwise the configuration lacks a part of it. */
static bool is_whole(const struct settings *settings, const struct config *config, size_t route)
{
    return !settings_has_problem(settings, arena_printf(config->arena, "/routes/%zu/match", route));
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
        check_route_name(settings, config, i);
        check_route_sinks(settings, config, i);
    }
}

static bool names_sink(const struct config_route *route, const char *sink)
{
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

        if (first < i && is_whole(settings, config, first) && is_whole(settings, config, i))
            settings_complain(settings, arena_printf(config->arena, "/routes/%zu/match", i),
                              "is never reached: routes[%zu] takes all its events", first);
    }
    check_fed_sinks(settings, config);
}
