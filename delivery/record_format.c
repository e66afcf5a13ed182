/*
 * record_format.c - see record_format.h.
 */
#include "delivery/record_format.h"

#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "delivery/record_text.h"

enum format_kind { FORMAT_TEXT, FORMAT_VALUE, FORMAT_TIME };

/* A piece of text, or a place. */
struct format_part {
    enum format_kind kind;
    struct str text;              /* the text; of a place its pointer or the time's format */
    struct json_pointer *pointer; /* of a value */
};

struct record_format {
    struct arena *arena; /* of the texts */
    struct format_part *parts;
    size_t count;
    size_t capacity;
    bool has_time; /* it can have places for the time */
};

static void add_part(struct record_format *format, enum format_kind kind, struct str text,
                     struct json_pointer *pointer)
{
    format->parts =
        mem_grow(format->parts, format->count, &format->capacity, sizeof(*format->parts));
    format->parts[format->count++] =
        (struct format_part){ kind, arena_copy(format->arena, text), pointer };
}

/* The digits of a time directive are a slice of `YYYY-MM-DDTHH:MM:SS`. False: there is none such.
 */
static bool find_directive(char directive, size_t *start, size_t *len)
{
    static const struct {
        char directive;
        size_t start, len;
    } rows[] = { { 'Y', 0, 4 },  { 'm', 5, 2 },  { 'd', 8, 2 },
                 { 'H', 11, 2 }, { 'M', 14, 2 }, { 'S', 17, 2 } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].directive != directive)
            continue;
        *start = rows[i].start;
        *len = rows[i].len;
        return true;
    }
    return false;
}

static bool check_time(struct str text, struct error *err)
{
    size_t start, len;

    if (text.len == 0)
        return fail(err, ERR_MALFORMED, "{time:} has no format; an example is {time:%%Y/%%m/%%d}");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%')
            continue;
        if (++i == text.len || (text.ptr[i] != '%' && !find_directive(text.ptr[i], &start, &len)))
            return fail(err, ERR_MALFORMED, "{time:%.*s}: expected %%Y %%m %%d %%H %%M %%S or %%%%",
                        STR_ARG(text));
    }
    return true;
}

static void fill_time(struct buf *out, struct str format, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(us, text);
    for (size_t i = 0; i < format.len; i++) {
        size_t start = 0;
        size_t len = 0;

        if (format.ptr[i] == '%' && find_directive(format.ptr[++i], &start, &len))
            buf_add(out, (struct str){ text + start, len });
        else
            buf_add_char(out, format.ptr[i]);
    }
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
    *rest = str_from(*rest, text.len + 2);
    if (format->has_time && str_starts_with(text, STR("time:"))) {
        text = str_from(text, sizeof("time:") - 1);
        add_part(format, FORMAT_TIME, text, NULL);
        return check_time(text, err);
    }
    if (text.len == 0 || text.ptr[0] != '/')
        return fail(err, ERR_MALFORMED, "expected a JSON Pointer in braces, as in {/id}");
    if (!json_pointer_create(text, &pointer, err))
        return false;
    add_part(format, FORMAT_VALUE, text, pointer);
    return true;
}

static bool take_part(struct record_format *format, struct str *rest, struct error *err)
{
    size_t len = 1;

    if (str_starts_with(*rest, STR("{{")) || str_starts_with(*rest, STR("}}"))) {
        add_part(format, FORMAT_TEXT, (struct str){ rest->ptr, 1 }, NULL);
        *rest = str_from(*rest, 2);
        return true;
    }
    if (rest->ptr[0] == '{')
        return take_place(format, rest, err);
    while (len < rest->len && !char_is_one_of(rest->ptr[len], "{}"))
        len++;
    add_part(format, FORMAT_TEXT, (struct str){ rest->ptr, len }, NULL);
    *rest = str_from(*rest, len);
    return true;
}

static bool create(struct str text, bool has_time, struct record_format **out, struct error *err)
{
    struct record_format *format = mem_alloc(sizeof(*format));

    format->arena = arena_create();
    format->has_time = has_time;
    while (text.len > 0)
        if (!take_part(format, &text, err)) {
            record_format_destroy(format);
            return false;
        }
    *out = format;
    return true;
}

bool record_format_create(struct str text, struct record_format **out, struct error *err)
{
    return create(text, false, out, err);
}

bool record_format_create_timed(struct str text, struct record_format **out, struct error *err)
{
    return create(text, true, out, err);
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

static bool has_kind(const struct record_format *format, enum format_kind kind)
{
    for (size_t i = 0; i < format->count; i++)
        if (format->parts[i].kind == kind)
            return true;
    return false;
}

bool record_format_needs_record(const struct record_format *format)
{
    return has_kind(format, FORMAT_VALUE);
}

bool record_format_needs_time(const struct record_format *format)
{
    return has_kind(format, FORMAT_TIME);
}

bool record_format_is_fixed(const struct record_format *format)
{
    return !has_kind(format, FORMAT_VALUE) && !has_kind(format, FORMAT_TIME);
}

void record_format_glob(const struct record_format *format, struct buf *out)
{
    for (size_t i = 0; i < format->count; i++)
        buf_add(out, format->parts[i].kind == FORMAT_TEXT ? format->parts[i].text : STR("*"));
}

void record_format_example(const struct record_format *format, struct buf *out)
{
    for (size_t i = 0; i < format->count; i++)
        if (format->parts[i].kind == FORMAT_TIME)
            fill_time(out, format->parts[i].text, 0);
        else
            buf_add(out, format->parts[i].pointer ? STR("x") : format->parts[i].text);
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
    if (place->add_value) {
        place->add_value(text, value);
        return true;
    }
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

        if (part->kind == FORMAT_TEXT)
            buf_add(text, part->text);
        else if (part->kind == FORMAT_TIME)
            fill_time(text, part->text, place->time_us);
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
