/*
 * record_text.c - see record_text.h.
 */
#include "delivery/record_text.h"

#include <math.h>

#include "base/chars.h"
#include "base/clock.h"

enum { DIGITS_MAX = 15 };

/* A larger number is not seconds but milliseconds: as seconds it would be after the year 5000. */
#define SECONDS_MAX 1e11

/* The years 0 to 9999. */
#define FIRST_S (-62167219200.0)
#define END_S   253402300800.0

struct str record_text(struct json_object *record, const struct json_pointer *pointer,
                       struct arena *arena)
{
    struct json_object *value = NULL;
    struct str text;

    if (json_pointer_find(pointer, record, &value, NULL) != JSON_FOUND || !value ||
        json_is_object(value) || json_is_array(value))
        return STR_NONE;
    text = json_is_string(value) ? json_str(value) : json_text(arena, value);
    return text.len > 0 ? arena_copy(arena, text) : STR_NONE;
}

/* Microseconds from a number of seconds or milliseconds. */
static bool read_epoch(double number, int64_t *us)
{
    double seconds = fabs(number) < SECONDS_MAX ? number : number / 1000;

    if (!(seconds >= FIRST_S && seconds < END_S))
        return false;
    *us = (int64_t)floor(seconds * 1e6);
    return true;
}

bool record_time(struct json_object *value, int64_t *us)
{
    enum json_kind kind = json_kind(value);
    double number = 0;

    if (kind == JSON_INTEGER || kind == JSON_NUMBER)
        return read_epoch(json_double(value), us);
    if (kind != JSON_STRING)
        return false;

    struct str text = json_str(value);

    if (!all_are(text, char_is_digit))
        return clock_parse(text, us);
    for (size_t i = 0; i < text.len && i < DIGITS_MAX; i++)
        number = number * 10 + (text.ptr[i] - '0');
    return text.len <= DIGITS_MAX && read_epoch(number, us);
}
