/*
 * describe.c - see describe.h.
 *
 * Every key stands in the file with its description and its default, or with what the schema's
 * `x-shipped` puts there instead. The keys of a list's elements are described above the list,
 * since the list may be empty.
 */
#include "server/cli/describe.h"

#include "base/chars.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/config/config.h"
#include "settings/yaml_core.h"

enum { COLUMNS = 100, STEP = 2, HANG = 4, MAX_TEXT = 64 * 1024 };

static void add_spaces(struct buf *out, size_t count)
{
    buf_printf(out, "%*s", (int)count, "");
}

/* A comment of `text`, broken between words; further lines begin `hang` further in. */
static void add_comment(struct buf *out, size_t indent, size_t hang, struct str text)
{
    size_t column = 0;
    size_t inner = 0;

    while (text.len > 0) {
        const char *space = memchr(text.ptr, ' ', text.len);
        struct str word = { text.ptr, space ? (size_t)(space - text.ptr) : text.len };

        if (column > 0 && column + 1 + word.len > COLUMNS) {
            buf_add_char(out, '\n');
            column = 0;
            inner = hang;
        }
        if (column == 0) {
            add_spaces(out, indent);
            buf_add_char(out, '#');
            add_spaces(out, inner);
            column = indent + 1 + inner;
        }
        buf_add_char(out, ' ');
        buf_add(out, word);
        column += 1 + word.len;
        text = str_from(text, word.len + 1);
    }
    buf_add_char(out, '\n');
}

/* May the text stand without quotes, also between braces, and is a string then? */
static bool is_plain(struct str text)
{
    static const char signs[] = "_./:-";

    if (text.len == 0 || yaml_core_kind(text) != YAML_CORE_STRING || text.ptr[0] == '-' ||
        text.ptr[0] == ':' || text.ptr[text.len - 1] == ':')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!char_is_alnum(c) && !memchr(signs, c, sizeof(signs) - 1))
            return false;
    }
    return true;
}

static void add_text(struct buf *out, struct str text)
{
    if (is_plain(text))
        buf_add(out, text);
    else
        json_write_string(out, text); /* which is YAML's double-quoted style */
}

static void add_value(struct buf *out, struct json_object *value);

static void add_members(struct buf *out, struct json_object *object)
{
    const char *separator = "{ ";

    for (JSON_EACH(member, object)) {
        buf_add(out, str_from_c(separator));
        add_text(out, str_from_c(json_key(member)));
        buf_add(out, STR(": "));
        add_value(out, json_value(member));
        separator = ", ";
    }
    buf_add(out, *separator == '{' ? STR("{}") : STR(" }"));
}

/* A value on one line. Recurses as deep as the schema's own examples. */
static void add_value(struct buf *out, struct json_object *value)
{
    if (json_is_string(value)) {
        add_text(out, json_str(value));
        return;
    }
    if (json_is_object(value)) {
        add_members(out, value);
        return;
    }
    if (!json_is_array(value)) {
        json_write(out, value);
        return;
    }
    buf_add_char(out, '[');
    for (size_t i = 0; i < json_count(value); i++) {
        if (i > 0)
            buf_add(out, STR(", "));
        add_value(out, json_at(value, i));
    }
    buf_add_char(out, ']');
}

/* The description, and what may be chosen. */
static void add_words(struct buf *words, struct json_object *schema)
{
    struct json_object *choices;

    buf_add(words, json_find_str(schema, "description"));
    if (!json_find(schema, "enum", &choices))
        return;
    for (size_t i = 0; i < json_count(choices); i++)
        buf_printf(words, "%s%.*s", i > 0 ? " | " : " (", STR_ARG(json_str(json_at(choices, i))));
    buf_add_char(words, ')');
}

static bool is_required(struct json_object *schema, const char *key)
{
    struct json_object *required;

    if (!json_find(schema, "required", &required))
        return false;
    for (size_t i = 0; i < json_count(required); i++)
        if (str_equal(json_str(json_at(required, i)), str_from_c(key)))
            return true;
    return false;
}

