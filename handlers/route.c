/*
 * route.c - see route.h.
 */
#include "handlers/route.h"

#include "base/memory.h"

struct matcher {
    char *member; /* a top-level member; NULL: see `pointer` */
    struct json_pointer *pointer;
    char *glob;
    bool matches_all; /* the glob is "*" */
};

struct rule {
    struct rule *next;
    struct route route; /* the public part */
    struct matcher *matchers;
    size_t matcher_count;
    char *schema;
    char *registry;
    char *name;
};

struct routes {
    struct rule *first; /* in the order of the configuration */
    struct rule **end;  /* the last `next` */
    size_t count;
};

struct routes *routes_create(void)
{
    struct routes *routes = mem_alloc(sizeof(*routes));

    routes->end = &routes->first;
    return routes;
}

static void rule_destroy(struct rule *rule)
{
    for (size_t i = 0; i < rule->matcher_count; i++) {
        mem_free(rule->matchers[i].member);
        mem_free(rule->matchers[i].glob);
        json_pointer_destroy(rule->matchers[i].pointer);
    }
    mem_free(rule->matchers);
    json_pointer_destroy(rule->route.payload);
    json_pointer_destroy(rule->route.id);
    transform_destroy(rule->route.transform);
    mem_free(rule->schema);
    mem_free(rule->registry);
    mem_free(rule->name);
    mem_free(rule);
}

void routes_destroy(struct routes *routes)
{
    if (!routes)
        return;
    while (routes->first) {
        struct rule *rule = routes->first;

        routes->first = rule->next;
        rule_destroy(rule);
    }
    mem_free(routes);
}

static bool add_matchers(struct rule *rule, const struct route_options *options, struct error *err)
{
    rule->matchers = mem_alloc_array(options->match_count, sizeof(struct matcher));
    for (size_t i = 0; i < options->match_count; i++) {
        const struct route_match *match = &options->match[i];
        struct matcher *matcher = &rule->matchers[rule->matcher_count++];

        matcher->glob = mem_copy_string(match->glob);
        matcher->matches_all = strcmp(match->glob, "*") == 0;
        if (match->key[0] != '/')
            matcher->member = mem_copy_string(match->key);
        else if (!json_pointer_create(str_from_c(match->key), &matcher->pointer, err))
            return fail_within(err, "match");
    }
    return true;
}

static bool fill(struct rule *rule, const struct route_options *options, struct error *err)
{
    if (!add_matchers(rule, options, err))
        return false;
    if (!json_pointer_create(str_from_c(options->payload), &rule->route.payload, err))
        return fail_within(err, "payload");
    if (!json_pointer_create(str_from_c(options->id), &rule->route.id, err))
        return fail_within(err, "id");
    return transform_load(options->transform, &rule->route.transform, err);
}

bool routes_add(struct routes *routes, const struct route_options *options, struct catalog *catalog,
                struct error *err)
{
    struct rule *rule = mem_alloc(sizeof(*rule));

    if (!fill(rule, options, err)) {
        rule_destroy(rule);
        err->code = ERR_CONFIG;
        return false;
    }
    rule->schema = mem_copy_string(options->schema);
    rule->registry = mem_copy_string(options->registry);
    rule->name = mem_copy_string(options->name);
    rule->route.name = str_from_c(rule->name);
    rule->route.sinks = options->sinks;
    rule->route.schema = rule->schema;
    rule->route.registry = rule->registry;
    rule->route.live = catalog_add(catalog, options->registry, options->schema);
    rule->route.number = ++routes->count;
    *routes->end = rule;
    routes->end = &rule->next;
    return true;
}

/* The string at the matcher's place; "": absent or not a string. */
static struct str value_at(const struct matcher *matcher, const struct flat *event)
{
    const struct flat *value;

    if (matcher->member)
        return flat_is_object(event) ? flat_find_str(event, str_from_c(matcher->member)) : STR("");
    if (flat_pointer_find(matcher->pointer, event, &value, NULL) != JSON_FOUND ||
        !flat_is_string(value))
        return STR("");
    return flat_str(value);
}

static bool matches(const struct rule *rule, const struct flat *event)
{
    for (size_t i = 0; i < rule->matcher_count; i++) {
        const struct matcher *matcher = &rule->matchers[i];

        if (!matcher->matches_all &&
            !str_matches_glob(value_at(matcher, event), str_from_c(matcher->glob)))
            return false;
    }
    return true;
}

bool routes_find(const struct routes *routes, const struct flat *event, const struct route **out,
                 struct error *err)
{
    for (const struct rule *rule = routes->first; rule; rule = rule->next) {
        if (matches(rule, event)) {
            *out = &rule->route;
            return true;
        }
    }
    return fail(err, ERR_NOT_FOUND, "No route for this event");
}
