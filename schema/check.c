/*
 * check.c - validate an instance without reporting errors: the budget, and rules that apply
 * subschemas or count items. For other rules see check_*.c.
 */
/* NOLINTBEGIN(misc-no-recursion): bounded by CHECK_DEPTH_MAX */
#include "schema/check.h"

#include "base/clock.h"

enum { STEPS_PER_CLOCK_READ = 4096, SCOPES_PER_STEP = 16, PATTERN_STEPS_PER_US = 100 };

/* The budget. */

struct schema_budget schema_budget(int64_t budget_us)
{
    return (struct schema_budget){ .limit_us = budget_us > 0 ? budget_us : 0,
                                   .steps = STEPS_PER_CLOCK_READ };
}

struct schema_budget schema_budget_slice(int64_t slice_us)
{
    struct schema_budget budget = schema_budget(slice_us);

    budget.pattern_steps = (uint64_t)slice_us * PATTERN_STEPS_PER_US;
    return budget;
}

bool check_give_up(struct check *check, enum schema_verdict why)
{
    if (!check->stopped)
        check->why = why;
    check->stopped = true;
    check->steps = 0;
    return false;
}

bool check_stop(struct check *check)
{
    return check_give_up(check, SCHEMA_TOO_EXPENSIVE);
}

const char *schema_verdict_text(enum schema_verdict verdict)
{
    switch (verdict) {
    case SCHEMA_TOO_EXPENSIVE:
        return "Event too expensive to check";
    case SCHEMA_DANGLING:
        return "Schema has a $ref that leads nowhere";
    case SCHEMA_OVER_LIMIT:
        return "Schema has a pattern that needs too much memory";
    default:
        return "";
    }
}

static bool overspent(struct schema_budget *budget)
{
    if (budget->stop && atomic_load_explicit(budget->stop, memory_order_relaxed))
        return true;
    if (budget->limit_us == 0)
        return false;

    int64_t now_us = clock_thread_us();

    if (budget->end_us == 0)
        budget->end_us = now_us + budget->limit_us;
    return now_us >= budget->end_us;
}

bool schema_budget_read_clock(struct schema_budget *budget)
{
    budget->exhausted = budget->exhausted || overspent(budget);
    budget->steps = budget->exhausted ? 0 : STEPS_PER_CLOCK_READ;
    return !budget->exhausted;
}

uint64_t schema_budget_left(const struct schema_budget *budget)
{
    int64_t left_us;

    if (!budget || budget->limit_us == 0)
        return UINT64_MAX;
    left_us = budget->end_us == 0 ? budget->limit_us : budget->end_us - clock_thread_us();
    return left_us > 0 ? (uint64_t)left_us * PATTERN_STEPS_PER_US : 0;
}

bool check_read_clock(struct check *check, uint64_t steps)
{
    if (check->stopped)
        return false;
    if (!check->budget || (check->budget->limit_us == 0 && !check->budget->stop)) {
        check->steps = UINT64_MAX - steps;
        return true;
    }
    if (overspent(check->budget))
        return check_stop(check);
    /* `steps` is not subtracted: one call has a bounded cost, and the clock was just read. */
    check->steps = STEPS_PER_CLOCK_READ;
    return true;
}

void check_begin(struct check *check, const struct schema *schema, struct schema_budget *budget)
{
    check->schema = schema;
    check->budget = budget;
    check->steps = budget ? budget->steps : 0;
    check->depth = 0;
    check->stopped = budget && budget->exhausted;
    check->why = SCHEMA_TOO_EXPENSIVE;
    check->scope_count = 0;
}

void check_end(struct check *check)
{
    if (!check->budget)
        return;
    check->budget->steps = check->steps;
    check->budget->exhausted = check->stopped && check->why == SCHEMA_TOO_EXPENSIVE;
}

/* In-place applicators. */

bool check_branch(struct check *check, uint32_t node, const struct flat *value,
                  struct evaluated *seen)
{
    struct evaluated branch;

    if (!seen)
        return check_node(check, node, value, NULL);
    evaluated_begin(&branch, value);

    bool ok = check_node(check, node, value, &branch);

    if (ok)
        evaluated_merge(seen, &branch);
    evaluated_done(&branch);
    return ok;
}

static bool check_all_of(struct check *check, const struct rule *rule, const struct flat *value,
                         struct evaluated *seen)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        if (!check_node(check, rule->targets[i].fast, value, seen))
            return false;
    }
    return true;
}

static bool check_any_of(struct check *check, const struct rule *rule, const struct flat *value,
                         struct evaluated *seen)
{
    bool any = false;

