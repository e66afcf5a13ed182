/*
 * compile_members.c - compile the keywords for properties of objects.
 */
#include "schema/compile.h"

/* One target for each member of `value`, an object whose members are schemas. */
static bool compile_map(struct compiler *compiler, const struct keyword *keyword,
                        const struct flat *value, struct target **out)
{
    if (!flat_is_object(value))
        return compile_fail(compiler, keyword->name, "expected an object");
    *out = compile_alloc_targets(compiler, flat_count(value));
    for (FLAT_EACH(member, value)) {
        if (!compile_target(compiler, keyword->name, member, &(*out)[member->index]))
            return false;
    }
    return true;
}

static const struct str *copy_names(struct arena *arena, const struct flat *object)
{
    struct str *names = arena_alloc(arena, (flat_count(object) + 1) * sizeof(struct str));

    for (FLAT_EACH(member, object))
        names[member->index] = arena_copy(arena, flat_key(member));
    return names;
}

bool compile_properties(struct compiler *compiler, const struct keyword *keyword,
                        const struct flat *value)
{
    struct target *targets = NULL;

    if (!compile_map(compiler, keyword, value, &targets))
        return false;

    struct rule *rule = compile_rule(compiler, RULE_PROPERTIES, keyword->name, KIND_OBJECT);

    rule->targets = targets;
    rule->target_count = (uint32_t)flat_count(value);
    rule->u.names.names = copy_names(compiler->schema->arena, value);
    rule->u.names.count = rule->target_count;
    return true;
}

bool compile_pattern_properties(struct compiler *compiler, const struct keyword *keyword,
                                const struct flat *value)
{
    struct target *targets = NULL;

    if (!compile_map(compiler, keyword, value, &targets))
        return false;

    size_t count = flat_count(value);
    struct pattern *patterns =
        arena_alloc(compiler->schema->arena, (count + 1) * sizeof(struct pattern));

    for (FLAT_EACH(member, value)) {
        struct pattern *pattern = &patterns[member->index];

        pattern->text = arena_copy(compiler->schema->arena, flat_key(member));
        if (!compile_regex(compiler, keyword->name, pattern->text, &pattern->regex))
            return false;
    }

    struct rule *rule = compile_rule(compiler, RULE_PATTERN_PROPERTIES, keyword->name, KIND_OBJECT);

    rule->targets = targets;
    rule->target_count = (uint32_t)count;
    rule->u.patterns = patterns;
    return true;
}

bool compile_additional_properties(struct compiler *compiler, const struct keyword *keyword,
                                   const struct flat *value)
{
    return compile_schema_rule(compiler, RULE_ADDITIONAL_PROPERTIES, keyword, value, KIND_OBJECT) !=
           NULL;
}

bool compile_property_names(struct compiler *compiler, const struct keyword *keyword,
                            const struct flat *value)
{
    return compile_schema_rule(compiler, RULE_PROPERTY_NAMES, keyword, value, KIND_OBJECT) != NULL;
}

bool compile_required(struct compiler *compiler, const struct keyword *keyword,
                      const struct flat *value)
{
    const struct str *names = NULL;
    uint32_t count = 0;

    if (!compile_names(compiler, keyword->name, value, &names, &count))
        return false;

    struct rule *rule = compile_rule(compiler, RULE_REQUIRED, keyword->name, KIND_OBJECT);

    rule->u.names.names = names;
    rule->u.names.count = count;
    return true;
}

/* dependencies, dependentRequired, dependentSchemas */

static bool compile_dependent(struct compiler *compiler, const struct keyword *keyword,
                              const struct flat *value, struct dependent *dependent,
                              struct target *target)
{
    bool names = flat_is_array(value) ? keyword->id != KEYWORD_DEPENDENT_SCHEMAS
                                      : keyword->id == KEYWORD_DEPENDENT_REQUIRED;

    if (names)
        return compile_names(compiler, keyword->name, value, &dependent->needed,
                             &dependent->needed_count);
    return compile_target(compiler, keyword->name, value, target);
}

bool compile_dependents(struct compiler *compiler, const struct keyword *keyword,
                        const struct flat *value)
{
    if (!flat_is_object(value))
        return compile_fail(compiler, keyword->name, "expected an object");

    size_t count = flat_count(value);
    struct target *targets = compile_alloc_targets(compiler, count);
    struct dependent *dependents =
        arena_alloc(compiler->schema->arena, (count + 1) * sizeof(struct dependent));

    for (FLAT_EACH(member, value)) {
        struct dependent *dependent = &dependents[member->index];

        dependent->name = arena_copy(compiler->schema->arena, flat_key(member));
        if (!compile_dependent(compiler, keyword, member, dependent, &targets[member->index]))
            return false;
    }

    struct rule *rule = compile_rule(compiler, RULE_DEPENDENTS, keyword->name, KIND_OBJECT);

    rule->targets = targets;
    rule->target_count = (uint32_t)count;
    rule->u.dependents = dependents;
    return true;
}
