/*
 * check_members.c - all rules for an object's properties, in one pass over them.
 *
 * The pass finds the slot of each property once, by its symbol if it has one, else by a hash of the
 * name. It applies the property's subschema at once, and sets a bit if the property is required.
 */
/* NOLINTBEGIN(misc-no-recursion): bounded by CHECK_DEPTH_MAX */
#include "schema/check.h"

/* In an object with this many times more properties than slots, the slots are looked up. */
enum { LOOK_UP_FACTOR = 4 };

static inline const struct slot *find_slot(const struct members *members, const struct flat *member)
{
    uint32_t found;

    if (members->by_symbol.slots) {
        if (LIKELY(member->symbol != FLAT_NO_SYMBOL)) {
            found = lookup_only(&members->by_symbol, member->symbol);
            return found == LOOKUP_NONE ? NULL : &members->slots[found];
        }
    }
    found = lookup_names_find(&members->names, flat_key(member));
    return found == LOOKUP_NONE ? NULL : &members->slots[found];
}

const struct slot *check_slot(const struct members *members, const struct flat *member)
{
    return find_slot(members, member);
}

bool check_patterns(struct check *check, const struct members *members, struct str name)
{
    for (uint32_t i = 0; i < members->pattern_count; i++) {
        if (check_regex(check, members->patterns[i].regex, name))
            return true;
        if (check->stopped)
            return false;
    }
    return false;
}

static bool check_by_patterns(struct check *check, const struct members *members,
                              const struct flat *member, bool *matched)
{
    struct str name = flat_key(member);

    for (uint32_t i = 0; i < members->pattern_count; i++) {
        if (!check_regex(check, members->patterns[i].regex, name)) {
            if (check->stopped)
                return false;
            continue;
        }
        *matched = true;
        if (!check_node(check, members->pattern_targets[i].fast, member, NULL))
            return false;
    }
    return true;
}

/* Apply patternProperties, and additionalProperties if nothing else has matched. */
static bool check_other(struct check *check, const struct members *members,
                        const struct flat *member, bool *matched)
{
    if (members->pattern_count > 0 && !check_by_patterns(check, members, member, matched))
        return false;
    if (*matched || members->additional.fast == NO_NODE)
        return true;
    *matched = true;
    return check_node(check, members->additional.fast, member, NULL);
}

static bool has_also_required(const struct members *members, const struct flat *object)
{
    for (uint32_t i = 0; i < members->also_required_count; i++) {
        if (!flat_find(object, members->also_required[i]))
            return false;
    }
    return true;
}

static bool look_up(struct check *check, const struct members *members, const struct flat *object,
                    struct evaluated *seen)
{
    uint64_t have = 0;

    for (uint32_t i = 0; i < members->names.count; i++) {
        const struct slot *slot = &members->slots[i];
        const struct flat *member = flat_find(object, members->names.names[i]);

        if (!check_spend(check, 1))
            return false;
        if (!member)
            continue;
        have |= slot->required;
        if (slot->node == NO_NODE)
            continue;
        if (!check_node(check, slot->node, member, NULL))
            return false;
        if (UNLIKELY(seen))
            evaluated_mark(seen, member->index);
    }
    return (have & members->required) == members->required;
}

static bool walk(struct check *check, const struct members *members, const struct flat *object,
                 struct evaluated *seen)
{
    bool others = !members->open;
    uint64_t have = 0;

    for (FLAT_EACH(member, object)) {
        const struct slot *slot = find_slot(members, member);
        bool matched = false;

        if (!check_spend(check, 1))
            return false;
        if (slot) {
            have |= slot->required;
            matched = slot->node != NO_NODE;
            if (matched && !check_node(check, slot->node, member, NULL))
                return false;
        }
        if (others && !check_other(check, members, member, &matched))
            return false;
        if (UNLIKELY(seen) && matched)
            evaluated_mark(seen, member->index);
    }
    return (have & members->required) == members->required;
}

bool check_members(struct check *check, const struct rule *rule, const struct flat *value,
                   struct evaluated *seen)
{
    const struct members *members = rule->u.members;
    uint64_t count = flat_count(value);
    bool sparse = flat_is_indexed(value) && count / LOOK_UP_FACTOR > members->names.count;

    if (count < members->min || count > members->max)
        return false;
    if (members->open && sparse) {
        if (!look_up(check, members, value, seen))
            return false;
    } else if (!walk(check, members, value, seen)) {
        return false;
    }
    return has_also_required(members, value);
}

bool check_property_names(struct check *check, const struct rule *rule, const struct flat *value,
                          struct evaluated *seen)
{
    (void)seen;
    for (FLAT_EACH(member, value)) {
        const struct flat name = flat_of_key(member);

        if (!check_spend(check, 1) || !check_node(check, rule->targets[0].fast, &name, NULL))
            return false;
    }
    return true;
}

static bool has_all(const struct dependent *dependent, const struct flat *object)
{
    for (uint32_t i = 0; i < dependent->needed_count; i++) {
        if (!flat_find(object, dependent->needed[i]))
            return false;
    }
    return true;
}

bool check_dependents(struct check *check, const struct rule *rule, const struct flat *value,
                      struct evaluated *seen)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        const struct dependent *dependent = &rule->u.dependents[i];
        uint32_t node = rule->targets[i].fast;

        if (!check_spend(check, 1 + dependent->needed_count))
            return false;
        if (!flat_find(value, dependent->name))
            continue;
        if (!has_all(dependent, value) ||
            (node != NO_NODE && !check_node(check, node, value, seen)))
            return false;
    }
    return true;
}

bool check_unevaluated_properties(struct check *check, const struct rule *rule,
                                  const struct flat *value, struct evaluated *seen)
{
    for (FLAT_EACH(member, value)) {
        if (evaluated_has(seen, member->index))
            continue;
        if (!check_spend(check, 1) || !check_node(check, rule->targets[0].fast, member, NULL))
            return false;
    }
    seen->all = true;
    return true;
}
/* NOLINTEND(misc-no-recursion) */
