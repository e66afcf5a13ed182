/*
 * check.h - the checker's insides, for check*.c and the reporter; others use schema.h.
 *
 * A verdict is a bool. When the budget ends, `stopped` is set and every function returns false as
 * soon as it can; whoever would turn a false into a true looks at `stopped` first.
 *
 * Nothing is allocated but for large values under unevaluated* and uniqueItems, and a string for
 * each name under propertyNames.
 */
#pragma once

#include "schema/evaluated.h"
#include "schema/program.h"

/* Levels of subschemas within each other; a stack of 8 MiB holds several times as many. */
enum { CHECK_DEPTH_MAX = 4096 };

struct check {
    const struct schema *schema;
    struct schema_budget *budget;
    uint64_t steps; /* until the clock is looked at */
    uint32_t depth;
    bool stopped;
    enum schema_verdict why; /* it has stopped */
    uint32_t scope_count;
    uint32_t scopes[CHECK_DEPTH_MAX]; /* resources on the way, outermost first; only if dynamic */
};

/** `budget` is used until check_end(), which brings it up to date. */
void check_begin(struct check *check, const struct schema *schema, struct schema_budget *budget);
void check_end(struct check *check);

/** check_spend() when the steps until the next look are used up. */
bool check_look(struct check *check, uint64_t steps);

/** Count work; false when the budget is used up. */
static inline bool check_spend(struct check *check, uint64_t steps)
{
    if (UNLIKELY(check->steps < steps))
        return check_look(check, steps);
    check->steps -= steps;
    return true;
}

/** Count the work of going through a whole value, as hashing and comparing it do in one piece. */
bool check_spend_on(struct check *check, struct json_object *value);

/** Give up, with one of the verdicts that are neither yes nor no. Returns false. */
bool check_give_up(struct check *check, enum schema_verdict why);

/** Give up because it is too expensive. Returns false. */
bool check_stop(struct check *check);

/** May a number of json-c's double pass as an integer? */
bool check_whole(const struct node *node, struct json_object *value);

/** What a node says beyond the kind. */
bool check_plan(struct check *check, const struct node *node, struct json_object *value,
                struct evaluated *seen);

/** Does `value` pass? With `seen`, what the subschema evaluated is marked there if it does. */
static inline bool check_node(struct check *check, uint32_t number, struct json_object *value,
                              struct evaluated *seen)
{
    const struct node *node = &check->schema->nodes[number];
    unsigned kind = 1U << json_object_get_type(value);

    if (UNLIKELY((node->types & kind) == 0) && (kind != KIND_DOUBLE || !check_whole(node, value)))
        return false;
    return (node->more & kind) == 0 || check_plan(check, node, value, seen);
}

/** check_node() for one subschema of several: its marks count only if it passes. */
bool check_branch(struct check *check, uint32_t node, struct json_object *value,
                  struct evaluated *seen);

/** One rule of a plan, whose kinds fit the value. */
bool check_rule(struct check *check, const struct rule *rule, struct json_object *value,
                struct evaluated *seen);

/** Enter a node's resource; true when check_leave() has to follow. */
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

/** What a dynamic reference means here. */
const struct target *check_dynamic(struct check *check, const struct rule *rule);

/** Does `text` match? */
bool check_regex(struct check *check, const struct regex *regex, struct str text);

/** Does a property that is not among the `properties` match a pattern? */
bool check_patterns(struct check *check, const struct members *members, struct str name);

/** The slot of a member's name, or NULL. */
const struct slot *check_slot(const struct check *check, const struct members *members,
                              const struct lh_entry *member);

/* The rules that have files of their own. */
#define CHECK_FN(name)                                                                             \
    bool name(struct check *check, const struct rule *rule, struct json_object *value,             \
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
