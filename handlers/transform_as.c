/*
 * transform_as.c - see transform_as.h.
 *
 * Numbers are copied as text, never through a double, so no digit is lost.
 */
#include "handlers/transform_as.h"

#include <stdint.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "schema/format/format.h"

/* Milliseconds of the years 0 to 9999, which four digits can write. */
#define MIN_EPOCH_MS INT64_C(-62167219200000)
#define MAX_EPOCH_MS INT64_C(253402300799999)

enum {
    MILLISECOND_TEXT = 23,             /* YYYY-MM-DDTHH:MM:SS.mmm */
    MAX_CONVERTED = 256 * 1024 * 1024, /* above any body; `out` limits the record */
};

static bool refuse_value(struct error *err, struct str path, const char *what)
{
    return fail(err, ERR_INVALID, "Transformation failed: %.*s %s", STR_ARG(path), what);
}

static bool write_case(const struct flat *value, struct str path,
                       void (*convert)(struct buf *out, struct str text), struct buf *out,
                       struct error *err)
{
    CLEANUP(buf_done) struct buf converted;

    buf_init(&converted, MAX_CONVERTED);
    if (!flat_is_string(value))
        return refuse_value(err, path, "is not a string");
    convert(&converted, flat_str(value));
    json_write_string(out, buf_str(&converted));
    return true;
}

static bool write_lower(const struct flat *value, struct str path, struct buf *out,
                        struct error *err)
{
    return write_case(value, path, utf8_lower, out, err);
}

static bool write_upper(const struct flat *value, struct str path, struct buf *out,
                        struct error *err)
{
    return write_case(value, path, utf8_upper, out, err);
}

static bool write_string(const struct flat *value, struct str path, struct buf *out,
                         struct error *err)
{
    if (flat_is_object(value) || flat_is_array(value))
        return refuse_value(err, path, "cannot be made a string");
    if (flat_is_string(value)) {
        flat_write(out, value);
        return true;
    }
    /* The text of a number or a boolean needs no escapes. */
    buf_add_char(out, '"');
    flat_write(out, value);
    buf_add_char(out, '"');
    return true;
}

static size_t count_digits(struct str text, size_t at)
{
    struct str rest = str_from(text, at);

    return take_run(&rest, char_is_digit);
}

static bool is_at(struct str text, size_t at, char a, char b)
{
    return at < text.len && (text.ptr[at] == a || text.ptr[at] == b);
}

/* Is it a number by JSON's grammar? */
static bool is_number_text(struct str text)
{
    size_t at = is_at(text, 0, '-', '-') ? 1 : 0;
    size_t digits = count_digits(text, at);

    if (digits == 0 || (digits > 1 && text.ptr[at] == '0'))
        return false;
    at += digits;
    if (is_at(text, at, '.', '.')) {
        digits = count_digits(text, at + 1);
        at += 1 + digits;
        if (digits == 0)
            return false;
    }
    if (is_at(text, at, 'e', 'E')) {
        at += is_at(text, at + 1, '+', '-') ? 2 : 1;
        digits = count_digits(text, at);
        at += digits;
        if (digits == 0)
            return false;
    }
    return at == text.len;
}

static bool write_number(const struct flat *value, struct str path, struct buf *out,
                         struct error *err)
{
    if (flat_is_number(value)) {
        flat_write(out, value);
        return true;
    }
    if (!flat_is_string(value) || !is_number_text(flat_str(value)))
        return refuse_value(err, path, "is not a number");
    buf_add(out, flat_str(value));
    return true;
}

static bool write_epoch(const struct flat *value, struct str path, struct buf *out,
                        struct error *err)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t milliseconds;

    if (flat_is_string(value) && format_check(format_find(STR("date-time")), flat_str(value))) {
        flat_write(out, value);
        return true;
    }
    if (!flat_is_number(value) || !flat_int64(value, &milliseconds) ||
        milliseconds < MIN_EPOCH_MS || milliseconds > MAX_EPOCH_MS)
        return refuse_value(err, path, "is not a time in milliseconds");
    clock_format(milliseconds * US_PER_MS, text);
    buf_printf(out, "\"%.*sZ\"", MILLISECOND_TEXT, text);
    return true;
}

static const struct {
    const char *name;
    bool (*write)(const struct flat *value, struct str path, struct buf *out, struct error *err);
} conversions[] = {
    [TRANSFORM_AS_IS] = { NULL, NULL },
    [TRANSFORM_LOWER] = { "lower", write_lower },
    [TRANSFORM_UPPER] = { "upper", write_upper },
    [TRANSFORM_STRING] = { "string", write_string },
    [TRANSFORM_NUMBER] = { "number", write_number },
    [TRANSFORM_EPOCH_MS] = { "epoch_ms_to_iso8601", write_epoch },
};

bool transform_as_parse(struct str name, enum transform_as *out)
{
    for (size_t i = TRANSFORM_LOWER; i < COUNT_OF(conversions); i++)
        if (str_equal(name, str_from_c(conversions[i].name))) {
            *out = (enum transform_as)i;
            return true;
        }
    return false;
}

bool transform_as_write(enum transform_as as, const struct flat *value, struct str path,
                        struct buf *out, struct error *err)
{
    if (as != TRANSFORM_AS_IS && flat_kind(value) != JSON_NULL)
        return conversions[as].write(value, path, out, err);
    flat_write(out, value);
    return true;
}
