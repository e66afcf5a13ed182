/*
 * words.c - see words.h.
 *
 * A table from keyword to words. Values are never quoted: they may have come from the environment.
 */
#include "settings/words.h"

#include "base/attr.h"
#include "base/buf.h"

enum { WORDS_SIZE = 1024 };

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

/* What the node wants, in its own words or by its kind; empty when it says neither. */
static struct str expected_words(struct json_object *schema)
{
    struct str expected = json_find_str(schema, "x-expected");
    struct str kind = json_find_str(schema, "x-kind");

    if (expected.len > 0)
        return expected;
    return kind.len > 0 ? str_from_c(name_words(kind)) : (struct str){ NULL, 0 };
}

static void explain_type(struct settings *settings, const struct settings_fault *fault,
                         struct arena *arena)
{
    CLEANUP(buf_done) struct buf words;
    struct json_object *types = NULL;
    struct str expected = expected_words(fault->schema);

    (void)arena;
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

static void explain_bound(struct settings *settings, const struct settings_fault *fault,
                          struct arena *arena)
{
    struct json_object *bound = NULL;
    bool least = str_equal(fault->keyword, STR("minimum"));

    (void)json_find(fault->schema, least ? "minimum" : "maximum", &bound);
    settings_complain(settings, fault->pointer, "must be at %s %.*s", least ? "least" : "most",
                      STR_ARG(json_text(arena, bound)));
}

static void explain_choice(struct settings *settings, const struct settings_fault *fault,
                           struct arena *arena)
{
    CLEANUP(buf_done) struct buf words;
    struct json_object *choices = NULL;

    buf_init(&words, WORDS_SIZE);
    (void)json_find(fault->schema, "enum", &choices);
    for (size_t i = 0; i < json_count(choices); i++) {
        struct json_object *choice = json_at(choices, i);
        struct str text = json_is_string(choice) ? json_str(choice) : json_text(arena, choice);

        buf_printf(&words, "%s%.*s", i > 0 ? ", " : "", STR_ARG(text));
    }
    settings_complain(settings, fault->pointer, "expected one of: %.*s", STR_ARG(buf_str(&words)));
}

static void explain_empty(struct settings *settings, const struct settings_fault *fault,
                          struct arena *arena)
{
    (void)arena;
    settings_complain(settings, fault->pointer, "must not be empty");
}

/* The pointer of a member. */
static struct str member_pointer(struct str object, const char *key, struct arena *arena)
{
    CLEANUP(buf_done) struct buf pointer;

    buf_init(&pointer, (size_t)2 * YAML_MAX_BYTES);
    buf_add(&pointer, object);
    buf_add_char(&pointer, '/');
    json_write_pointer_token(&pointer, str_from_c(key));
    return arena_copy(arena, buf_str(&pointer));
}

static void explain_unknown(struct settings *settings, const struct settings_fault *fault,
                            struct arena *arena)
{
    struct json_object *known = NULL;

    (void)json_find(fault->schema, "properties", &known);
    for (JSON_EACH(member, fault->value)) {
        struct json_object *ignored;

        if (known && json_find(known, json_key(member), &ignored))
            continue;
        settings_complain(settings, member_pointer(fault->pointer, json_key(member), arena),
                          "unknown key");
    }
}

static void explain_missing(struct settings *settings, const struct settings_fault *fault,
                            struct arena *arena)
{
    struct json_object *wanted = NULL;

    (void)json_find(fault->schema, "required", &wanted);
    for (size_t i = 0; i < json_count(wanted); i++) {
        const char *key = json_str(json_at(wanted, i)).ptr;
        struct json_object *ignored;

        if (!json_find(fault->value, key, &ignored))
            settings_complain(settings, member_pointer(fault->pointer, key, arena), "is missing");
    }
}

/* Any other keyword: the node's own words, else the engine's rule without its value. */
static void explain_other(struct settings *settings, const struct settings_fault *fault,
                          struct arena *arena)
{
    struct str expected = expected_words(fault->schema);

    (void)arena;
    if (expected.len > 0)
        settings_complain(settings, fault->pointer, "expected %.*s", STR_ARG(expected));
    else
        settings_complain(settings, fault->pointer, "%.*s", STR_ARG(fault->error));
}

void settings_explain(struct settings *settings, const struct settings_fault *fault,
                      struct arena *arena)
{
    static const struct {
        const char *keyword;
        void (*explain)(struct settings *, const struct settings_fault *, struct arena *);
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
            table[i].explain(settings, fault, arena);
            return;
        }
    explain_other(settings, fault, arena);
}
