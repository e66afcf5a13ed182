/*
 * report_rules.c - apply each rule of a node, and report its error or those of its subschemas.
 *
 * `not`, `contains` and some others do not report errors of their subschemas. They use the checker.
 */
/* NOLINTBEGIN(misc-no-recursion): bounded by CHECK_DEPTH_MAX */
#include "schema/report.h"

static bool report_failed_rule(struct reporter *reporter, const struct visit *at,
                               const struct rule *rule)
{
    return report_fault(reporter, &(struct fault){ .rule = rule, .at = at });
}

static const struct node *node_of(const struct reporter *reporter, uint32_t number)
{
    return &reporter->check.schema->nodes[number];
}

/* Apply a subschema to the same value. */
static bool visit_in_place(struct reporter *reporter, const struct visit *at,
                           const struct target *target, struct frame frame)
{
    frame.up = at->frame;

    struct visit visit = {
        .node = node_of(reporter, target->node),
        .value = at->value,
        .step = at->step,
        .frame = &frame,
        .is_name = at->is_name,
    };

    return report_visit(reporter, &visit);
}

/* Apply a subschema to a child of the value: a property or an item. */
static bool visit_child(struct reporter *reporter, const struct visit *at,
                        const struct target *target, struct frame frame, const struct flat *child)
{
    struct step step = {
        .up = at->step,
        .key = flat_key(child),
        .index = child->index,
        .depth = at->step ? at->step->depth + 1 : 1,
    };
    struct visit visit = {
        .node = node_of(reporter, target->node),
        .value = child,
        .step = &step,
        .frame = &frame,
        .stepped = true,
    };

    frame.up = at->frame;
    return check_spend(&reporter->check, 1) && report_visit(reporter, &visit);
}

/* Values. */

static bool report_type(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    unsigned kind = kind_bit(at->value);

    if ((rule->u.limit & kind) != 0 || (kind == KIND_DOUBLE && check_whole(at->node, at->value)))
        return true;
    return report_failed_rule(reporter, at, rule);
}

/* A rule with one possible error, which the checker detects. */
static bool report_simple(struct reporter *reporter, const struct visit *at,
                          const struct rule *rule)
{
    return check_rule(&reporter->check, rule, at->value, NULL) ||
           report_failed_rule(reporter, at, rule);
}

/* Items. */

static bool report_prefix_items(struct reporter *reporter, const struct visit *at,
                                const struct rule *rule)
{
    bool ok = true;

    for (FLAT_EACH(item, at->value)) {
        struct frame frame = { .keyword = rule->keyword, .index = item->index };

        if (item->index == rule->target_count)
            break;
        if (!visit_child(reporter, at, &rule->targets[item->index], frame, item))
            ok = false;
    }
    return ok;
}

static bool report_items(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    struct frame frame = { .keyword = rule->keyword, .index = -1 };
    bool ok = true;

    if (rule->flag && node_of(reporter, rule->targets[0].node)->is_false)
        return flat_count(at->value) <= rule->offset || report_failed_rule(reporter, at, rule);
    for (FLAT_EACH(item, at->value)) {
        if (item->index < rule->offset)
            continue;
        if (reporter->check.stopped)
            return false;
        if (!visit_child(reporter, at, &rule->targets[0], frame, item))
            ok = false;
    }
    return ok;
}

static bool report_contains(struct reporter *reporter, const struct visit *at,
                            const struct rule *rule)
{
    struct fault fault = { .kind = FAULT_FEW, .rule = rule, .at = at };

    for (FLAT_EACH(item, at->value)) {
        if (fault.count > rule->u.contains.max)
            break;
        if (!check_spend(&reporter->check, 1))
            return false;
        if (check_node(&reporter->check, rule->targets[0].fast, item, NULL))
            fault.count++;
    }
    if (fault.count > rule->u.contains.max)
        fault.kind = FAULT_MANY;
    else if (fault.count >= rule->u.contains.min)
        return true;
    return report_fault(reporter, &fault);
}

/* unevaluatedItems, unevaluatedProperties */
static bool report_unevaluated(struct reporter *reporter, const struct visit *at,
                               const struct rule *rule)
{
    for (FLAT_EACH(child, at->value)) {
        if (!evaluated_has(at->seen, child->index) &&
            !check_node(&reporter->check, rule->targets[0].fast, child, NULL))
            return report_failed_rule(reporter, at, rule);
    }
    return true;
}

/* Members. */

static bool report_properties(struct reporter *reporter, const struct visit *at,
                              const struct rule *rule)
{
    bool ok = true;

    for (uint32_t i = 0; i < rule->target_count && !reporter->check.stopped; i++) {
        struct frame frame = { .keyword = rule->keyword, .key = rule->u.names.names[i] };
        const struct flat *member = flat_find(at->value, frame.key);

        if (member && !visit_child(reporter, at, &rule->targets[i], frame, member))
            ok = false;
    }
    return ok;
}

