/*
 * compile_plan.c - build the plan of each node: the order in which the checker applies its rules.
 *
 * Cheap rules come first. One rule (RULE_MEMBERS) replaces those for an object's properties.
 * unevaluated* comes after the rules that it depends on.
 */
#include "schema/compile.h"

#include "base/memory.h"

/* The order of a plan: rules that are cheap, or often fail, come first. */
static const uint8_t ranks[RULE_COUNT] = {
    [RULE_ENUM] = 1,
    [RULE_CONST] = 1,
    [RULE_MINIMUM] = 2,
    [RULE_MAXIMUM] = 2,
    [RULE_EXCLUSIVE_MINIMUM] = 2,
    [RULE_EXCLUSIVE_MAXIMUM] = 2,
    [RULE_MULTIPLE_OF] = 2,
    [RULE_MIN_LENGTH] = 3,
    [RULE_MAX_LENGTH] = 3,
    [RULE_MIN_ITEMS] = 3,
    [RULE_MAX_ITEMS] = 3,
    [RULE_FORMAT] = 4,
    [RULE_PATTERN] = 5,
    [RULE_MEMBERS] = 6,
    [RULE_PREFIX_ITEMS] = 6,
    [RULE_ITEMS] = 6,
    [RULE_PROPERTY_NAMES] = 7,
    [RULE_REF] = 8,
    [RULE_DYNAMIC_REF] = 8,
    [RULE_ALL_OF] = 8,
    [RULE_IF] = 9,
    [RULE_DEPENDENTS] = 9,
    [RULE_NOT] = 10,
    [RULE_ANY_OF] = 11,
    [RULE_ONE_OF] = 11,
    [RULE_CONTAINS] = 12,
    [RULE_UNIQUE_ITEMS] = 13,
    [RULE_UNEVALUATED_ITEMS] = 14,
    [RULE_UNEVALUATED_PROPERTIES] = 14,
    [RULE_DANGLING] = 15,
};

static const uint64_t about_members =
    RULE_BIT(RULE_MIN_PROPERTIES) | RULE_BIT(RULE_MAX_PROPERTIES) | RULE_BIT(RULE_REQUIRED) |
    RULE_BIT(RULE_PROPERTIES) | RULE_BIT(RULE_PATTERN_PROPERTIES) |
    RULE_BIT(RULE_ADDITIONAL_PROPERTIES);

/* Members. */

static uint32_t count_names(const struct node *node)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < node->rule_count; i++) {
        if (node->rules[i].op == RULE_PROPERTIES)
            count += node->rules[i].target_count;
        else if (node->rules[i].op == RULE_REQUIRED)
            count += node->rules[i].u.names.count;
    }
    return count;
}

static void add_properties(struct members *members, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        uint32_t number = lookup_names_add(&members->names, rule->u.names.names[i]);

        members->slots[number].node = rule->targets[i].fast;
    }
}

static void add_required(struct members *members, const struct rule *rule, struct arena *arena)
{
    unsigned bits = (unsigned)__builtin_popcountll(members->required);
    size_t count = rule->u.names.count;

    if (count > 64 - bits) {
        size_t before = members->also_required_count;
        struct str *more = arena_alloc(arena, (before + count) * sizeof(struct str));

        if (before > 0)
            memcpy(more, members->also_required, before * sizeof(struct str));
        members->also_required = more;
    }
    for (size_t i = 0; i < count; i++) {
        struct str name = rule->u.names.names[i];
        struct slot *slot = &members->slots[lookup_names_add(&members->names, name)];

        if (slot->required != 0)
            continue;
        if (bits == 64) {
            members->also_required[members->also_required_count++] = name;
            continue;
        }
        slot->required = UINT64_C(1) << bits++;
        members->required |= slot->required;
    }
}

static void add_rule(struct members *members, const struct rule *rule)
{
    switch (rule->op) {
    case RULE_PROPERTIES:
        add_properties(members, rule);
        break;
    case RULE_PATTERN_PROPERTIES:
        members->patterns = rule->u.patterns;
        members->pattern_targets = rule->targets;
        members->pattern_count = rule->target_count;
        break;
    case RULE_ADDITIONAL_PROPERTIES:
        members->additional = rule->targets[0];
        break;
    case RULE_MIN_PROPERTIES:
        members->min = rule->u.limit;
        break;
    case RULE_MAX_PROPERTIES:
        members->max = rule->u.limit;
        break;
    default:
        break;
    }
}

