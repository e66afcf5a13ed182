/*
 * reach.c - see reach.h.
 *
 * Only what is certain counts: `false`, a type without members, properties without the name beside
 * `additionalProperties: false`, `$ref` within the document, and for a certain value `type`, `enum`
 * and `const`. A patternProperties, a reference elsewhere or a conditional could allow the value.
 */
#include "schema/reach.h"

#include "base/attr.h"

enum {
    DEEPEST = 64,       /* schemas within schemas, `$ref` included */
    STEPS_MOST = 20000, /* schemas looked at: references may make a small document a large tree */
};

struct reach {
    const struct flat *document;
    struct arena *arena; /* for tokens */
    const char *names;   /* from here on names look through arrays; NULL: never */
    const struct schema_reach_value *value; /* at the end of the pointer; NULL: any */
    bool ref_is_alone; /* up to draft 7, what stands beside $ref has no effect */
    bool is_draft_4;   /* without `const`; `id` is what became `$id` */
    unsigned depth;
    unsigned steps;
};

static bool rules_out(struct reach *reach, const struct flat *schema, struct str rest);

static bool type_allows(const struct flat *schema, struct str name)
{
    const struct flat *type = flat_find(schema, STR("type"));

    if (!type)
        return true;
    if (flat_is_string(type))
        return str_equal(flat_str(type), name);
    for (FLAT_EACH(one, type))
        if (flat_is_string(one) && str_equal(flat_str(one), name))
            return true;
    return false;
}

/* The schema that `$ref` names; NULL: none, or it is not certain. */
static const struct flat *find_target(const struct reach *reach, const struct flat *schema)
{
    struct str ref = flat_find_str(schema, STR("$ref"));
    const struct flat *target = NULL;
    struct json_pointer *pointer;
    struct error err;

    if (!str_starts_with(ref, STR("#")) || (ref.len > 1 && ref.ptr[1] != '/') ||
        memchr(ref.ptr, '%', ref.len) || !json_pointer_create(str_from(ref, 1), &pointer, &err))
        return NULL;
    if (flat_pointer_find(pointer, reach->document, &target, NULL) != JSON_FOUND)
        target = NULL;
    json_pointer_destroy(pointer);
    return target;
}

/* Does one of the schemas (all: each of them) in the list rule it out? */
static bool list_rules_out(struct reach *reach, const struct flat *list, struct str rest, bool all)
{
    if (!list || !flat_is_array(list) || flat_count(list) == 0)
        return false;
    for (FLAT_EACH(schema, list))
        if (rules_out(reach, schema, rest) != all)
            return !all;
    return all;
}

/* In an object: `token` is the next name. */
static bool object_rules_out(struct reach *reach, const struct flat *schema, struct str token,
                             struct str rest)
{
    const struct flat *properties = flat_find(schema, STR("properties"));
    const struct flat *property =
        properties && flat_is_object(properties) ? flat_find(properties, token) : NULL;
    const struct flat *additional = flat_find(schema, STR("additionalProperties"));

    if (!type_allows(schema, STR("object")))
        return true;
    if (property)
        return rules_out(reach, property, rest);
    return additional && !flat_find(schema, STR("patternProperties")) &&
           rules_out(reach, additional, rest);
}

/* Does an array have nothing at `rest` in its elements? */
static bool items_rule_out(struct reach *reach, const struct flat *schema, struct str rest)
{
    const struct flat *items = flat_find(schema, STR("items"));
    bool is_tuple =
        flat_find(schema, STR("prefixItems")) != NULL || (items && flat_is_array(items));

    if (!type_allows(schema, STR("array")))
        return true;
    return items && !is_tuple && rules_out(reach, items, rest);
}

/* Do names look through arrays where `rest` begins? */
static bool looks_through(const struct reach *reach, struct str rest)
{
    return reach->names && (rest.len == 0 || rest.ptr >= reach->names);
}

/* In an array: `token` is the next name or index, `rest` is behind it, `all` includes it. */
static bool array_rules_out(struct reach *reach, const struct flat *schema, struct str token,
                            struct str rest, struct str all)
{
    if (looks_through(reach, all))
        return items_rule_out(reach, schema, all);
    return json_pointer_index(token) == JSON_NO_INDEX || items_rule_out(reach, schema, rest);
}

/* Is `listed`, of `enum` or `const`, another value than the one that is looked for? */
static bool is_other_value(const struct schema_reach_value *wanted, const struct flat *listed)
{
    if (flat_is_array(listed) || flat_is_object(listed))
        return false; /* an array may contain it */
    if (wanted->value)
        return !flat_equal(wanted->value, listed);
    return flat_kind(listed) != wanted->kind &&
           !(flat_is_number(listed) &&
             (wanted->kind == JSON_INTEGER || wanted->kind == JSON_NUMBER));
}

