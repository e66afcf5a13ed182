/*
 * check.c - what the JSON Schema refuses, in the words of the file's author.
 *
 * The engine's report names a keyword and a place; a table leads from the keyword to the words.
 * They never quote a value: it can come from the environment and be a secret.
 */
#include "base/attr.h"
#include "base/buf.h"
#include "base/similar.h"
#include "schema/schema.h"
#include "settings/settings_internal.h"
#include "settings/unit.h"

enum { MAX_ERRORS = 200, WORDS_SIZE = 1024 };

/* What the engine checks. */
struct documents {
    const struct flat *root;
    const struct flat *schema;
};

/* A value that a keyword of the schema refuses. */
struct settings_fault {
    struct str pointer;
    const struct flat *value;
    const struct flat *schema; /* the node with the keyword */
    struct str keyword;
    struct str error;    /* the engine's own words */
    struct arena *arena; /* for intermediate texts */
};

static const char *const kind_words[] = {
    [JSON_NULL] = "null",        [JSON_BOOLEAN] = "a boolean", [JSON_INTEGER] = "an integer",
    [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string",   [JSON_ARRAY] = "a list",
    [JSON_OBJECT] = "an object",
};

/* The words for a name in `type`, or for an x-kind. */
static const char *name_words(struct str name)
{
    static const struct {
        const char *name;
        const char *words;
    } names[] = {
        { "null", "null" },
        { "boolean", "true or false" },
        { "integer", "an integer" },
        { "number", "a number" },
        { "string", "a string" },
        { "array", "a list" },
        { "object", "an object" },
        { "size", "a size such as 512KiB (bytes, or a number with B, KiB, MiB or GiB)" },
        { "time", "a time such as 30s (a number with ms, s, m, h or d)" },
        { "pointer", "a JSON Pointer such as /detail" },
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(name, str_from_c(names[i].name)))
            return names[i].words;
    return "something else";
}

/* What the node expects: its `x-expected`, else the words for its `x-kind`; empty without both. */
static struct str expected_words(const struct flat *schema)
{
    struct str expected;
    struct str kind;

    if (!schema || !flat_is_object(schema))
        return STR_NONE;
    expected = flat_find_str(schema, STR("x-expected"));
    kind = flat_find_str(schema, STR("x-kind"));
    if (expected.len > 0)
        return expected;
    return kind.len > 0 ? str_from_c(name_words(kind)) : (struct str){ NULL, 0 };
}

/* The words for a list of types. */
static void add_names(struct buf *words, const struct flat *types)
{
    for (FLAT_EACH(type, types))
        buf_printf(words, "%s%s", type->index > 0 ? " or " : "", name_words(flat_str(type)));
}

static void explain_type(struct settings *settings, const struct settings_fault *fault)
{
    CLEANUP(buf_done) struct buf words;
    const struct flat *types = flat_find(fault->schema, STR("type"));
    struct str expected = expected_words(fault->schema);

    buf_init(&words, WORDS_SIZE);
    buf_add(&words, expected);
    if (expected.len == 0 && flat_is_string(types))
        buf_add(&words, str_from_c(name_words(flat_str(types))));
    else if (expected.len == 0)
        add_names(&words, types);
    settings_complain(settings, fault->pointer, "expected %.*s, got %s", STR_ARG(buf_str(&words)),
                      kind_words[flat_kind(fault->value)]);
}

static void explain_bound(struct settings *settings, const struct settings_fault *fault)
{
    const struct flat *bound = flat_find(fault->schema, fault->keyword);
    bool least = str_equal(fault->keyword, STR("minimum"));

    settings_complain(settings, fault->pointer, "must be at %s %.*s", least ? "least" : "most",
                      STR_ARG(flat_text(fault->arena, bound)));
}

static void explain_other(struct settings *settings, const struct settings_fault *fault);

static void explain_choice(struct settings *settings, const struct settings_fault *fault)
{
    CLEANUP(buf_done) struct buf words = { 0 };
    const struct flat *choices = flat_find(fault->schema, STR("enum"));

    if (expected_words(fault->schema).len > 0) {
        explain_other(settings, fault);
        return;
    }
    buf_init(&words, WORDS_SIZE);
    for (FLAT_EACH(choice, choices)) {
        struct str text =
            flat_is_string(choice) ? flat_str(choice) : flat_text(fault->arena, choice);

        buf_printf(&words, "%s%.*s", choice->index > 0 ? ", " : "", STR_ARG(text));
    }
    buf_printf(&words, "%.*s", STR_ARG(flat_find_str(fault->schema, STR("x-or"))));
    settings_complain(settings, fault->pointer, "expected one of: %.*s", STR_ARG(buf_str(&words)));
}

static void explain_empty(struct settings *settings, const struct settings_fault *fault)
{
    const struct flat *least = flat_find(fault->schema, fault->keyword);

    if (str_equal(flat_str(least), STR("1")))
        settings_complain(settings, fault->pointer, "must not be empty");
    else
        explain_other(settings, fault);
}

/* The known key that is meant, probably; empty: none is similar. */
static struct str similar_key(const struct flat *known, struct str key)
{
    struct str best = STR("");
    unsigned fewest = SIMILAR_NOT;

    if (!known)
        return best;
    for (FLAT_EACH(member, known)) {
        unsigned changes = similar_changes(key, flat_key(member));

        if (changes < fewest) {
            fewest = changes;
            best = flat_key(member);
        }
    }
    return best;
}

static void explain_unknown(struct settings *settings, const struct settings_fault *fault)
{
    const struct flat *known = flat_find(fault->schema, STR("properties"));

    for (FLAT_EACH(member, fault->value)) {
        const char *key = arena_copy(fault->arena, flat_key(member)).ptr;

        if (known && flat_find(known, flat_key(member)))
            continue;

        struct str similar = similar_key(known, flat_key(member));

        settings_complain(settings, settings_member_pointer(fault->arena, fault->pointer, key),
                          "unknown key%s%.*s%s", similar.len > 0 ? ", is " : "", STR_ARG(similar),
                          similar.len > 0 ? " meant?" : "");
    }
}

static void explain_missing(struct settings *settings, const struct settings_fault *fault)
{
    const struct flat *required = flat_find(fault->schema, STR("required"));

    for (FLAT_EACH(wanted, required)) {
        const char *key = arena_copy(fault->arena, flat_str(wanted)).ptr;

        if (!flat_find(fault->value, flat_str(wanted)))
            settings_complain(settings, settings_member_pointer(fault->arena, fault->pointer, key),
                              "is missing");
    }
}

/* Any other keyword: `x-expected`, else the engine's words, without the value. */
static void explain_other(struct settings *settings, const struct settings_fault *fault)
{
    struct str expected = expected_words(fault->schema);

    if (expected.len > 0)
        settings_complain(settings, fault->pointer, "expected %.*s", STR_ARG(expected));
    else
        settings_complain(settings, fault->pointer, "%.*s", STR_ARG(fault->error));
}

static void explain(struct settings *settings, const struct settings_fault *fault)
{
    static const struct {
        const char *keyword;
        void (*explain)(struct settings *, const struct settings_fault *);
    } table[] = {
        { "type", explain_type },
        { "minimum", explain_bound },
        { "maximum", explain_bound },
        { "enum", explain_choice },
        { "minLength", explain_empty },
        { "minItems", explain_empty },
        { "additionalProperties", explain_unknown },
        { "required", explain_missing },
    };
    bool has_keyword =
        fault->schema && flat_is_object(fault->schema) && flat_find(fault->schema, fault->keyword);

    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (has_keyword && str_equal(fault->keyword, str_from_c(table[i].keyword))) {
            table[i].explain(settings, fault);
            return;
        }
    explain_other(settings, fault);
}

/* Is the place in a branch of oneOf or anyOf? Only the failure of the whole is reported. */
static bool is_in_branch(struct str location)
{
    for (size_t i = 0; i < location.len; i++) {
        struct str rest = str_from(location, i);

        if (str_starts_with(rest, STR("/oneOf/")) || str_starts_with(rest, STR("/anyOf/")))
            return true;
    }
    return false;
}

static const struct flat *look_up(const struct flat *root, struct str pointer)
{
    struct json_pointer *compiled;
    const struct flat *value = NULL;
    struct error err;

    if (!json_pointer_create(pointer, &compiled, &err))
        return NULL;
    if (flat_pointer_find(compiled, root, &value, NULL) != JSON_FOUND)
        value = NULL;
    json_pointer_destroy(compiled);
    return value;
}

/* The node of the schema at a place like /properties/fields/$ref/items. */
static const struct flat *find_node(const struct flat *schema, struct str location,
                                    struct arena *arena)
{
    const struct flat *node = schema;

    while (node && location.len > 0) {
        struct str token = json_pointer_take(&location, arena);

        if (str_equal(token, STR("$ref")))
            node = look_up(schema, str_from(flat_find_str(node, token), 1)); /* behind the # */
        else
            node = flat_is_object(node) ? flat_find(node, token)
                                        : flat_at(node, json_pointer_index(token));
    }
    return node;
}

static void explain_unit(struct settings *settings, const struct documents *documents,
                         const struct schema_unit *unit, struct arena *arena)
{
    struct str location = unit->keyword_location;
    size_t slash = location.len;
    struct settings_fault fault = { .pointer = unit->instance_location,
                                    .error = unit->error,
                                    .arena = arena };

    while (slash > 0 && location.ptr[slash - 1] != '/')
        slash--;
    fault.keyword = str_from(location, slash);
    fault.value = look_up(documents->root, fault.pointer);
    fault.schema =
        find_node(documents->schema, (struct str){ location.ptr, slash ? slash - 1 : 0 }, arena);
    explain(settings, &fault);
}

/*
 * Does the text for `last` cover this unit? `required` has a unit for each missing key, and is
 * explained as a whole; a value of the wrong type breaks other rules as a consequence.
 */
static bool is_covered(const struct schema_unit *unit, const struct schema_unit *last)
{
    return last && str_equal(unit->instance_location, last->instance_location) &&
           (str_equal(unit->keyword_location, last->keyword_location) ||
            str_ends_with(last->keyword_location, STR("/type")));
}

static bool check_rules(struct settings *settings, struct error *err)
{
    struct schema_report_options options = { .max_errors = MAX_ERRORS, .redact_values = true };
    struct schema_report report = { 0 };
    const struct schema_unit *last = NULL;
    struct arena *arena = arena_create();
    const struct documents documents = { json_flatten(arena, settings->root),
                                         json_flatten(arena, settings->schema) };
    struct schema *schema;

    if (!schema_compile(documents.schema, NULL, &schema, err)) {
        arena_destroy(arena);
        return fail_within(err, "built-in schema");
    }
    (void)schema_report(schema, documents.root, &options, NULL, arena, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct schema_unit *unit = &report.units[i];

        if (is_in_branch(unit->keyword_location) || is_covered(unit, last))
            continue;
        explain_unit(settings, &documents, unit, arena);
        last = unit;
    }
    arena_destroy(arena);
    schema_destroy(schema);
    return true;
}

/* Compare as times or sizes; false when one of them is not one. */
static bool is_below(struct json_object *a, struct json_object *b, bool time)
{
    int64_t a_time;
    int64_t b_time;
    uint64_t a_size;
    uint64_t b_size;

    if (time)
        return settings_time(a, &a_time) && settings_time(b, &b_time) && a_time < b_time;
    return settings_size(a, &a_size) && settings_size(b, &b_size) && a_size < b_size;
}

static void check_bounds_here(struct settings *settings, const struct setting *here)
{
    bool time = str_equal(json_find_str(here->schema, "x-kind"), STR("time"));
    struct json_object *bound;

    if (json_find(here->schema, "x-minimum", &bound) && is_below(here->value, bound, time))
        settings_complain(settings, here->pointer, "must be at least %.*s",
                          STR_ARG(json_str(bound)));
    if (json_find(here->schema, "x-maximum", &bound) && is_below(bound, here->value, time))
        settings_complain(settings, here->pointer, "must be at most %.*s",
                          STR_ARG(json_str(bound)));
}

/* The bounds that JSON Schema cannot express; recurses as deep as the schema has objects and lists.
 */
static void check_bounds(struct settings *settings, const struct setting *here)
{
    struct json_object *properties;

    check_bounds_here(settings, here);
    if (json_is_array(here->value))
        for (size_t i = 0; i < json_count(here->value); i++) {
            struct setting element = settings_at(settings, here, i);

            check_bounds(settings, &element);
        }
    if (!json_is_object(here->value) || !json_find(here->schema, "properties", &properties))
        return;
    for (JSON_EACH(property, properties)) {
        struct setting member = settings_get(settings, here, json_key(property));

        check_bounds(settings, &member);
    }
}

bool settings_check(struct settings *settings, struct error *err)
{
    struct setting root = settings_root(settings);

    if (!check_rules(settings, err))
        return false;
    check_bounds(settings, &root);
    settings->is_checked = true;
    return true;
}
