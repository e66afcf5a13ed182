/*
 * transform_time.c - conversions of times that are texts.
 */
#include "base/chars.h"
#include "base/clock.h"
#include "handlers/transform_internal.h"
#include "schema/format/format.h"

/* Microseconds of the years 0 to 9999. */
#define MIN_US INT64_C(-62167219200000000)
#define MAX_US INT64_C(253402300799999999)

enum {
    DATE_TEXT = 10,   /* YYYY-MM-DD */
    SECOND_TEXT = 19, /* YYYY-MM-DDTHH:MM:SS */
};

/* The point and the digits behind the seconds; empty: none. */
static struct str fraction_of(struct str text)
{
    struct str fraction = str_from(text, SECOND_TEXT);
    struct str rest = fraction;

    if (!take_char(&rest, "."))
        return STR("");
    (void)take_run(&rest, char_is_digit);
    fraction.len -= rest.len;
    return fraction;
}

TRANSFORM_CONVERT(transform_utc)
{
    char seconds[CLOCK_TEXT_SIZE];
    struct str text = flat_str(*value);
    int64_t us;

    (void)step;
    if (!flat_is_string(*value) || !format_check(format_find(STR("date-time")), text) ||
        !clock_parse(text, &us) || us < MIN_US || us > MAX_US)
        return transform_cannot(run, "is not a time with an offset");
    clock_format(us, seconds);
    buf_clear(&run->work);
    buf_add(&run->work, (struct str){ seconds, SECOND_TEXT });
    buf_add(&run->work, fraction_of(text));
    buf_add_char(&run->work, 'Z');
    return transform_make_work(run, value);
}

/* A date, or a date and a time with or without an offset. */
static bool begins_with_date(struct transform_run *run, struct str text)
{
    struct str date = { text.ptr, DATE_TEXT };

    if (text.len < DATE_TEXT || !format_check(format_find(STR("date")), date))
        return false;
    if (text.len == DATE_TEXT || format_check(format_find(STR("date-time")), text))
        return true;
    buf_clear(&run->work);
    buf_add(&run->work, text);
    buf_add_char(&run->work, 'Z');
    return format_check(format_find(STR("date-time")), buf_str(&run->work));
}

TRANSFORM_CONVERT(transform_date)
{
    struct str text = flat_str(*value);

    (void)step;
    if (!flat_is_string(*value) || !begins_with_date(run, text))
        return transform_cannot(run, "is not a date");
    return transform_slice_of(run, JSON_STRING, (struct str){ text.ptr, DATE_TEXT }, value);
}
