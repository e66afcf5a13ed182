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

static inline const struct slot *find_slot(const struct check *check, const struct members *members,
                                           const struct lh_entry *member)
{
    uint32_t found;

    if (members->by_symbol.slots) {
        const struct json_symbol *symbol = json_symbol_of(check->schema->symbols, member);

        if (LIKELY(symbol)) {
            found = lookup_only(&members->by_symbol, symbol->index);
            return found == LOOKUP_NONE ? NULL : &members->slots[found];
        }
    }
    found = lookup_names_find(&members->names, str_from_c(json_key(member)));
    return found == LOOKUP_NONE ? NULL : &members->slots[found];
}

const struct slot *check_slot(const struct check *check, const struct members *members,
                              const struct lh_entry *member)
{
    return find_slot(check, members, member);
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
                              const struct lh_entry *member, bool *matched)
{
    struct str name = str_from_c(json_key(member));

    for (uint32_t i = 0; i < members->pattern_count; i++) {
        if (!check_regex(check, members->patterns[i].regex, name)) {
            if (check->stopped)
                return false;
            continue;
        }
        *matched = true;
        if (!check_node(check, members->pattern_targets[i].fast, json_value(member), NULL))
            return false;
    }
    return true;
}

/* Apply patternProperties, and additionalProperties if nothing else has matched. */
static bool check_other(struct check *check, const struct members *members,
                        const struct lh_entry *member, bool *matched)
{
    if (members->pattern_count > 0 && !check_by_patterns(check, members, member, matched))
        return false;
    if (*matched || members->additional.fast == NO_NODE)
        return true;
    *matched = true;
    return check_node(check, members->additional.fast, json_value(member), NULL);
}

static bool has_also_required(const struct members *members, struct json_object *object)
{
    for (uint32_t i = 0; i < members->also_required_count; i++) {
        if (!json_find(object, members->also_required[i].ptr, NULL))
            return false;
    }
    return true;
}

static bool look_up(struct check *check, const struct members *members, struct lh_table *table,
                    struct evaluated *seen)
{
    uint64_t have = 0;

    for (uint32_t i = 0; i < members->names.count; i++) {
        const struct slot *slot = &members->slots[i];
        const struct lh_entry *member =
            lh_table_lookup_entry_w_hash(table, members->names.names[i].ptr, slot->hash);

        if (!check_spend(check, 1))
            return false;
        if (!member)
            continue;
        have |= slot->required;
        if (slot->node == NO_NODE)
            continue;
        if (!check_node(check, slot->node, json_value(member), NULL))
            return false;
        if (UNLIKELY(seen))
            evaluated_mark(seen, (size_t)(member - table->table));
    }
    return (have & members->required) == members->required;
}

static bool walk(struct check *check, const struct members *members, const struct lh_table *table,
                 struct evaluated *seen)
{
    bool others = !members->open;
    uint64_t have = 0;

    for (const struct lh_entry *member = table->head; member; member = member->next) {
        const struct slot *slot = find_slot(check, members, member);
        bool matched = false;

        if (!check_spend(check, 1))
            return false;
        if (slot) {
            have |= slot->required;
            matched = slot->node != NO_NODE;
            if (matched && !check_node(check, slot->node, json_value(member), NULL))
                return false;
        }
        if (others && !check_other(check, members, member, &matched))
            return false;
        if (UNLIKELY(seen) && matched)
            evaluated_mark(seen, (size_t)(member - table->table));
    }
    return (have & members->required) == members->required;
}

bool check_members(struct check *check, const struct rule *rule, struct json_object *value,
                   struct evaluated *seen)
{
    const struct members *members = rule->u.members;
    struct lh_table *table = json_object_get_object(value);
    uint64_t count = (uint64_t)table->count;
    bool sparse = count / LOOK_UP_FACTOR > members->names.count;

    if (count < members->min || count > members->max)
        return false;
    if (members->open && sparse) {
        if (!look_up(check, members, table, seen))
            return false;
    } else if (!walk(check, members, table, seen)) {
        return false;
    }
    return has_also_required(members, value);
}

bool check_property_names(struct check *check, const struct rule *rule, struct json_object *value,
                          struct evaluated *seen)
{
    (void)seen;
    for (JSON_EACH(member, value)) {
        struct json_object *name = json_object_new_string(json_key(member));
        bool ok = check_spend(check, 1) && check_node(check, rule->targets[0].fast, name, NULL);

        json_release(name);
        if (!ok)
            return false;
    }
    return true;
}

static bool has_all(const struct dependent *dependent, struct json_object *object)
{
    for (uint32_t i = 0; i < dependent->needed_count; i++) {
        if (!json_find(object, dependent->needed[i].ptr, NULL))
            return false;
    }
    return true;
}

bool check_dependents(struct check *check, const struct rule *rule, struct json_object *value,
                      struct evaluated *seen)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        const struct dependent *dependent = &rule->u.dependents[i];
        uint32_t node = rule->targets[i].fast;

        if (!check_spend(check, 1 + dependent->needed_count))
            return false;
        if (!json_find(value, dependent->name.ptr, NULL))
            continue;
        if (!has_all(dependent, value) ||
            (node != NO_NODE && !check_node(check, node, value, seen)))
            return false;
    }
    return true;
}

bool check_unevaluated_properties(struct check *check, const struct rule *rule,
                                  struct json_object *value, struct evaluated *seen)
{
    for (JSON_EACH(member, value)) {
        if (evaluated_has(seen, evaluated_member(value, member)))
            continue;
        if (!check_spend(check, 1) ||
            !check_node(check, rule->targets[0].fast, json_value(member), NULL))
            return false;
    }
    seen->all = true;
    return true;
}
/* NOLINTEND(misc-no-recursion) */
