/*
 * check.c - what the JSON Schema refuses, in the words of the file's author.
 *
 * The engine's report names a keyword and a place; a table leads from the keyword to the words.
 * They never quote a value: it can come from the environment and be a secret.
 */
#include "base/attr.h"
#include "base/buf.h"
#include "schema/schema.h"
#include "settings/settings_internal.h"
#include "settings/unit.h"

enum { MAX_ERRORS = 200, WORDS_SIZE = 1024 };

/* A value that a keyword of the schema refuses. */
struct settings_fault {
    struct str pointer;
    struct json_object *value;
    struct json_object *schema; /* the node with the keyword */
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
static struct str expected_words(struct json_object *schema)
{
    struct str expected = json_find_str(schema, "x-expected");
    struct str kind = json_find_str(schema, "x-kind");

    if (expected.len > 0)
        return expected;
    return kind.len > 0 ? str_from_c(name_words(kind)) : (struct str){ NULL, 0 };
}

static void explain_type(struct settings *settings, const struct settings_fault *fault)
{
    CLEANUP(buf_done) struct buf words;
    struct json_object *types = NULL;
    struct str expected = expected_words(fault->schema);

    buf_init(&words, WORDS_SIZE);
    (void)json_find(fault->schema, "type", &types);
    buf_add(&words, expected);
    if (expected.len == 0 && json_is_string(types))
        buf_add(&words, str_from_c(name_words(json_str(types))));
    for (size_t i = 0; expected.len == 0 && json_is_array(types) && i < json_count(types); i++)
        buf_printf(&words, "%s%s", i > 0 ? " or " : "", name_words(json_str(json_at(types, i))));
    settings_complain(settings, fault->pointer, "expected %.*s, got %s", STR_ARG(buf_str(&words)),
                      kind_words[json_kind(fault->value)]);
}

static void explain_bound(struct settings *settings, const struct settings_fault *fault)
{
    struct json_object *bound = NULL;
    bool least = str_equal(fault->keyword, STR("minimum"));

    (void)json_find(fault->schema, least ? "minimum" : "maximum", &bound);
    settings_complain(settings, fault->pointer, "must be at %s %.*s", least ? "least" : "most",
                      STR_ARG(json_text(fault->arena, bound)));
}

static void explain_choice(struct settings *settings, const struct settings_fault *fault)
{
    CLEANUP(buf_done) struct buf words;
    struct json_object *choices = NULL;

    buf_init(&words, WORDS_SIZE);
    (void)json_find(fault->schema, "enum", &choices);
    for (size_t i = 0; i < json_count(choices); i++) {
        struct json_object *choice = json_at(choices, i);
        struct str text =
            json_is_string(choice) ? json_str(choice) : json_text(fault->arena, choice);

        buf_printf(&words, "%s%.*s", i > 0 ? ", " : "", STR_ARG(text));
    }
    settings_complain(settings, fault->pointer, "expected one of: %.*s", STR_ARG(buf_str(&words)));
}

static void explain_empty(struct settings *settings, const struct settings_fault *fault)
{
    settings_complain(settings, fault->pointer, "must not be empty");
}

static void explain_unknown(struct settings *settings, const struct settings_fault *fault)
{
    struct json_object *known = NULL;

    (void)json_find(fault->schema, "properties", &known);
    for (JSON_EACH(member, fault->value)) {
        struct json_object *ignored;

        if (known && json_find(known, json_key(member), &ignored))
            continue;
        settings_complain(settings,
                          settings_member_pointer(fault->arena, fault->pointer, json_key(member)),
                          "unknown key");
    }
}

static void explain_missing(struct settings *settings, const struct settings_fault *fault)
{
    struct json_object *wanted = NULL;

    (void)json_find(fault->schema, "required", &wanted);
    for (size_t i = 0; i < json_count(wanted); i++) {
        const char *key = json_str(json_at(wanted, i)).ptr;
        struct json_object *ignored;

        if (!json_find(fault->value, key, &ignored))
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

    for (size_t i = 0; json_is_object(fault->schema) && i < COUNT_OF(table); i++)
        if (str_equal(fault->keyword, str_from_c(table[i].keyword))) {
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

static struct json_object *look_up(struct json_object *root, struct str pointer)
{
    struct json_pointer *compiled;
    struct json_object *value = NULL;
    struct error err;

    if (!json_pointer_create(pointer, &compiled, &err))
        return NULL;
    if (json_pointer_find(compiled, root, &value, NULL) != JSON_FOUND)
        value = NULL;
    json_pointer_destroy(compiled);
    return value;
}

static void explain_unit(struct settings *settings, const struct schema_unit *unit,
                         struct arena *arena)
{
    struct str location = unit->keyword_location;
    size_t slash = location.len;
    struct settings_fault fault = { .pointer = unit->instance_location,
                                    .error = unit->error,
                                    .arena = arena };

    while (slash > 0 && location.ptr[slash - 1] != '/')
        slash--;
    fault.keyword = str_from(location, slash);
    fault.value = look_up(settings->root, fault.pointer);
    fault.schema = look_up(settings->schema, (struct str){ location.ptr, slash ? slash - 1 : 0 });
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
    struct arena *arena;
    struct schema *schema;

    if (!schema_compile(settings->schema, NULL, &schema, err))
        return fail_within(err, "built-in schema");
    arena = arena_create();
    (void)schema_report(schema, settings->root, &options, NULL, arena, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct schema_unit *unit = &report.units[i];

        if (is_in_branch(unit->keyword_location) || is_covered(unit, last))
            continue;
        explain_unit(settings, unit, arena);
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
