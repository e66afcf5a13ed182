/*
 * compile_applicators.c - keywords with subschemas, except those for properties; references.
 */
#include "schema/compile.h"

#include "base/memory.h"

/* Add a rule with one target for each schema of the array `value`. */
static bool add_schemas(struct compiler *compiler, enum rule_op op, const struct keyword *keyword,
                        const struct flat *value, uint8_t kinds)
{
    if (!flat_is_array(value))
        return compile_fail(compiler, keyword->name, "expected an array");

    size_t count = flat_count(value);
    struct target *targets = compile_alloc_targets(compiler, count);

    for (FLAT_EACH(subschema, value)) {
        if (!compile_target(compiler, keyword->name, subschema, &targets[subschema->index]))
            return false;
    }

    struct rule *rule = compile_rule(compiler, op, keyword->name, kinds);

    rule->targets = targets;
    rule->target_count = (uint32_t)count;
    return true;
}

/* Items. */

static uint32_t prefix_length(const struct compiler *compiler, const char *keyword)
{
    const struct flat *prefix = compile_sibling(compiler, keyword);

    return prefix && flat_is_array(prefix) ? (uint32_t)flat_count(prefix) : 0;
}

bool compile_items(struct compiler *compiler, const struct keyword *keyword,
                   const struct flat *value)
{
    bool modern = compiler->dialect.draft == SCHEMA_DRAFT_2020_12;

    if (flat_is_array(value) && !modern)
        return add_schemas(compiler, RULE_PREFIX_ITEMS, keyword, value, KIND_ARRAY);

    struct rule *rule = compile_schema_rule(compiler, RULE_ITEMS, keyword, value, KIND_ARRAY);

    if (!rule)
        return false;
    rule->flag = modern;
    rule->offset = modern ? prefix_length(compiler, "prefixItems") : 0;
    return true;
}

bool compile_prefix_items(struct compiler *compiler, const struct keyword *keyword,
                          const struct flat *value)
{
    return add_schemas(compiler, RULE_PREFIX_ITEMS, keyword, value, KIND_ARRAY);
}

bool compile_additional_items(struct compiler *compiler, const struct keyword *keyword,
                              const struct flat *value)
{
    const struct flat *items = compile_sibling(compiler, "items");

    /* additionalItems has no effect unless `items` is an array. */
    if (!items || !flat_is_array(items))
        return true;

    struct rule *rule = compile_schema_rule(compiler, RULE_ITEMS, keyword, value, KIND_ARRAY);

    if (!rule)
        return false;
    rule->flag = true;
    rule->offset = (uint32_t)flat_count(items);
    return true;
}

static bool read_count(struct compiler *compiler, const char *keyword, uint64_t *count)
{
    const struct flat *value = compile_sibling(compiler, keyword);
    int64_t integer;

    if (!value)
        return true;
    if (!flat_is_number(value))
        return compile_fail(compiler, keyword, "expected a non-negative integer");
    if (!flat_int64(value, &integer))
        *count = UINT64_MAX;
    else if (integer >= 0)
        *count = (uint64_t)integer;
    else
        return compile_fail(compiler, keyword, "expected a non-negative integer");
    return true;
}

bool compile_contains(struct compiler *compiler, const struct keyword *keyword,
                      const struct flat *value)
{
    uint64_t min = 1;
    uint64_t max = UINT64_MAX;

    if (!read_count(compiler, "minContains", &min) || !read_count(compiler, "maxContains", &max))
        return false;

    struct rule *rule = compile_schema_rule(compiler, RULE_CONTAINS, keyword, value, KIND_ARRAY);

    if (!rule)
        return false;
    rule->flag = compiler->dialect.draft == SCHEMA_DRAFT_2020_12;
    rule->modern = compiler->dialect.draft <= SCHEMA_DRAFT_2019_09;
    rule->u.contains.min = min;
    rule->u.contains.max = max;
    return true;
}

bool compile_unevaluated(struct compiler *compiler, const struct keyword *keyword,
                         const struct flat *value)
{
    bool items = keyword->id == KEYWORD_UNEVALUATED_ITEMS;

    compiler->schema->nodes[compiler->node].tracks = true;
    return compile_schema_rule(compiler,
                               items ? RULE_UNEVALUATED_ITEMS : RULE_UNEVALUATED_PROPERTIES,
                               keyword, value, items ? KIND_ARRAY : KIND_OBJECT) != NULL;
}

/* In-place applicators. */

bool compile_schemas(struct compiler *compiler, const struct keyword *keyword,
                     const struct flat *value)
{
    enum rule_op op = keyword->id == KEYWORD_ALL_OF   ? RULE_ALL_OF
                      : keyword->id == KEYWORD_ANY_OF ? RULE_ANY_OF
                                                      : RULE_ONE_OF;

    return add_schemas(compiler, op, keyword, value, KIND_ALL);
}