static bool report_patterns(struct reporter *reporter, const struct visit *at,
                            const struct rule *rule)
{
    bool ok = true;

    for (uint32_t i = 0; i < rule->target_count; i++) {
        const struct pattern *pattern = &rule->u.patterns[i];
        struct frame frame = { .keyword = rule->keyword, .key = pattern->text };

        for (FLAT_EACH(member, at->value)) {
            if (check_regex(&reporter->check, pattern->regex, flat_key(member)) &&
                !visit_child(reporter, at, &rule->targets[i], frame, member))
                ok = false;
            if (reporter->check.stopped)
                return false;
        }
    }
    return ok;
}

bool report_is_additional(struct reporter *reporter, const struct members *members,
                          const struct flat *member)
{
    const struct slot *slot = check_slot(members, member);

    return (!slot || slot->node == NO_NODE) &&
           !check_patterns(&reporter->check, members, flat_key(member));
}

static bool report_additional(struct reporter *reporter, const struct visit *at,
                              const struct rule *rule)
{
    bool is_false = node_of(reporter, rule->targets[0].node)->is_false;
    struct frame frame = { .keyword = rule->keyword, .index = -1 };
    bool ok = true;

    for (FLAT_EACH(member, at->value)) {
        bool additional = report_is_additional(reporter, at->node->members, member);

        if (reporter->check.stopped)
            return false;
        if (additional && is_false)
            return report_failed_rule(reporter, at, rule);
        if (additional && !visit_child(reporter, at, &rule->targets[0], frame, member))
            ok = false;
    }
    return ok;
}

static bool report_required(struct reporter *reporter, const struct visit *at,
                            const struct rule *rule)
{
    bool ok = true;

    for (uint32_t i = 0; i < rule->u.names.count; i++) {
        struct str name = rule->u.names.names[i];

        if (!flat_find(at->value, name))
            ok = report_fault(
                reporter,
                &(struct fault){ .kind = FAULT_MISSING, .rule = rule, .at = at, .name = name });
    }
    return ok;
}

static bool report_sizes(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    uint64_t count = flat_count(at->value);

    if (rule->op == RULE_MIN_PROPERTIES ? count >= rule->u.limit : count <= rule->u.limit)
        return true;
    return report_failed_rule(reporter, at, rule);
}

static bool report_property_names(struct reporter *reporter, const struct visit *at,
                                  const struct rule *rule)
{
    struct frame frame = { .up = at->frame, .keyword = rule->keyword, .index = -1 };
    bool ok = true;

    for (FLAT_EACH(member, at->value)) {
        const struct flat name = flat_of_key(member);
        struct visit visit = {
            .node = node_of(reporter, rule->targets[0].node),
            .value = &name,
            .step = at->step,
            .frame = &frame,
            .is_name = true,
        };

        if (!report_visit(reporter, &visit))
            ok = false;
        if (reporter->check.stopped)
            return false;
    }
    return ok;
}

static bool report_needed(struct reporter *reporter, const struct visit *at,
                          const struct rule *rule, const struct dependent *dependent)
{
    bool ok = true;

    for (uint32_t i = 0; i < dependent->needed_count; i++) {
        if (!flat_find(at->value, dependent->needed[i]))
            ok = report_fault(reporter, &(struct fault){ .kind = FAULT_NEEDED,
                                                         .rule = rule,
                                                         .at = at,
                                                         .name = dependent->needed[i],
                                                         .cause = dependent->name });
    }
    return ok;
}

static bool report_dependents(struct reporter *reporter, const struct visit *at,
                              const struct rule *rule)
{
    bool ok = true;

    for (uint32_t i = 0; i < rule->target_count; i++) {
        const struct dependent *dependent = &rule->u.dependents[i];
        struct frame frame = { .keyword = rule->keyword, .key = dependent->name };

        if (!flat_find(at->value, dependent->name))
            continue;
        if (!report_needed(reporter, at, rule, dependent))
            ok = false;
        if (rule->targets[i].node != NO_NODE &&
            !visit_in_place(reporter, at, &rule->targets[i], frame))
            ok = false;
    }
    return ok;
}

/* In-place applicators. */

static bool report_all_of(struct reporter *reporter, const struct visit *at,
                          const struct rule *rule)
{
    bool ok = true;

    for (uint32_t i = 0; i < rule->target_count; i++) {
        struct frame frame = { .keyword = rule->keyword, .index = (int64_t)i };

        if (!visit_in_place(reporter, at, &rule->targets[i], frame))
            ok = false;
    }
    return ok;
}

/* The index of the first valid subschema, or target_count. Reports errors of those before it. */
static uint32_t first_valid(struct reporter *reporter, const struct visit *at,
                            const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        struct frame frame = { .keyword = rule->keyword, .index = (int64_t)i };

        if (visit_in_place(reporter, at, &rule->targets[i], frame))
            return i;
        if (reporter->check.stopped)
            break;
    }
    return rule->target_count;
}