    /* With `seen`, every subschema is applied: each one that is valid marks what it evaluates. */
    for (uint32_t i = 0; i < rule->target_count && (!any || seen); i++) {
        if (check_branch(check, rule->targets[i].fast, value, seen))
            any = true;
        if (check->stopped)
            return false;
    }
    return any;
}

static bool check_one_of(struct check *check, const struct rule *rule, const struct flat *value,
                         struct evaluated *seen)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rule->target_count && count < 2; i++) {
        if (check_branch(check, rule->targets[i].fast, value, seen))
            count++;
        if (check->stopped)
            return false;
    }
    return count == 1;
}

static bool check_not(struct check *check, const struct rule *rule, const struct flat *value,
                      struct evaluated *seen)
{
    (void)seen;
    return !check_node(check, rule->targets[0].fast, value, NULL) && !check->stopped;
}

static bool check_if(struct check *check, const struct rule *rule, const struct flat *value,
                     struct evaluated *seen)
{
    bool holds = check_branch(check, rule->targets[0].fast, value, seen);
    uint32_t branch = rule->targets[holds ? 1 : 2].fast;

    if (check->stopped)
        return false;
    return branch == NO_NODE || check_node(check, branch, value, seen);
}

static bool check_ref(struct check *check, const struct rule *rule, const struct flat *value,
                      struct evaluated *seen)
{
    return check_node(check, rule->targets[0].fast, value, seen);
}

static bool check_dangling(struct check *check, const struct rule *rule, const struct flat *value,
                           struct evaluated *seen)
{
    (void)rule;
    (void)value;
    (void)seen;
    return check_give_up(check, SCHEMA_DANGLING);
}

const struct target *check_dynamic(struct check *check, const struct rule *rule)
{
    const struct scoped *scoped = rule->u.scoped;

    /* If this uses up the budget, check_node() of the target returns false. */
    (void)check_spend(check, (uint64_t)check->scope_count * scoped->count / SCOPES_PER_STEP);
    for (uint32_t i = 0; i < check->scope_count; i++) {
        for (uint32_t j = 0; j < scoped->count; j++) {
            if (scoped->targets[j].resource == check->scopes[i])
                return &scoped->targets[j].target;
        }
    }
    return &rule->targets[0];
}

static bool check_dynamic_ref(struct check *check, const struct rule *rule,
                              const struct flat *value, struct evaluated *seen)
{
    return check_node(check, check_dynamic(check, rule)->fast, value, seen);
}

/* Items. */

static bool check_min_items(struct check *check, const struct rule *rule, const struct flat *value,
                            struct evaluated *seen)
{
    (void)check;
    (void)seen;
    return flat_count(value) >= rule->u.limit;
}

static bool check_max_items(struct check *check, const struct rule *rule, const struct flat *value,
                            struct evaluated *seen)
{
    (void)check;
    (void)seen;
    return flat_count(value) <= rule->u.limit;
}

static bool check_prefix_items(struct check *check, const struct rule *rule,
                               const struct flat *value, struct evaluated *seen)
{
    for (FLAT_EACH(item, value)) {
        if (item->index == rule->target_count)
            break;
        if (!check_spend(check, 1) ||
            !check_node(check, rule->targets[item->index].fast, item, NULL))
            return false;
        if (seen)
            evaluated_mark(seen, item->index);
    }
    return true;
}

static bool check_items(struct check *check, const struct rule *rule, const struct flat *value,
                        struct evaluated *seen)
{
    for (FLAT_EACH(item, value)) {
        if (item->index < rule->offset)
            continue;
        if (!check_spend(check, 1) || !check_node(check, rule->targets[0].fast, item, NULL))
            return false;
    }
    if (seen)
        seen->all = true;
    return true;
}

static bool check_contains(struct check *check, const struct rule *rule, const struct flat *value,
                           struct evaluated *seen)
{
    uint64_t matches = 0;
    bool marks = seen && rule->flag;

    for (FLAT_EACH(item, value)) {
        bool decided = matches >= rule->u.contains.min && rule->u.contains.max == UINT64_MAX;

        if (decided && !marks)
            return true;
        if (!check_spend(check, 1))
            return false;
        if (!check_node(check, rule->targets[0].fast, item, NULL))
            continue;
        matches++;
        if (marks)
            evaluated_mark(seen, item->index);
    }
    return !check->stopped && matches >= rule->u.contains.min && matches <= rule->u.contains.max;
}

static bool check_unevaluated_items(struct check *check, const struct rule *rule,
                                    const struct flat *value, struct evaluated *seen)
{
    for (FLAT_EACH(item, value)) {
        if (evaluated_has(seen, item->index))
            continue;
        if (!check_spend(check, 1) || !check_node(check, rule->targets[0].fast, item, NULL))
            return false;
    }
    seen->all = true;
    return true;
}

