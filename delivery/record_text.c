/*
 * record_text.c - see record_text.h.
 */
#include "delivery/record_text.h"

#include <math.h>

#include "base/chars.h"
#include "base/clock.h"

#define NUMBER_MAX INT64_C(999999999999999)

/* A larger number is not seconds but milliseconds: as seconds it would be after the year 5000. */
#define SECONDS_MAX 1e11

/* The years 0 to 9999. */
#define FIRST_S (-62167219200.0)
#define END_S   253402300800.0

struct str record_text(const struct flat *record, const struct json_pointer *pointer,
                       struct arena *arena)
{
    const struct flat *value = NULL;

    if (flat_pointer_find(pointer, record, &value, NULL) != JSON_FOUND)
        return STR_NONE;
    switch (flat_kind(value)) {
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        return STR_NONE;
    case JSON_STRING:
        return value->len > 0 ? arena_copy(arena, flat_str(value)) : STR_NONE;
    default:
        return flat_text(arena, value);
    }
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

bool record_time(const struct flat *value, int64_t *us)
{
    int64_t number;

    if (flat_is_number(value))
        return read_epoch(flat_double(value), us);
    if (!flat_is_string(value))
        return false;

    struct str text = flat_str(value);

    return whole_number(text, NUMBER_MAX, &number) ? read_epoch((double)number, us)
                                                   : clock_parse(text, us);
}
