/*
 * check.h - internals of the checker, for check*.c and the reporter; other modules use schema.h.
 *
 * Functions return true when the value is valid. A check that cannot be decided sets `stopped`, and
 * all functions then return false as soon as they can. So code that turns false into true (`not`,
 * anyOf) must test `stopped` first.
 *
 * A check allocates memory only for large values under unevaluated* and uniqueItems.
 */
#pragma once

#include "schema/evaluated.h"
#include "schema/program.h"

/* Nesting of subschemas. A stack of 8 MiB is large enough for several times this depth. */
enum { CHECK_DEPTH_MAX = 4096 };

struct check {
    const struct schema *schema;
    struct schema_budget *budget;
    uint64_t steps; /* left until the clock is read */
    uint32_t depth;
    bool stopped;
    enum schema_verdict why; /* the reason, if `stopped` */
    uint32_t scope_count;
    uint32_t scopes[CHECK_DEPTH_MAX]; /* the dynamic scope: resources, outermost first; empty
                                         unless schema.dynamic */
};

/** Begin a check with `budget` (may be NULL), which check_end() updates. */
void check_begin(struct check *check, const struct schema *schema, struct schema_budget *budget);
void check_end(struct check *check);

/** The slow path of check_spend(): read the clock. */
bool check_read_clock(struct check *check, uint64_t steps);

/** Count `steps`; false when the check has stopped, as when the budget is used up. */
static inline bool check_spend(struct check *check, uint64_t steps)
{
    if (UNLIKELY(check->steps < steps))
        return check_read_clock(check, steps);
    check->steps -= steps;
    return true;
}

/** Count one step for each value in `value`. Call it before `value` is hashed or compared. */
static inline bool check_spend_on(struct check *check, const struct flat *value)
{
    return check_spend(check, value->size);
}

/** Stop the check with an undecided verdict. Returns false. */
bool check_give_up(struct check *check, enum schema_verdict why);

/** Stop the check with SCHEMA_TOO_EXPENSIVE. Returns false. */
bool check_stop(struct check *check);

/** Does a number of kind KIND_DOUBLE, such as 1.0, count as an integer for the node's `type`? */
bool check_whole(const struct node *node, const struct flat *value);

/** Apply the rules of a node's plan. */
bool check_plan(struct check *check, const struct node *node, const struct flat *value,
                struct evaluated *seen);

/**
 * Is `value` valid against node `number`? If it is, the properties or items that the subschema
 * evaluates are marked in `seen` (may be NULL).
 */
static inline bool check_node(struct check *check, uint32_t number, const struct flat *value,
                              struct evaluated *seen)
{
    const struct node *node = &check->schema->nodes[number];
    unsigned kind = kind_bit(value);

    if (UNLIKELY((node->types & kind) == 0) && (kind != KIND_DOUBLE || !check_whole(node, value)))
        return false;
    return (node->plan_kinds & kind) == 0 || check_plan(check, node, value, seen);
}

/** check_node() for a subschema that may fail: then `seen` stays as it is. */
bool check_branch(struct check *check, uint32_t node, const struct flat *value,
                  struct evaluated *seen);

/** Apply one rule of a plan. The kind of `value` must be in `rule->kinds`. */
bool check_rule(struct check *check, const struct rule *rule, const struct flat *value,
                struct evaluated *seen);

/** Add a node's resource to the dynamic scope. True: the caller must call check_leave(). */
static inline bool check_enter(struct check *check, uint32_t resource)
{
    if (LIKELY(!check->schema->dynamic) ||
        (check->scope_count > 0 && check->scopes[check->scope_count - 1] == resource) ||
        check->scope_count == CHECK_DEPTH_MAX)
        return false;
    check->scopes[check->scope_count++] = resource;
    return true;
}

static inline void check_leave(struct check *check)
{
    check->scope_count--;
}

/** The target of a RULE_DYNAMIC_REF in the current dynamic scope. */
const struct target *check_dynamic(struct check *check, const struct rule *rule);

/** Does `text` match? Counts the steps of the search. */
bool check_regex(struct check *check, const struct regex *regex, struct str text);

/** Does a property name match one of the `patternProperties`? */
bool check_patterns(struct check *check, const struct members *members, struct str name);

/** The slot of a property name, or NULL. */
const struct slot *check_slot(const struct members *members, const struct flat *member);

/* Functions for rules: check_members.c, check_unique.c, check_values.c. */
#define CHECK_FN(name)                                                                             \
    bool name(struct check *check, const struct rule *rule, const struct flat *value,              \
              struct evaluated *seen)

CHECK_FN(check_members);
CHECK_FN(check_property_names);
CHECK_FN(check_dependents);
CHECK_FN(check_unevaluated_properties);
CHECK_FN(check_unique);
CHECK_FN(check_number);
CHECK_FN(check_length);
CHECK_FN(check_pattern);
CHECK_FN(check_format);
CHECK_FN(check_values);