bool compile_not(struct compiler *compiler, const struct keyword *keyword, const struct flat *value)
{
    return compile_schema_rule(compiler, RULE_NOT, keyword, value, KIND_ALL) != NULL;
}

bool compile_if(struct compiler *compiler, const struct keyword *keyword, const struct flat *value)
{
    struct target *targets = compile_alloc_targets(compiler, 3);
    const struct flat *when_true = compile_sibling(compiler, "then");
    const struct flat *when_false = compile_sibling(compiler, "else");

    if (!compile_target(compiler, keyword->name, value, &targets[0]) ||
        (when_true && !compile_target(compiler, "then", when_true, &targets[1])) ||
        (when_false && !compile_target(compiler, "else", when_false, &targets[2])))
        return false;

    struct rule *rule = compile_rule(compiler, RULE_IF, keyword->name, KIND_ALL);

    rule->targets = targets;
    rule->target_count = 3;
    return true;
}

/* References. */

static bool add_reference(struct compiler *compiler, const struct keyword *keyword,
                          const struct flat *value, struct reference *reference)
{
    struct library *library = &compiler->library;

    if (!flat_is_string(value))
        return compile_fail(compiler, keyword->name, "expected a string");
    if (!library_resolve(library, compiler->location, flat_str(value), reference, compiler->err))
        return compile_fail_within(compiler, keyword->name);
    if (reference->location == NO_LOCATION) {
        compile_warn(compiler, keyword->name, "\"%.*s\" leads nowhere", STR_ARG(flat_str(value)));
        (void)compile_rule(compiler, RULE_DANGLING, keyword->name, KIND_ALL);
        return true;
    }

    struct target *target = compile_alloc_targets(compiler, 1);

    target->node = compile_node_at(compiler, reference->location);
    target->fast = target->node;

    struct rule *rule = compile_rule(compiler, RULE_REF, keyword->name, KIND_ALL);

    rule->targets = target;
    rule->target_count = 1;
    return true;
}

bool compile_ref(struct compiler *compiler, const struct keyword *keyword, const struct flat *value)
{
    struct reference reference;

    return add_reference(compiler, keyword, value, &reference);
}

/* The first dynamic rule with the same candidate targets as `dynamic`, which may be `dynamic`. */
static uint32_t find_same(struct compiler *compiler, const struct dynamic_rule *dynamic)
{
    uint32_t hash = lookup_hash(dynamic->anchor);
    struct lookup_walk walk = lookup_walk(&compiler->dynamic_names, hash);

    for (uint32_t i = lookup_next(&walk); i != LOOKUP_NONE; i = lookup_next(&walk)) {
        const struct dynamic_rule *other = &compiler->dynamics[i];

        if (other->recursive == dynamic->recursive && str_equal(other->anchor, dynamic->anchor))
            return i;
    }
    lookup_add(&compiler->dynamic_names, compiler->library.arena, hash, compiler->dynamic_count);
    return compiler->dynamic_count;
}

/* Make the last rule a RULE_DYNAMIC_REF. */
static void make_dynamic(struct compiler *compiler, struct dynamic_rule dynamic)
{
    compiler->rules[compiler->rule_count - 1].op = RULE_DYNAMIC_REF;
    dynamic.node = compiler->node;
    dynamic.rule = compiler->rule_count - 1;
    dynamic.same_as = find_same(compiler, &dynamic);
    compiler->dynamics = mem_grow(compiler->dynamics, compiler->dynamic_count,
                                  &compiler->dynamic_capacity, sizeof(struct dynamic_rule));
    compiler->dynamics[compiler->dynamic_count++] = dynamic;
    compiler->schema->dynamic = true;
}

bool compile_dynamic_ref(struct compiler *compiler, const struct keyword *keyword,
                         const struct flat *value)
{
    struct reference reference = { 0 };

    if (!add_reference(compiler, keyword, value, &reference))
        return false;
    if (reference.anchor && reference.anchor->dynamic)
        make_dynamic(compiler, (struct dynamic_rule){ .anchor = reference.anchor->name });
    return true;
}

bool compile_recursive_ref(struct compiler *compiler, const struct keyword *keyword,
                           const struct flat *value)
{
    const struct library *library = &compiler->library;
    struct reference reference = { 0 };

    if (!add_reference(compiler, keyword, value, &reference))
        return false;
    if (reference.location == NO_LOCATION)
        return true;

    const struct resource *resource =
        &library->resources[library->locations[reference.location].resource];

    if (resource->recursive && resource->location == reference.location)
        make_dynamic(compiler, (struct dynamic_rule){ .recursive = true });
    return true;
}