static void find_symbols(struct members *members, const struct schema *schema)
{
    lookup_reserve(&members->by_symbol, schema->arena, members->names.count);
    for (uint32_t i = 0; i < members->names.count; i++) {
        const struct json_symbol *symbol =
            json_symbols_add(schema->symbols, members->names.names[i]);

        if (symbol)
            lookup_add(&members->by_symbol, schema->arena, symbol->index, i);
    }
}

static struct members *begin_members(const struct schema *schema, uint32_t count)
{
    struct members *members = arena_alloc(schema->arena, sizeof(*members));

    members->additional = (struct target){ NO_NODE, NO_NODE };
    members->max = UINT64_MAX;
    lookup_names_init(&members->names, schema->arena, count);
    members->slots = arena_alloc(schema->arena, (count + 1) * sizeof(struct slot));
    for (uint32_t i = 0; i < count; i++)
        members->slots[i] = (struct slot){ .node = NO_NODE };
    return members;
}

/* The data of RULE_MEMBERS; NULL: the node has no rule for properties. */
static struct members *build_members(const struct schema *schema, const struct node *node)
{
    if ((node->ops & about_members) == 0)
        return NULL;

    struct members *members = begin_members(schema, count_names(node));

    for (uint32_t i = 0; i < node->rule_count; i++)
        add_rule(members, &node->rules[i]);
    for (uint32_t i = 0; i < node->rule_count; i++) {
        if (node->rules[i].op == RULE_REQUIRED)
            add_required(members, &node->rules[i], schema->arena);
    }
    if (schema->symbols)
        find_symbols(members, schema);
    members->open = members->pattern_count == 0 && members->additional.node == NO_NODE;
    return members;
}

/* Plans. */

/* The kinds that the test of node.types in check_node() accepts. */
static unsigned accepted_kinds(const struct node *node)
{
    return node->types | (node->whole ? KIND_DOUBLE : 0U);
}

static bool is_planned(const struct node *node, const struct rule *rule)
{
    return (RULE_BIT(rule->op) & (about_members | RULE_BIT(RULE_TYPE))) == 0 &&
           (rule->kinds & accepted_kinds(node)) != 0;
}

/* Are the rules from `first` on a plan already? Then no copy is needed. */
static bool is_in_order(const struct node *node, uint32_t first)
{
    for (uint32_t i = first; i < node->rule_count; i++) {
        if (!is_planned(node, &node->rules[i]) ||
            (i > first && ranks[node->rules[i - 1].op] > ranks[node->rules[i].op]))
            return false;
    }
    return true;
}

static void copy_plan(const struct schema *schema, struct node *node)
{
    struct rule *plan =
        arena_alloc(schema->arena, ((size_t)node->rule_count + 1) * sizeof(struct rule));
    uint32_t count = 0;

    for (uint32_t i = 0; i < node->rule_count; i++) {
        if (is_planned(node, &node->rules[i]))
            plan[count++] = node->rules[i];
    }
    if (node->members)
        plan[count++] =
            (struct rule){ .op = RULE_MEMBERS, .kinds = KIND_OBJECT, .u.members = node->members };
    node->plan = plan;
    node->plan_count = count;
}

static void sort_plan(struct rule *plan, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct rule rule = plan[i];
        uint32_t at = i;

        while (at > 0 && ranks[plan[at - 1].op] > ranks[rule.op]) {
            plan[at] = plan[at - 1];
            at--;
        }
        plan[at] = rule;
    }
}

static void build_plan(const struct schema *schema, struct node *node)
{
    uint32_t first = node->rule_count > 0 && node->rules[0].op == RULE_TYPE;

    node->members = build_members(schema, node);
    if (!node->members && is_in_order(node, first)) {
        node->plan = node->rules + first;
        node->plan_count = node->rule_count - first;
    } else {
        copy_plan(schema, node);
        sort_plan(node->plan, node->plan_count);
    }
    for (uint32_t i = 0; i < node->plan_count; i++)
        node->plan_kinds |= node->plan[i].kinds;
}

void compile_plans(struct compiler *compiler)
{
    struct schema *schema = compiler->schema;

    for (uint32_t i = 0; i < schema->node_count; i++)
        schema->tracks = schema->tracks || schema->nodes[i].tracks;
    for (uint32_t i = 0; i < schema->node_count; i++) {
        if (schema->nodes[i].rule_count > 0)
            build_plan(schema, &schema->nodes[i]);
    }
}
