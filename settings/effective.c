/*
 * effective.c - the values in force, with defaults, as JSON for people; see settings.h.
 */
#include "settings/settings.h"

#include "base/buf.h"

enum { INDENT = 2 };

struct effective {
    struct settings *settings;
    struct buf *out;
};

static void effective_write(const struct effective *effective, const struct setting *here,
                            size_t depth);

static void begin_line(const struct effective *effective, size_t depth, bool first)
{
    buf_printf(effective->out, "%s\n%*s", first ? "" : ",", (int)(depth * INDENT), "");
}

/* Has this kind of sink the key? */
static bool belongs_to_kind(struct json_object *schema, struct str kind)
{
    struct json_object *kinds;

    if (!schema || !json_find(schema, "x-sinks", &kinds))
        return true;
    for (size_t i = 0; i < json_count(kinds); i++)
        if (str_equal(json_str(json_at(kinds, i)), kind))
            return true;
    return false;
}

/* A key without value and without default does not count. */
static bool is_shown(const struct effective *effective, const struct setting *object,
                     const struct setting *member)
{
    struct setting kind = settings_get(effective->settings, object, "kind");
    struct json_object *inner;

    if (member->schema && json_find(member->schema, "x-includes", &inner))
        return false; /* what is included is shown */
    if (!belongs_to_kind(member->schema,
                         json_is_string(kind.value) ? json_str(kind.value) : STR("")))
        return false;
    return member->value || json_find(member->schema, "properties", &inner);
}

static void write_object(const struct effective *effective, const struct setting *here,
                         struct json_object *properties, size_t depth)
{
    bool first = true;

    buf_add_char(effective->out, '{');
    for (JSON_EACH(property, properties)) {
        struct setting member = settings_get(effective->settings, here, json_key(property));

        if (!is_shown(effective, here, &member))
            continue;
        begin_line(effective, depth + 1, first);
        json_write_string(effective->out, str_from_c(json_key(property)));
        buf_add(effective->out, STR(": "));
        effective_write(effective, &member, depth + 1);
        first = false;
    }
    begin_line(effective, depth, true);
    buf_add_char(effective->out, '}');
}

static void write_list(const struct effective *effective, const struct setting *here, size_t depth)
{
    buf_add_char(effective->out, '[');
    for (size_t i = 0; i < json_count(here->value); i++) {
        struct setting element = settings_at(effective->settings, here, i);

        begin_line(effective, depth + 1, i == 0);
        effective_write(effective, &element, depth + 1);
    }
    begin_line(effective, depth, true);
    buf_add_char(effective->out, ']');
}

/* An object whose values may be secrets: only its keys. */
static void write_hidden(const struct effective *effective, const struct setting *here)
{
    bool first = true;

    buf_add_char(effective->out, '{');
    for (JSON_EACH(member, here->value)) {
        buf_add(effective->out, first ? STR("") : STR(","));
        json_write_string(effective->out, str_from_c(json_key(member)));
        buf_add(effective->out, STR(":\"(hidden)\""));
        first = false;
    }
    buf_add_char(effective->out, '}');
}

/* Recurses as deep as the schema. */
static void effective_write(const struct effective *effective, const struct setting *here,
                            size_t depth)
{
    struct json_object *found = NULL;
    bool is_object = !here->value || json_is_object(here->value);

    if (is_object && here->schema && json_find(here->schema, "properties", &found))
        write_object(effective, here, found, depth);
    else if (is_object && here->value && json_find(here->schema, "x-secret", &found))
        write_hidden(effective, here);
    else if (json_is_array(here->value) && json_count(here->value) > 0 &&
             json_is_object(json_at(here->value, 0)))
        write_list(effective, here, depth);
    else
        json_write(effective->out, here->value);
}

void settings_write(struct settings *settings, struct buf *out)
{
    const struct effective effective = { settings, out };
    struct setting root = settings_root(settings);

    effective_write(&effective, &root, 0);
    buf_add_char(out, '\n');
}
