/*
 * compile_members.c - compile the keywords for properties of objects.
 */
#include "schema/compile.h"

static size_t count_members(struct json_object *object)
{
    return (size_t)json_object_object_length(object);
}

/* One target for each member of `value`, an object whose members are schemas. */
static bool compile_map(struct compiler *compiler, const struct keyword *keyword,
                        struct json_object *value, struct target **out)
{
    size_t i = 0;

    if (!json_is_object(value))
        return compile_fail(compiler, keyword->name, "expected an object");
    *out = compile_alloc_targets(compiler, count_members(value));
    for (JSON_EACH(member, value)) {
        if (!compile_target(compiler, keyword->name, json_value(member), &(*out)[i++]))
            return false;
    }
    return true;
}

static const struct str *copy_names(struct arena *arena, struct json_object *object)
{
    struct str *names = arena_alloc(arena, (count_members(object) + 1) * sizeof(struct str));
    size_t i = 0;

    for (JSON_EACH(member, object))
        names[i++] = arena_copy(arena, str_from_c(json_key(member)));
    return names;
}

bool compile_properties(struct compiler *compiler, const struct keyword *keyword,
                        struct json_object *value)
{
    struct target *targets = NULL;

    if (!compile_map(compiler, keyword, value, &targets))
        return false;

    struct rule *rule = compile_rule(compiler, RULE_PROPERTIES, keyword->name, KIND_OBJECT);

    rule->targets = targets;
    rule->target_count = (uint32_t)count_members(value);
    rule->u.names.names = copy_names(compiler->schema->arena, value);
    rule->u.names.count = rule->target_count;
    return true;
}

bool compile_pattern_properties(struct compiler *compiler, const struct keyword *keyword,
                                struct json_object *value)
{
    struct target *targets = NULL;
    size_t i = 0;

    if (!compile_map(compiler, keyword, value, &targets))
        return false;

    size_t count = count_members(value);
    struct pattern *patterns =
        arena_alloc(compiler->schema->arena, (count + 1) * sizeof(struct pattern));

    for (JSON_EACH(member, value)) {
        patterns[i].text = arena_copy(compiler->schema->arena, str_from_c(json_key(member)));
        if (!compile_regex(compiler, keyword->name, patterns[i].text, &patterns[i].regex))
            return false;
        i++;
    }

    struct rule *rule = compile_rule(compiler, RULE_PATTERN_PROPERTIES, keyword->name, KIND_OBJECT);

    rule->targets = targets;
    rule->target_count = (uint32_t)count;
    rule->u.patterns = patterns;
    return true;
}

/* Add a rule with one target, the schema `value`. */
static bool compile_one(struct compiler *compiler, enum rule_op op, const struct keyword *keyword,
                        struct json_object *value)
{
    struct target *target = compile_alloc_targets(compiler, 1);

    if (!compile_target(compiler, keyword->name, value, target))
        return false;

    struct rule *rule = compile_rule(compiler, op, keyword->name, KIND_OBJECT);

    rule->targets = target;
    rule->target_count = 1;
    return true;
}

bool compile_additional_properties(struct compiler *compiler, const struct keyword *keyword,
                                   struct json_object *value)
{
    return compile_one(compiler, RULE_ADDITIONAL_PROPERTIES, keyword, value);
}

bool compile_property_names(struct compiler *compiler, const struct keyword *keyword,
                            struct json_object *value)
{
    return compile_one(compiler, RULE_PROPERTY_NAMES, keyword, value);
}

bool compile_required(struct compiler *compiler, const struct keyword *keyword,
                      struct json_object *value)
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
                              struct json_object *value, struct dependent *dependent,
                              struct target *target)
{
    bool names = json_is_array(value) ? keyword->id != KEYWORD_DEPENDENT_SCHEMAS
                                      : keyword->id == KEYWORD_DEPENDENT_REQUIRED;

    if (names)
        return compile_names(compiler, keyword->name, value, &dependent->needed,
                             &dependent->needed_count);
    return compile_target(compiler, keyword->name, value, target);
}

bool compile_dependents(struct compiler *compiler, const struct keyword *keyword,
                        struct json_object *value)
{
    size_t i = 0;

    if (!json_is_object(value))
        return compile_fail(compiler, keyword->name, "expected an object");

    size_t count = count_members(value);
    struct target *targets = compile_alloc_targets(compiler, count);
    struct dependent *dependents =
        arena_alloc(compiler->schema->arena, (count + 1) * sizeof(struct dependent));

    for (JSON_EACH(member, value)) {
        dependents[i].name = arena_copy(compiler->schema->arena, str_from_c(json_key(member)));
        if (!compile_dependent(compiler, keyword, json_value(member), &dependents[i], &targets[i]))
            return false;
        i++;
    }

    struct rule *rule = compile_rule(compiler, RULE_DEPENDENTS, keyword->name, KIND_OBJECT);

    rule->targets = targets;
    rule->target_count = (uint32_t)count;
    rule->u.dependents = dependents;
    return true;
}
