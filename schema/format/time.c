/*
 * time.c - dates, times and durations (RFC 3339).
 *
 * A second of 60 is valid only where a leap second can occur: at 23:59 UTC, that is, after the
 * offset is subtracted.
 */
#include "base/chars.h"
#include "schema/format/format_internal.h"

/* A number of exactly `digits` digits, from bounds[0] to bounds[1]. */
static bool take_digits(struct str *text, size_t digits, const int bounds[2], int *out)
{
    int value = 0;

    if (text->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!char_is_digit(text->ptr[i]))
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *out = value;
    *text = str_from(*text, digits);
    return value >= bounds[0] && value <= bounds[1];
}

static bool take_two(struct str *text, int least, int most, int *out)
{
    return take_digits(text, 2, (const int[2]){ least, most }, out);
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool take_date(struct str *text)
{
    int year;
    int month;
    int day;

    return take_digits(text, 4, (const int[2]){ 0, 9999 }, &year) && take_char(text, "-") &&
           take_two(text, 1, 12, &month) && take_char(text, "-") &&
           take_two(text, 1, days_in(year, month), &day);
}

/* "Z" or "+01:30"; `*minutes` is positive east of UTC. */
static bool take_offset(struct str *text, int *minutes)
{
    bool west = next_is_one_of(*text, "-");
    int hour;
    int minute;

    *minutes = 0;
    if (take_char(text, "Zz"))
        return true;
    if (!take_char(text, "+-") || !take_two(text, 0, 23, &hour) || !take_char(text, ":") ||
        !take_two(text, 0, 59, &minute))
        return false;
    *minutes = (west ? -1 : 1) * (hour * 60 + minute);
    return true;
}

static bool take_time(struct str *text)
{
    enum { DAY = 24 * 60 };
    int hour;
    int minute;
    int second;
    int offset;

    if (!take_two(text, 0, 23, &hour) || !take_char(text, ":") || !take_two(text, 0, 59, &minute) ||
        !take_char(text, ":") || !take_two(text, 0, 60, &second))
        return false;
    if (take_char(text, ".") && take_run(text, char_is_digit) == 0)
        return false;
    if (!take_offset(text, &offset))
        return false;
    return second < 60 || (hour * 60 + minute - offset + DAY) % DAY == DAY - 1;
}

bool format_is_date(struct str text)
{
    return take_date(&text) && text.len == 0;
}

bool format_is_time(struct str text)
{
    return take_time(&text) && text.len == 0;
}

bool format_is_date_time(struct str text)
{
    return take_date(&text) && take_char(&text, "Tt") && take_time(&text) && text.len == 0;
}

/* Numbers with consecutive units of `units`, such as "1H2M" or "2M3S" of "HMS". */
static bool take_units(struct str *text, const char *units)
{
    const char *next = NULL;
    struct str rest = *text;

    while (take_run(&rest, char_is_digit) > 0) {
        const char *unit = rest.len > 0 && rest.ptr[0] ? strchr(units, rest.ptr[0]) : NULL;

        if (!unit || (next && unit != next))
            return false;
        next = unit + 1;
        rest = str_from(rest, 1);
        *text = rest;
    }
    return next != NULL;
}

/* RFC 3339 appendix A: "P1Y2M3DT4H5M6S", "P1W". */
bool format_is_duration(struct str text)
{
    struct str week;

    if (!take_char(&text, "P"))
        return false;
    week = text;
    if (take_units(&week, "W"))
        return week.len == 0;
    if (!next_is_one_of(text, "T") && !take_units(&text, "YMD"))
        return false;
    if (take_char(&text, "T") && !take_units(&text, "HMS"))
        return false;
    return text.len == 0;
}