/* One line, or more, for each key of a list's elements. */
static void add_element_keys(struct buf *out, size_t indent, struct json_object *items)
{
    struct json_object *properties;

    if (!json_find(items, "properties", &properties))
        return;
    for (JSON_EACH(property, properties)) {
        CLEANUP(buf_done) struct buf words;
        struct json_object *preset;

        buf_init(&words, MAX_TEXT);
        buf_printf(&words, "  %s: ", json_key(property));
        add_words(&words, json_value(property));
        if (is_required(items, json_key(property))) {
            buf_add(&words, STR(" Required."));
        } else if (json_find(json_value(property), "default", &preset)) {
            buf_add(&words, STR(" Default: "));
            add_value(&words, preset);
        }
        add_comment(out, indent, HANG, buf_str(&words));
    }
}

static void add_example(struct buf *out, size_t indent, struct json_object *schema)
{
    struct json_object *examples;
    struct json_object *example;

    if (!json_find(schema, "examples", &examples) || json_count(examples) == 0)
        return;
    example = json_at(examples, 0);
    if (!json_is_array(example)) {
        add_spaces(out, indent);
        buf_add(out, STR("# Example: "));
        add_value(out, example);
        buf_add_char(out, '\n');
        return;
    }
    for (size_t i = 0; i < json_count(example); i++) {
        add_spaces(out, indent);
        buf_add(out, i == 0 ? STR("# Example: - ") : STR("#          - "));
        add_value(out, json_at(example, i));
        buf_add_char(out, '\n');
    }
}

/* The elements of a list, each a block of keys. */
static void add_elements(struct buf *out, size_t indent, struct json_object *list)
{
    buf_add_char(out, '\n');
    for (size_t i = 0; i < json_count(list); i++) {
        const char *lead = "- ";

        for (JSON_EACH(member, json_at(list, i))) {
            add_spaces(out, indent);
            buf_printf(out, "%s%s: ", lead, json_key(member));
            add_value(out, json_value(member));
            buf_add_char(out, '\n');
            lead = "  ";
        }
    }
}

static void add_property(struct buf *out, size_t indent, const char *key,
                         struct json_object *schema);

static void add_properties(struct buf *out, size_t indent, struct json_object *properties)
{
    for (JSON_EACH(property, properties)) {
        if (indent == 0)
            buf_add_char(out, '\n');
        add_property(out, indent, json_key(property), json_value(property));
    }
}

/* What stands behind the key and its colon, to the line's end. */
static void add_default(struct buf *out, size_t indent, struct json_object *schema)
{
    struct str shipped = json_find_str(schema, "x-shipped");
    struct json_object *preset = NULL;

    if (!json_find(schema, "x-shipped", &preset) || !json_is_array(preset))
        (void)json_find(schema, "default", &preset);
    if (json_is_array(preset) && json_count(preset) > 0) {
        add_elements(out, indent + STEP, preset);
        return;
    }
    buf_add_char(out, ' ');
    if (shipped.len > 0)
        buf_add(out, shipped);
    else
        add_value(out, preset);
    buf_add_char(out, '\n');
}

/* Recurses as deep as the schema's objects. */
static void add_property(struct buf *out, size_t indent, const char *key,
                         struct json_object *schema)
{
    CLEANUP(buf_done) struct buf words;
    struct json_object *properties;
    struct json_object *items;

    buf_init(&words, MAX_TEXT);
    add_words(&words, schema);
    add_comment(out, indent, 0, buf_str(&words));
    if (json_find(schema, "items", &items))
        add_element_keys(out, indent, items);
    add_example(out, indent, schema);
    add_spaces(out, indent);
    buf_printf(out, "%s:", key);
    if (json_find(schema, "properties", &properties)) {
        buf_add_char(out, '\n');
        add_properties(out, indent + STEP, properties);
        return;
    }
    add_default(out, indent, schema);
}

void config_describe(struct buf *out)
{
    CLEANUP(json_cleanup) struct json_object *schema = NULL;
    struct json_object *properties;
    struct error err;

    if (!json_read(config_schema_text(), NULL, &schema, &err) ||
        !json_find(schema, "properties", &properties)) {
        buf_printf(out, "# built-in schema: %s\n", err.text);
        return;
    }
    buf_add(out, STR("# yaml-language-server: $schema=sluice.schema.json\n#\n"));
    add_comment(out, 0, 0, json_find_str(schema, "title"));
    buf_add(out, STR("#\n"));
    add_comment(out, 0, 0, json_find_str(schema, "description"));
    buf_add(out, STR("# Everything below is the default, but for what is taken from the "
                     "environment, and the sink.\n"));
    add_properties(out, 0, properties);
}