static bool lists_other_values(const struct reach *reach, const struct flat *schema)
{
    const struct flat *only = reach->is_draft_4 ? NULL : flat_find(schema, STR("const"));
    const struct flat *list = flat_find(schema, STR("enum"));

    if (only && is_other_value(reach->value, only))
        return true;
    if (!list || !flat_is_array(list))
        return false;
    for (FLAT_EACH(listed, list))
        if (!is_other_value(reach->value, listed))
            return false;
    return true;
}

static bool kind_is_allowed(const struct flat *schema, enum json_kind kind)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",      [JSON_BOOLEAN] = "boolean", [JSON_INTEGER] = "integer",
        [JSON_NUMBER] = "integer", [JSON_STRING] = "string",
    };

    return type_allows(schema, str_from_c(names[kind])) ||
           ((kind == JSON_INTEGER || kind == JSON_NUMBER) && type_allows(schema, STR("number")));
}

/* At the end of the pointer, `rest`. */
static bool end_rules_out(struct reach *reach, const struct flat *schema, struct str rest)
{
    if (!reach->value)
        return false;
    return lists_other_values(reach, schema) ||
           (!kind_is_allowed(schema, reach->value->kind) &&
            (!looks_through(reach, rest) || items_rule_out(reach, schema, rest)));
}

static bool members_rule_out(struct reach *reach, const struct flat *schema, struct str rest)
{
    struct str all = rest;
    struct str token;

    if (rest.len == 0)
        return end_rules_out(reach, schema, rest);
    token = json_pointer_take(&rest, reach->arena);
    return object_rules_out(reach, schema, token, rest) &&
           array_rules_out(reach, schema, token, rest, all);
}

static bool keywords_rule_out(struct reach *reach, const struct flat *schema, struct str rest)
{
    const struct flat *target = find_target(reach, schema);

    if (target && rules_out(reach, target, rest))
        return true;
    if (flat_find(schema, STR("$ref")) && reach->ref_is_alone)
        return false;
    return members_rule_out(reach, schema, rest) ||
           list_rules_out(reach, flat_find(schema, STR("allOf")), rest, false) ||
           list_rules_out(reach, flat_find(schema, STR("anyOf")), rest, true) ||
           list_rules_out(reach, flat_find(schema, STR("oneOf")), rest, true);
}

/* Do references in it start from another document? */
static bool has_base(const struct reach *reach, const struct flat *schema)
{
    return flat_find(schema, reach->is_draft_4 ? STR("id") : STR("$id")) != NULL;
}

static bool rules_out(struct reach *reach, const struct flat *schema, struct str rest)
{
    bool is;

    if (!flat_is_object(schema))
        return flat_is_boolean(schema) && !flat_is_true(schema);
    if (reach->depth == DEEPEST || reach->steps == STEPS_MOST ||
        (schema != reach->document && has_base(reach, schema)))
        return false;
    reach->steps++;
    reach->depth++;
    is = keywords_rule_out(reach, schema, rest);
    reach->depth--;
    return is;
}

/* Where the token that begins at `at` ends. */
static size_t token_end(struct str pointer, size_t at)
{
    for (at++; at < pointer.len && pointer.ptr[at] != '/'; at++)
        ;
    return at;
}

static bool is_since_2019(struct str dialect)
{
    return str_starts_with(dialect, STR("https://json-schema.org/draft/20"));
}

struct str schema_reach(const struct flat *document, struct str pointer,
                        const struct schema_reach_options *options)
{
    struct reach reach = { .document = document, .arena = arena_create() };
    struct str found = STR_NONE;

    if (pointer.len == 0)
        pointer = STR("");
    if (options && options->through_arrays)
        reach.names = pointer.ptr + options->exact;
    if (flat_is_object(document)) {
        struct str dialect = flat_find_str(document, STR("$schema"));

        reach.ref_is_alone = !is_since_2019(dialect);
        reach.is_draft_4 = dialect.len > 0 && memmem(dialect.ptr, dialect.len, "/draft-04/", 10);
    }
    for (size_t end = 0; !found.ptr; end = token_end(pointer, end)) {
        struct str part = { pointer.ptr, end };

        if (options && end == pointer.len)
            reach.value = options->value;
        if (rules_out(&reach, document, part))
            found = part;
        if (end == pointer.len)
            break;
    }
    arena_destroy(reach.arena);
    return found;
}
