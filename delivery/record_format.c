/*
 * record_format.c - see record_format.h.
 */
#include "delivery/record_format.h"

#include "base/chars.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "delivery/record_text.h"

/* A piece of text, or a place. */
struct format_part {
    struct str text;              /* the text; of a place its pointer, for messages */
    struct json_pointer *pointer; /* NULL: text */
};

struct record_format {
    struct arena *arena; /* of the texts */
    struct format_part *parts;
    size_t count;
    size_t capacity;
};

static void add_part(struct record_format *format, struct str text, struct json_pointer *pointer)
{
    format->parts =
        mem_grow(format->parts, format->count, &format->capacity, sizeof(*format->parts));
    format->parts[format->count++] =
        (struct format_part){ arena_copy(format->arena, text), pointer };
}

/* The `{pointer}` at the front of `rest`. */
static bool take_place(struct record_format *format, struct str *rest, struct error *err)
{
    const char *end = memchr(rest->ptr, '}', rest->len);
    struct json_pointer *pointer;
    struct str text;

    if (!end)
        return fail(err, ERR_MALFORMED, "a { without }; {{ is a brace");
    text = (struct str){ rest->ptr + 1, (size_t)(end - rest->ptr) - 1 };
    if (text.len == 0 || text.ptr[0] != '/')
        return fail(err, ERR_MALFORMED, "expected a JSON Pointer in braces, as in {/id}");
    if (!json_pointer_create(text, &pointer, err))
        return false;
    add_part(format, text, pointer);
    *rest = str_from(*rest, text.len + 2);
    return true;
}

static bool take_part(struct record_format *format, struct str *rest, struct error *err)
{
    size_t len = 1;

    if (str_starts_with(*rest, STR("{{")) || str_starts_with(*rest, STR("}}"))) {
        add_part(format, (struct str){ rest->ptr, 1 }, NULL);
        *rest = str_from(*rest, 2);
        return true;
    }
    if (rest->ptr[0] == '{')
        return take_place(format, rest, err);
    while (len < rest->len && !char_is_one_of(rest->ptr[len], "{}"))
        len++;
    add_part(format, (struct str){ rest->ptr, len }, NULL);
    *rest = str_from(*rest, len);
    return true;
}

bool record_format_create(struct str text, struct record_format **out, struct error *err)
{
    struct record_format *format = mem_alloc(sizeof(*format));

    format->arena = arena_create();
    while (text.len > 0)
        if (!take_part(format, &text, err)) {
            record_format_destroy(format);
            return false;
        }
    *out = format;
    return true;
}

void record_format_destroy(struct record_format *format)
{
    if (!format)
        return;
    for (size_t i = 0; i < format->count; i++)
        json_pointer_destroy(format->parts[i].pointer);
    mem_free(format->parts);
    arena_destroy(format->arena);
    mem_free(format);
}

bool record_format_is_fixed(const struct record_format *format)
{
    for (size_t i = 0; i < format->count; i++)
        if (format->parts[i].pointer)
            return false;
    return true;
}

/* Control characters of ASCII and of Latin-1 (U+0080 to U+009F), and line separators. */
static bool has_control(struct str text)
{
    uint32_t code;

    while (utf8_take(&text, &code))
        if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029)
            return true;
    return false;
}

static bool fill_place(const struct format_part *part, const struct record_format_place *place,
                       struct buf *text, struct error *err)
{
    struct str value = record_text(place->record, part->pointer, place->arena);

    if (!value.ptr)
        return fail(err, ERR_INVALID, "the record has no text at %.*s", STR_ARG(part->text));
    if (has_control(value))
        return fail(err, ERR_INVALID, "the text at %.*s has a control character",
                    STR_ARG(part->text));
    buf_add(text, value);
    return true;
}

bool record_format_fill(const struct record_format *format, const struct record_format_place *place,
                        struct str *out, struct error *err)
{
    struct buf *text = arena_buf(place->arena, place->max);

    for (size_t i = 0; i < format->count; i++) {
        const struct format_part *part = &format->parts[i];

        if (!part->pointer)
            buf_add(text, part->text);
        else if (!fill_place(part, place, text, err))
            return false;
    }
    if (text->overflow)
        return fail(err, ERR_INVALID, "the text is longer than %zu bytes", place->max);
    if (text->len == 0)
        return fail(err, ERR_INVALID, "the text is empty");
    *out = buf_str(text);
    return true;
}
