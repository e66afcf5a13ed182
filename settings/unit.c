/*
 * unit.c - see unit.h.
 *
 * Integer arithmetic: a fraction is read to its sixth digit, so that 0.1s is exact.
 */
#include "settings/unit.h"

#include <stddef.h>

#include "base/attr.h"
#include "base/chars.h"
#include "base/str.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = {
    { "B", 1 },
    { "KiB", UINT64_C(1) << 10 },
    { "MiB", UINT64_C(1) << 20 },
    { "GiB", UINT64_C(1) << 30 },
};

static const struct unit times[] = {
    { "ms", 1000 },
    { "s", 1000000 },
    { "m", UINT64_C(60) * 1000000 },
    { "h", UINT64_C(3600) * 1000000 },
    { "d", UINT64_C(86400) * 1000000 },
};

enum { MILLIONTHS = 1000000 };

/* Beyond this no digit is added: the result is over every maximum. */
static const uint64_t too_much = INT64_MAX / 10 - 1;

static bool is_digit(struct str text, size_t at)
{
    return at < text.len && char_is_digit(text.ptr[at]);
}

/* Read the number at the front of `text`. Returns its length in bytes; 0: there is none. */
static size_t read_decimal(struct str text, uint64_t *whole, uint64_t *millionths)
{
    size_t at = 0;
    uint64_t weight = MILLIONTHS / 10;

    *whole = 0;
    *millionths = 0;
    for (; is_digit(text, at); at++)
        *whole = *whole > too_much ? *whole : *whole * 10 + (uint64_t)(text.ptr[at] - '0');
    if (at == 0 || at >= text.len || text.ptr[at] != '.')
        return at;
    for (at++; is_digit(text, at); at++) {
        *millionths += weight * (uint64_t)(text.ptr[at] - '0');
        weight /= 10;
    }
    return text.ptr[at - 1] == '.' ? 0 : at;
}

static bool read_unit(struct str text, const struct unit *units, size_t count, uint64_t *out)
{
    uint64_t whole;
    uint64_t millionths;
    size_t len = read_decimal(text, &whole, &millionths);

    if (len == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t factor = units[i].factor;

        if (!str_equal(str_from(text, len), str_from_c(units[i].name)))
            continue;
        *out = INT64_MAX;
        if (whole > too_much || whole > (uint64_t)INT64_MAX / factor - 1)
            return true;
        /* Split, so that millionths times a GiB or a day stays within 64 bits. */
        *out = whole * factor + millionths * (factor / MILLIONTHS) +
               millionths * (factor % MILLIONTHS) / MILLIONTHS;
        return true;
    }
    return false;
}

bool settings_size(struct json_object *value, uint64_t *bytes)
{
    int64_t number;

    if (json_is_string(value))
        return read_unit(json_str(value), sizes, COUNT_OF(sizes), bytes);
    if (json_kind(value) != JSON_INTEGER || json_double(value) < 0)
        return false;
    *bytes = json_int64(value, &number) ? (uint64_t)number : INT64_MAX;
    return true;
}

bool settings_time_text(struct str text, int64_t *microseconds)
{
    uint64_t time;

    if (!read_unit(text, times, COUNT_OF(times), &time))
        return false;
    *microseconds = (int64_t)time;
    return true;
}

bool settings_time(struct json_object *value, int64_t *microseconds)
{
    return json_is_string(value) && settings_time_text(json_str(value), microseconds);
}
