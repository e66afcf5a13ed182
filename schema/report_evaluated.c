/*
 * report_evaluated.c - mark the evaluated properties and items of values that may be invalid.
 *
 * For a valid value the marks are those of the checker. For an invalid one they are those of
 * jsonschema 4.26: a property is evaluated if `properties` or patternProperties has a subschema for
 * it, even when it is invalid, so that it is not reported a second time as unevaluated; a subschema
 * of allOf, anyOf or oneOf marks properties only if the value is valid against it.
 */
/* NOLINTBEGIN(misc-no-recursion): bounded by CHECK_DEPTH_MAX */
#include "schema/report.h"

struct marking {
    struct reporter *reporter;
    const struct flat *value;
    struct evaluated *seen;
};

static void mark_node(const struct marking *marking, const struct node *node, bool outermost);

static bool passes(const struct marking *marking, const struct target *target,
                   const struct flat *value)
{
    return check_node(&marking->reporter->check, target->fast, value, NULL);
}

static void mark_members(const struct marking *marking, const struct members *members)
{
    for (FLAT_EACH(member, marking->value)) {
        bool additional = report_is_additional(marking->reporter, members, member);

        if (!additional ||
            (members->additional.node != NO_NODE && passes(marking, &members->additional, member)))
            evaluated_mark(marking->seen, member->index);
    }
}

static void mark_items(const struct marking *marking, const struct rule *rule)
{
    size_t count = flat_count(marking->value);

    if (rule->op == RULE_ITEMS)
        marking->seen->all = true;
    for (size_t i = 0; i < rule->target_count && i < count; i++)
        evaluated_mark(marking->seen, i);
}

static void mark_unevaluated(const struct marking *marking, const struct rule *rule)
{
    for (FLAT_EACH(child, marking->value)) {
        if (passes(marking, rule->targets, child))
            evaluated_mark(marking->seen, child->index);
    }
}

/* Mark what a subschema evaluates, even if the value is invalid. */
static void mark_target(const struct marking *marking, const struct target *target)
{
    struct check *check = &marking->reporter->check;
    const struct schema *schema = check->schema;

    if (target->node == NO_NODE || !check_spend(check, 1))
        return;
    if (check->depth == CHECK_DEPTH_MAX) {
        (void)check_stop(check);
        return;
    }
    check->depth++;

    const struct node *node = &schema->nodes[target->fast];
    bool entered = check_enter(check, node->resource);

    mark_node(marking, node, false);
    if (entered)
        check_leave(check);
    check->depth--;
}

static void mark_if(const struct marking *marking, const struct rule *rule)
{
    struct check *check = &marking->reporter->check;
    bool holds = check_branch(check, rule->targets[0].fast, marking->value, marking->seen);

    mark_target(marking, &rule->targets[holds ? 1 : 2]);
}

static void mark_dependents(const struct marking *marking, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        if (flat_find(marking->value, rule->u.dependents[i].name))
            mark_target(marking, &rule->targets[i]);
    }
}

static void mark_branches(const struct marking *marking, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->target_count; i++)
        (void)check_branch(&marking->reporter->check, rule->targets[i].fast, marking->value,
                           marking->seen);
}

static void mark_rule(const struct marking *marking, const struct rule *rule)
{
    switch (rule->op) {
    case RULE_ITEMS:
    case RULE_PREFIX_ITEMS:
        mark_items(marking, rule);
        break;
    case RULE_CONTAINS:
        (void)check_rule(&marking->reporter->check, rule, marking->value, marking->seen);
        break;
    case RULE_REF:
        mark_target(marking, rule->targets);
        break;
    case RULE_DYNAMIC_REF:
        mark_target(marking, check_dynamic(&marking->reporter->check, rule));
        break;
    case RULE_IF:
        mark_if(marking, rule);
        break;
    case RULE_DEPENDENTS:
        mark_dependents(marking, rule);
        break;
    case RULE_ALL_OF:
    case RULE_ANY_OF:
    case RULE_ONE_OF:
        mark_branches(marking, rule);
        break;
    default:
        break;
    }
}

/* Uses node.rules, because a plan omits rules for the kinds that the node's `type` excludes. */
static void mark_node(const struct marking *marking, const struct node *node, bool outermost)
{
    unsigned kind = kind_bit(marking->value);

    if (kind == KIND_OBJECT && node->members)
        mark_members(marking, node->members);
    for (uint32_t i = 0; i < node->rule_count && !marking->reporter->check.stopped; i++) {
        const struct rule *rule = &node->rules[i];
        bool last = rule->op == RULE_UNEVALUATED_ITEMS || rule->op == RULE_UNEVALUATED_PROPERTIES;

        if ((rule->kinds & kind) == 0)
            continue;
        if (!last)
            mark_rule(marking, rule);
        else if (!outermost)
            mark_unevaluated(marking, rule);
    }
}

void report_evaluated(struct reporter *reporter, const struct visit *at, struct evaluated *seen)
{
    const struct marking marking = { reporter, at->value, seen };
    unsigned kind = kind_bit(at->value);

    if ((kind & (KIND_OBJECT | KIND_ARRAY)) != 0)
        mark_node(&marking, at->node, true);
}
/* NOLINTEND(misc-no-recursion) */