static bool another_valid(struct reporter *reporter, const struct visit *at,
                          const struct rule *rule, uint32_t first)
{
    for (uint32_t i = first + 1; i < rule->target_count; i++) {
        if (check_node(&reporter->check, rule->targets[i].fast, at->value, NULL))
            return true;
    }
    return false;
}

static bool report_any_one_of(struct reporter *reporter, const struct visit *at,
                              const struct rule *rule)
{
    struct fault fault = { .rule = rule, .at = at };
    size_t kept = reporter->kept_count;
    uint64_t ordinal = report_reserve(reporter);

    best_match_begin(reporter, at->step ? at->step->depth : 0);

    uint32_t first = first_valid(reporter, at, rule);
    uint64_t resolved = best_match_end(reporter, ordinal);

    if (first == rule->target_count)
        return report_reserved(reporter, &fault, ordinal, resolved);
    /* One subschema is valid: drop the errors of those before it. */
    reporter->kept_count = kept;
    if (rule->op == RULE_ANY_OF || !another_valid(reporter, at, rule, first))
        return true;
    fault.kind = FAULT_SEVERAL;
    fault.count = first;
    return report_fault(reporter, &fault);
}

static bool report_not(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    return !check_node(&reporter->check, rule->targets[0].fast, at->value, NULL) ||
           report_failed_rule(reporter, at, rule);
}

static bool report_if(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    bool holds = check_node(&reporter->check, rule->targets[0].fast, at->value, NULL);
    const struct target *branch = &rule->targets[holds ? 1 : 2];
    struct frame frame = { .keyword = holds ? "then" : "else", .index = -1 };

    return branch->node == NO_NODE || visit_in_place(reporter, at, branch, frame);
}

static bool report_ref(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    struct frame frame = { .keyword = rule->keyword, .index = -1 };
    const struct target *target =
        rule->op == RULE_DYNAMIC_REF ? check_dynamic(&reporter->check, rule) : &rule->targets[0];

    return visit_in_place(reporter, at, target, frame);
}

static bool report_dangling(struct reporter *reporter, const struct visit *at,
                            const struct rule *rule)
{
    (void)at;
    (void)rule;
    return check_give_up(&reporter->check, SCHEMA_DANGLING);
}

/* One function for each rule. */

static bool (*const report_functions[RULE_COUNT])(struct reporter *, const struct visit *,
                                                  const struct rule *) = {
    [RULE_TYPE] = report_type,
    [RULE_ENUM] = report_simple,
    [RULE_CONST] = report_simple,
    [RULE_MINIMUM] = report_simple,
    [RULE_MAXIMUM] = report_simple,
    [RULE_EXCLUSIVE_MINIMUM] = report_simple,
    [RULE_EXCLUSIVE_MAXIMUM] = report_simple,
    [RULE_MULTIPLE_OF] = report_simple,
    [RULE_MIN_LENGTH] = report_simple,
    [RULE_MAX_LENGTH] = report_simple,
    [RULE_PATTERN] = report_simple,
    [RULE_FORMAT] = report_simple,
    [RULE_MIN_ITEMS] = report_simple,
    [RULE_MAX_ITEMS] = report_simple,
    [RULE_UNIQUE_ITEMS] = report_simple,
    [RULE_PREFIX_ITEMS] = report_prefix_items,
    [RULE_ITEMS] = report_items,
    [RULE_CONTAINS] = report_contains,
    [RULE_MIN_PROPERTIES] = report_sizes,
    [RULE_MAX_PROPERTIES] = report_sizes,
    [RULE_REQUIRED] = report_required,
    [RULE_PROPERTIES] = report_properties,
    [RULE_PATTERN_PROPERTIES] = report_patterns,
    [RULE_ADDITIONAL_PROPERTIES] = report_additional,
    [RULE_PROPERTY_NAMES] = report_property_names,
    [RULE_DEPENDENTS] = report_dependents,
    [RULE_ALL_OF] = report_all_of,
    [RULE_ANY_OF] = report_any_one_of,
    [RULE_ONE_OF] = report_any_one_of,
    [RULE_NOT] = report_not,
    [RULE_IF] = report_if,
    [RULE_REF] = report_ref,
    [RULE_DYNAMIC_REF] = report_ref,
    [RULE_DANGLING] = report_dangling,
    [RULE_UNEVALUATED_ITEMS] = report_unevaluated,
    [RULE_UNEVALUATED_PROPERTIES] = report_unevaluated,
};

bool report_rule(struct reporter *reporter, const struct visit *at, const struct rule *rule)
{
    return report_functions[rule->op](reporter, at, rule);
}

/* NOLINTEND(misc-no-recursion) */
