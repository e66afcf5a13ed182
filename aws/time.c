/*
 * time.c - see time.h. No strptime(): it depends on the locale.
 */
#include "aws/time.h"

#include <stddef.h>

#include "base/clock.h"

enum { FIRST_YEAR = 1970, LAST_YEAR = 9999 };

/* As read; whether the numbers make sense is seen in the end. */
struct parts {
    int year, month, day, hour, minute, second;
    int offset_s; /* east of Greenwich */
};

/* `count` digits from the front of `text`. */
static bool take_number(struct str *text, size_t count, int *number)
{
    int value = 0;

    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *text = str_from(*text, count);
    *number = value;
    return true;
}

static bool take(struct str *text, struct str mark)
{
    if (!str_starts_with(*text, mark))
        return false;
    *text = str_from(*text, mark.len);
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_before_year(int year)
{
    int64_t before = year - 1;

    return before * 365 + before / 4 - before / 100 + before / 400;
}

static bool to_us(const struct parts *parts, int64_t *us)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t days;

    if (parts->year < FIRST_YEAR || parts->year > LAST_YEAR || parts->month < 1 ||
        parts->month > 12 || parts->day < 1 || parts->hour > 23 || parts->minute > 59 ||
        parts->second > 60)
        return false;
    if (parts->day > lengths[parts->month - 1] + (parts->month == 2 && is_leap(parts->year)))
        return false;
    days = days_before_year(parts->year) - days_before_year(FIRST_YEAR) + parts->day - 1;
    for (int month = 1; month < parts->month; month++)
        days += lengths[month - 1] + (month == 2 && is_leap(parts->year));

    int64_t minutes = (days * 24 + parts->hour) * 60 + parts->minute;

    *us = (minutes * 60 + parts->second - parts->offset_s) * US_PER_S;
    return true;
}

/* Of what is finer than a second nothing is kept: nobody expires that exactly. */
static bool take_fraction(struct str *text)
{
    size_t len = 1;

    if (!str_starts_with(*text, STR(".")))
        return true;
    while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        len++;
    *text = str_from(*text, len);
    return len > 1;
}

static bool take_offset(struct str *text, struct parts *parts)
{
    bool west = str_starts_with(*text, STR("-"));
    int hours;
    int minutes;

    if (take(text, STR("Z")) || take(text, STR("z")))
        return true;
    if (!take(text, west ? STR("-") : STR("+")) || !take_number(text, 2, &hours))
        return false;
    (void)take(text, STR(":"));
    if (!take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    parts->offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

bool aws_time_iso(struct str text, int64_t *us)
{
    struct parts parts = { 0 };

    return take_number(&text, 4, &parts.year) && take(&text, STR("-")) &&
           take_number(&text, 2, &parts.month) && take(&text, STR("-")) &&
           take_number(&text, 2, &parts.day) && (take(&text, STR("T")) || take(&text, STR("t"))) &&
           take_number(&text, 2, &parts.hour) && take(&text, STR(":")) &&
           take_number(&text, 2, &parts.minute) && take(&text, STR(":")) &&
           take_number(&text, 2, &parts.second) && take_fraction(&text) &&
           take_offset(&text, &parts) && text.len == 0 && to_us(&parts, us);
}

static bool take_month(struct str *text, int *month)
{
    static const struct str names[] = {
        STR_INIT("Jan"), STR_INIT("Feb"), STR_INIT("Mar"), STR_INIT("Apr"),
        STR_INIT("May"), STR_INIT("Jun"), STR_INIT("Jul"), STR_INIT("Aug"),
        STR_INIT("Sep"), STR_INIT("Oct"), STR_INIT("Nov"), STR_INIT("Dec"),
    };

    for (int i = 0; i < 12; i++) {
        if (take(text, names[i])) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* The name of the weekday says nothing new: five bytes to skip. */
bool aws_time_http(struct str text, int64_t *us)
{
    struct parts parts = { 0 };

    text = str_from(text, 5);
    return take_number(&text, 2, &parts.day) && take(&text, STR(" ")) &&
           take_month(&text, &parts.month) && take(&text, STR(" ")) &&
           take_number(&text, 4, &parts.year) && take(&text, STR(" ")) &&
           take_number(&text, 2, &parts.hour) && take(&text, STR(":")) &&
           take_number(&text, 2, &parts.minute) && take(&text, STR(":")) &&
           take_number(&text, 2, &parts.second) && str_equal(text, STR(" GMT")) &&
           to_us(&parts, us);
}