/* One function for each rule. */

static bool check_nothing(struct check *check, const struct rule *rule, const struct flat *value,
                          struct evaluated *seen)
{
    (void)check;
    (void)rule;
    (void)value;
    (void)seen;
    return true;
}

static bool (*const check_functions[RULE_COUNT])(struct check *, const struct rule *,
                                                 const struct flat *, struct evaluated *) = {
    [RULE_TYPE] = check_nothing,
    [RULE_ENUM] = check_values,
    [RULE_CONST] = check_values,
    [RULE_MINIMUM] = check_number,
    [RULE_MAXIMUM] = check_number,
    [RULE_EXCLUSIVE_MINIMUM] = check_number,
    [RULE_EXCLUSIVE_MAXIMUM] = check_number,
    [RULE_MULTIPLE_OF] = check_number,
    [RULE_MIN_LENGTH] = check_length,
    [RULE_MAX_LENGTH] = check_length,
    [RULE_PATTERN] = check_pattern,
    [RULE_FORMAT] = check_format,
    [RULE_MIN_ITEMS] = check_min_items,
    [RULE_MAX_ITEMS] = check_max_items,
    [RULE_UNIQUE_ITEMS] = check_unique,
    [RULE_PREFIX_ITEMS] = check_prefix_items,
    [RULE_ITEMS] = check_items,
    [RULE_CONTAINS] = check_contains,
    [RULE_MIN_PROPERTIES] = check_nothing, /* RULE_MEMBERS checks these */
    [RULE_MAX_PROPERTIES] = check_nothing,
    [RULE_REQUIRED] = check_nothing,
    [RULE_PROPERTIES] = check_nothing,
    [RULE_PATTERN_PROPERTIES] = check_nothing,
    [RULE_ADDITIONAL_PROPERTIES] = check_nothing,
    [RULE_PROPERTY_NAMES] = check_property_names,
    [RULE_DEPENDENTS] = check_dependents,
    [RULE_ALL_OF] = check_all_of,
    [RULE_ANY_OF] = check_any_of,
    [RULE_ONE_OF] = check_one_of,
    [RULE_NOT] = check_not,
    [RULE_IF] = check_if,
    [RULE_REF] = check_ref,
    [RULE_DYNAMIC_REF] = check_dynamic_ref,
    [RULE_DANGLING] = check_dangling,
    [RULE_UNEVALUATED_ITEMS] = check_unevaluated_items,
    [RULE_UNEVALUATED_PROPERTIES] = check_unevaluated_properties,
    [RULE_MEMBERS] = check_members,
};

bool check_rule(struct check *check, const struct rule *rule, const struct flat *value,
                struct evaluated *seen)
{
    return check_functions[rule->op](check, rule, value, seen);
}

static bool run_plan(struct check *check, const struct node *node, const struct flat *value,
                     struct evaluated *seen)
{
    unsigned kind = kind_bit(value);

    for (const struct rule *rule = node->plan; rule < node->plan + node->plan_count; rule++) {
        if ((rule->kinds & kind) != 0 && !check_functions[rule->op](check, rule, value, seen))
            return false;
    }
    return true;
}

/* unevaluated* depends on what the node's own rules evaluate, not on the node around it. */
static bool run_tracking(struct check *check, const struct node *node, const struct flat *value,
                         struct evaluated *seen)
{
    struct evaluated own;

    evaluated_begin(&own, value);

    bool ok = run_plan(check, node, value, &own);

    if (ok && seen)
        evaluated_merge(seen, &own);
    evaluated_done(&own);
    return ok;
}

bool check_plan(struct check *check, const struct node *node, const struct flat *value,
                struct evaluated *seen)
{
    if (!check_spend(check, 1))
        return false;
    if (check->depth == CHECK_DEPTH_MAX)
        return check_stop(check);
    check->depth++;

    bool entered = check_enter(check, node->resource);
    bool ok = UNLIKELY(node->tracks) ? run_tracking(check, node, value, seen)
                                     : run_plan(check, node, value, seen);

    if (entered)
        check_leave(check);
    check->depth--;
    return ok;
}

enum schema_verdict schema_check(const struct schema *schema, const struct flat *instance,
                                 struct schema_budget *budget)
{
    struct check check;

    check_begin(&check, schema, budget);

    bool ok = check_node(&check, schema->root_fast, instance, NULL);

    check_end(&check);
    if (check.stopped)
        return check.why;
    return ok ? SCHEMA_VALID : SCHEMA_INVALID;
}
/* NOLINTEND(misc-no-recursion) */
