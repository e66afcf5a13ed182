/*
 * compile_plan.c - how the checker goes through each node: cheap rules first, the members of an
 * object in one pass, and what asks for "evaluated" last.
 */
#include "schema/compile.h"

#include "base/memory.h"

/* A plan's order: what is cheap, or likely to fail, comes first. */
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
};

static bool is_about_members(const struct rule *rule)
{
    switch (rule->op) {
    case RULE_MIN_PROPERTIES:
    case RULE_MAX_PROPERTIES:
    case RULE_REQUIRED:
    case RULE_PROPERTIES:
    case RULE_PATTERN_PROPERTIES:
    case RULE_ADDITIONAL_PROPERTIES:
        return true;
    default:
        return false;
    }
}

/* Members. */

static uint32_t count_names(const struct node *node)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < node->rule_count; i++) {
        if (node->rules[i].op == RULE_PROPERTIES)
            count += node->rules[i].target_count;
        else if (node->rules[i].op == RULE_REQUIRED)
            count += node->rules[i].u.required.count;
    }
    return count;
}

static void add_properties(struct members *members, const struct rule *rule)
{
    size_t i = 0;

    for (JSON_EACH(member, rule->source)) {
        uint32_t number = keys_add(&members->names, str_from_c(json_key(member)));

        members->slots[number].node = rule->targets[i++].fast;
    }
    members->declared = members->names.count;
}

static void add_required(struct members *members, const struct rule *rule, struct arena *arena)
{
    unsigned bits = 0;
    size_t count = rule->u.required.count;

    members->also_required = arena_alloc(arena, (count + 1) * sizeof(struct str));
    for (size_t i = 0; i < count; i++) {
        struct str name = rule->u.required.names[i];
        uint32_t number = keys_add(&members->names, name);
        struct slot *slot = &members->slots[number];

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
    uint32_t size = members->names.mask + 1;

    members->by_symbol = arena_alloc(schema->arena, size * sizeof(uint32_t));
    members->symbol_mask = size - 1;
    for (uint32_t i = 0; i < members->names.count; i++) {
        const struct key *key = &members->names.keys[i];
        const struct json_symbol *symbol =
            json_symbols_find(schema->symbols, (struct str){ key->ptr, key->len });

        if (!symbol)
            continue;

        uint32_t at = symbol->index & members->symbol_mask;

        while (members->by_symbol[at] != 0)
            at = (at + 1) & members->symbol_mask;
        members->by_symbol[at] = i + 1;
        members->slots[i].symbol = symbol->index;
    }
}

static void hash_names(struct members *members, struct json_object *any)
{
    for (uint32_t i = 0; i < members->names.count; i++)
        members->slots[i].hash =
            lh_get_hash(json_object_get_object(any), members->names.keys[i].ptr);
}

static struct members *build_members(const struct schema *schema, const struct node *node,
                                     struct json_object *any)
{
    struct members *members = arena_alloc(schema->arena, sizeof(*members));
    uint32_t count = count_names(node);
    const struct rule *required = NULL;

    members->additional = (struct target){ NO_NODE, NO_NODE };
    members->max = UINT64_MAX;
    keys_init(&members->names, schema->arena, count);
    members->slots = arena_alloc(schema->arena, (count + 1) * sizeof(struct slot));
    for (uint32_t i = 0; i < count; i++)
        members->slots[i] = (struct slot){ .node = NO_NODE, .symbol = UINT32_MAX };
    for (uint32_t i = 0; i < node->rule_count; i++) {
        add_rule(members, &node->rules[i]);
        if (node->rules[i].op == RULE_REQUIRED)
            required = &node->rules[i];
    }
    if (required)
        add_required(members, required, schema->arena);
    if (schema->symbols)
        find_symbols(members, schema);
    members->open = members->pattern_count == 0 && members->additional.node == NO_NODE;
    if (members->open)
        hash_names(members, any);
    return members;
}

/* Plans. */

/* The kinds that the node's mask lets through. */
static unsigned passing(const struct node *node)
{
    return node->types | (node->whole != WHOLE_NEVER ? KIND_DOUBLE : 0U);
}

static uint32_t plan_rules(const struct schema *schema, struct node *node, struct json_object *any)
{
    struct rule *plan = node->plan;
    uint32_t count = 0;
    bool members = false;

    for (uint32_t i = 0; i < node->rule_count; i++) {
        const struct rule *rule = &node->rules[i];

        if (is_about_members(rule))
            members = true;
        else if (rule->op != RULE_TYPE && (rule->kinds & passing(node)) != 0)
            plan[count++] = *rule;
    }
    if (members) {
        node->members = build_members(schema, node, any);
        plan[count++] =
            (struct rule){ .op = RULE_MEMBERS, .kinds = KIND_OBJECT, .u.members = node->members };
    }
    return count;
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

static void build_plan(const struct schema *schema, struct node *node, struct json_object *any)
{
    if (node->rule_count == 0)
        return;
    node->plan = arena_alloc(schema->arena, node->rule_count * sizeof(struct rule));
    node->plan_count = plan_rules(schema, node, any);
    sort_plan(node->plan, node->plan_count);
    for (uint32_t i = 0; i < node->plan_count; i++)
        node->more |= node->plan[i].kinds;
}

/* Keys. */

static void collect_keys(struct schema *schema)
{
    struct keys keys;
    size_t most = 0;

    for (uint32_t i = 0; i < schema->node_count; i++)
        most += schema->nodes[i].members ? schema->nodes[i].members->names.count : 0;
    keys_init(&keys, schema->arena, most);
    for (uint32_t i = 0; i < schema->node_count; i++) {
        const struct members *members = schema->nodes[i].members;

        for (uint32_t j = 0; members && j < members->names.count; j++)
            (void)keys_add(&keys,
                           (struct str){ members->names.keys[j].ptr, members->names.keys[j].len });
    }
    schema->key_count = keys.count;
    schema->keys = arena_alloc(schema->arena, (keys.count + 1) * sizeof(struct str));
    for (uint32_t i = 0; i < keys.count; i++)
        schema->keys[i] = (struct str){ keys.keys[i].ptr, keys.keys[i].len };
}

void compile_plans(struct compiler *compiler)
{
    struct json_object *any = json_object_new_object();

    for (uint32_t i = 0; i < compiler->schema->node_count; i++)
        build_plan(compiler->schema, &compiler->schema->nodes[i], any);
    json_release(any);
    collect_keys(compiler->schema);
}
