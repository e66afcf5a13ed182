/*
 * route.c - see route.h.
 */
#include "handlers/route.h"

#include "base/memory.h"
#include "handlers/matcher.h"
#include "handlers/route_index.h"

struct rule {
    struct route route; /* the public part */
    struct route_output *outputs;
    struct matcher *matcher;
    char *schema;
    char *registry;
    char *name;
};

struct routes {
    struct route_list all; /* in the order of the configuration; owned */
    struct route_index indexes[MATCHER_MEMBERS];
};

struct routes *routes_create(void)
{
    return mem_alloc(sizeof(struct routes));
}

static void rule_destroy(struct rule *rule)
{
    matcher_destroy(rule->matcher);
    json_pointer_destroy(rule->route.payload);
    json_pointer_destroy(rule->route.id);
    for (size_t i = 0; i < rule->route.output_count; i++) {
        transform_destroy(rule->outputs[i].transform);
        mem_free((void *)rule->outputs[i].name.ptr);
    }
    mem_free(rule->outputs);
    mem_free(rule->schema);
    mem_free(rule->registry);
    mem_free(rule->name);
    mem_free(rule);
}

void routes_destroy(struct routes *routes)
{
    if (!routes)
        return;
    for (size_t i = 0; i < MATCHER_MEMBERS; i++)
        route_index_done(&routes->indexes[i]);
    for (size_t i = 0; i < routes->all.count; i++)
        rule_destroy((struct rule *)routes->all.rules[i]);
    mem_free((void *)routes->all.rules);
    mem_free(routes);
}

static struct str text_or_none(const char *text)
{
    return text ? str_from_c(text) : STR("");
}

static bool add_matcher(struct rule *rule, const struct route_options *options, struct error *err)
{
    const struct matcher_options of = { text_or_none(options->match),
                                        text_or_none(options->pattern) };
    struct error why = { 0 };
    const struct pattern_report report = { .problem = pattern_first_problem, .self = &why };

    return matcher_create(&of, &report, &rule->matcher) || fail(err, ERR_CONFIG, "%s", why.text);
}

/* The name that the output's records have. */
static struct str name_output(const char *route, size_t index)
{
    CLEANUP(buf_done) struct buf name;

    buf_init(&name, SIZE_MAX);
    buf_add(&name, str_from_c(route));
    if (index > 0)
        buf_printf(&name, "#%zu", index + 1);
    return (struct str){ mem_copy(name.ptr, name.len), name.len };
}

static bool add_outputs(struct rule *rule, const struct route_options *options, struct error *err)
{
    rule->outputs = mem_alloc_array(options->output_count, sizeof(*rule->outputs));
    rule->route.outputs = rule->outputs;
    for (size_t i = 0; i < options->output_count; i++) {
        struct route_output *output = &rule->outputs[i];

        if (!transform_load(options->outputs[i].transform, &output->transform, err))
            return false;
        output->name = name_output(options->name, i);
        output->sinks = options->outputs[i].sinks;
        rule->route.output_count++;
    }
    return true;
}

static bool fill(struct rule *rule, const struct route_options *options, struct error *err)
{
    if (!add_matcher(rule, options, err))
        return false;
    if (!json_pointer_create(str_from_c(options->id), &rule->route.id, err))
        return fail_within(err, "id");
    if (options->drop)
        return true;
    if (!json_pointer_create(str_from_c(options->payload), &rule->route.payload, err))
        return fail_within(err, "payload");
    return add_outputs(rule, options, err);
}

static void name_schema(struct rule *rule, const struct route_options *options,
                        struct catalog *catalog)
{
    rule->schema = mem_copy_string(options->schema);
    rule->registry = mem_copy_string(options->registry);
    rule->route.schema = rule->schema;
    rule->route.registry = rule->registry;
    rule->route.live = catalog_add(catalog, options->registry, options->schema);
    catalog_name_route(catalog, rule->route.live, options->name);
}

static void add_shadow(struct rule *rule, const struct route_options *options,
                       struct catalog *catalog)
{
    const struct catalog_shadow shadow = {
        .route = options->name,
        .registry = options->registry,
        .schema = options->schema,
        .version = text_or_none(options->shadow_version).ptr,
        .file = text_or_none(options->shadow_file).ptr,
    };

    if (*shadow.version || *shadow.file)
        rule->route.shadow = catalog_add_shadow(catalog, &shadow);
}

static void index_rule(struct routes *routes, const struct rule *rule)
{
    for (size_t i = 0; i < MATCHER_MEMBERS; i++) {
        size_t count;
        const struct str *texts = matcher_texts(rule->matcher, (enum matcher_member)i, &count);

        route_index_add(&routes->indexes[i], rule, texts, count);
    }
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
    rule->name = mem_copy_string(options->name);
    rule->route.name = str_from_c(rule->name);
    rule->route.drop = options->drop;
    rule->route.number = routes->all.count + 1;
    if (!options->drop) {
        name_schema(rule, options, catalog);
        add_shadow(rule, options, catalog);
    }
    route_list_add(&routes->all, rule);
    index_rule(routes, rule);
    return true;
}

/* The rules to try: those that want a text of the event, and those that take any. */
struct candidates {
    struct route_list named;
    struct route_list others;
    const struct flat *values[MATCHER_MEMBERS]; /* of the event; NULL: absent */
};

static size_t count_of(const struct candidates *candidates)
{
    return candidates->named.count + candidates->others.count;
}

/* The fewest that an index leaves. */
static struct candidates find_candidates(const struct routes *routes, const struct flat *event)
{
    struct candidates best = { .others = routes->all };

    for (size_t i = 0; flat_is_object(event) && i < MATCHER_MEMBERS; i++) {
        const struct route_index *index = &routes->indexes[i];
        const struct flat *value = flat_find(event, matcher_members[i]);

        best.values[i] = value;
        if (!value || !flat_is_string(value))
            continue; /* an array can hold several texts */

        struct route_list named = route_index_find(index, flat_str(value));

        if (named.count + index->others.count < count_of(&best)) {
            best.named = named;
            best.others = index->others;
        }
    }
    return best;
}

/* The next of both lists, which are in the order of the routes. */
static const struct rule *take_next(struct candidates *candidates)
{
    struct route_list *named = &candidates->named;
    struct route_list *others = &candidates->others;
    struct route_list *from = named;

    if (named->count == 0 ||
        (others->count > 0 && others->rules[0]->route.number < named->rules[0]->route.number))
        from = others;
    from->count--;
    return *from->rules++;
}

/*
 * The steps of a budget for one rule, which may look at each value of the event. Numbers of many
 * digits take longest.
 */
static uint64_t weigh(const struct flat *event)
{
    enum { LEAST = 16, PER_STEP = 16, FEW_DIGITS = 15, PER_DIGIT = 64 };
    uint64_t weight = event->size;

    for (uint32_t i = 0; i < event->size; i++)
        if (flat_is_string(&event[i]))
            weight += event[i].len;
        else if (flat_is_number(&event[i]) && event[i].len > FEW_DIGITS)
            weight += (uint64_t)event[i].len * PER_DIGIT;
    return LEAST + weight / PER_STEP;
}

bool routes_find(const struct routes *routes, const struct flat *event,
                 struct schema_budget *budget, const struct route **out, struct error *err)
{
    struct candidates candidates = find_candidates(routes, event);
    uint64_t steps = weigh(event);

    while (count_of(&candidates) > 0) {
        const struct rule *rule = take_next(&candidates);

        if (!schema_budget_spend(budget, steps))
            return fail(err, ERR_TOO_EXPENSIVE, "%s", schema_verdict_text(SCHEMA_TOO_EXPENSIVE));
        if (matcher_may_fit(rule->matcher, candidates.values) &&
            matcher_fits(rule->matcher, event)) {
            *out = &rule->route;
            return true;
        }
    }
    return fail(err, ERR_NOT_FOUND, "No route for this event");
}

size_t routes_count(const struct routes *routes)
{
    return routes->all.count;
}

const struct route *routes_at(const struct routes *routes, size_t index)
{
    return &routes->all.rules[index]->route;
}

bool routes_explain(const struct routes *routes, size_t index, const struct flat *event,
                    struct arena *arena, struct matcher_miss *miss)
{
    return matcher_explain(routes->all.rules[index]->matcher, event, arena, miss);
}
