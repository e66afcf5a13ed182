/*
 * clock.c - see clock.h.
 *
 * The calendar is computed here: gmtime_r() with strftime() is too slow for several calls a
 * request, and strptime() depends on the locale.
 */
#include "base/clock.h"

#include <string.h>

#include "base/chars.h"

enum { SECONDS_PER_DAY = 86400 };

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now); /* cannot fail for these ids */
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

int64_t clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_thread_us(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

struct timespec clock_timespec(int64_t us)
{
    return (struct timespec){ .tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * NS_PER_US };
}

void clock_sleep(int64_t us)
{
    struct timespec left = clock_timespec(us);

    while (nanosleep(&left, &left) != 0)
        continue;
}

void clock_init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

/* Write `count` decimal digits of `value`, with leading zeros. Returns the end. */
static char *digits(char *to, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

enum { SECONDS_TEXT = sizeof("1970-01-01T00:00:00.") - 1 };

/* Write the text of a time up to and with the point. */
static void format_seconds(int64_t seconds, char text[static SECONDS_TEXT])
{
    int64_t second = seconds % SECONDS_PER_DAY;
    int64_t day = seconds / SECONDS_PER_DAY;

    if (second < 0) {
        second += SECONDS_PER_DAY;
        day--;
    }

    /* Days to year, month, day by counting from 1 March of year 0 in eras of 400 years. */
    day += 719468;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t day_of_era = day - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);

    text = digits(text, year, 4);
    *text++ = '-';
    text = digits(text, month, 2);
    *text++ = '-';
    text = digits(text, day_of_year - (153 * march_month + 2) / 5 + 1, 2);
    *text++ = 'T';
    text = digits(text, second / 3600, 2);
    *text++ = ':';
    text = digits(text, second / 60 % 60, 2);
    *text++ = ':';
    text = digits(text, second % 60, 2);
    *text = '.';
}

/* Most times that a thread formats are in the same second, whose text is kept. */
void clock_format(int64_t us, char text[static CLOCK_TEXT_SIZE])
{
    static _Thread_local char last_text[SECONDS_TEXT];
    static _Thread_local int64_t last_seconds = INT64_MIN;
    int64_t micros = us % US_PER_S;
    int64_t seconds = us / US_PER_S;

    if (micros < 0) {
        micros += US_PER_S;
        seconds--;
    }
    if (seconds != last_seconds) {
        format_seconds(seconds, last_text);
        last_seconds = seconds;
    }
    memcpy(text, last_text, SECONDS_TEXT);
    text = digits(text + SECONDS_TEXT, micros, 6);
    *text++ = 'Z';
    *text = '\0';
}

/* Take `mark` (0: none) and `count` digits. False when they are not there or above `max`. */
static bool clock_take(struct str *text, char mark, int count, int max, int *out)
{
    size_t skip = mark ? 1 : 0;

    if (text->len < skip + (size_t)count || (mark && *text->ptr != mark))
        return false;
    *out = 0;
    for (size_t i = skip; i < skip + (size_t)count; i++) {
        if (!char_is_digit(text->ptr[i]))
            return false;
        *out = *out * 10 + (text->ptr[i] - '0');
    }
    *text = str_from(*text, skip + (size_t)count);
    return *out <= max;
}

/* Days from 1970-01-01 to a date. False: there is no such date. */
static bool days_of(int year, int month, int day, int64_t *days)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (month < 1 || day < 1 || day > lengths[month - 1] + (month == 2 && leap ? 1 : 0))
        return false;

    /* Counted from 1 March of year 0, as in clock_format(); the years begin in March. */
    int64_t years = month > 2 ? year : year - 1;
    int64_t era = (years >= 0 ? years : years - 399) / 400;
    int64_t year_of_era = years - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    *days = era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
            719468;
    return true;
}

static bool take_date(struct str *text, int64_t *days)
{
    int year;
    int month;
    int day;

    return clock_take(text, 0, 4, 9999, &year) && clock_take(text, '-', 2, 12, &month) &&
           clock_take(text, '-', 2, 31, &day) && days_of(year, month, day, days);
}

/* hh:mm:ss, which `mark` precedes (0: nothing); the seconds since midnight. */
static bool take_time(struct str *text, char mark, int64_t *seconds)
{
    int hour;
    int minute;
    int second;

    if (!clock_take(text, mark, 2, 23, &hour) || !clock_take(text, ':', 2, 59, &minute) ||
        !clock_take(text, ':', 2, 60, &second))
        return false;
    *seconds = (hour * (int64_t)60 + minute) * 60 + second;
    return true;
}

static bool take_fraction(struct str *text, int64_t *us)
{
    int64_t weight = 100000;
    int digit;

    *us = 0;
    if (text->len == 0 || *text->ptr != '.')
        return true;
    *text = str_from(*text, 1);
    if (!clock_take(text, 0, 1, 9, &digit))
        return false;
    do {
        *us += weight * digit;
        weight /= 10;
    } while (clock_take(text, 0, 1, 9, &digit));
    return true;
}

static bool take_offset(struct str *text, int64_t *seconds)
{
    int hours;
    int minutes;
    char sign = '\0';

    if (text->len > 0)
        sign = *text->ptr;

    *seconds = 0;
    if (sign == 'Z' || sign == 'z') {
        *text = str_from(*text, 1);
        return true;
    }
    if ((sign != '+' && sign != '-') || !clock_take(text, sign, 2, 23, &hours) ||
        !clock_take(text, ':', 2, 59, &minutes))
        return false;
    *seconds = (sign == '+' ? 1 : -1) * (hours * (int64_t)3600 + minutes * (int64_t)60);
    return true;
}

bool clock_parse(struct str text, int64_t *us)
{
    int64_t days;
    int64_t seconds = 0;
    int64_t offset = 0;
    int64_t fraction = 0;

    if (!take_date(&text, &days))
        return false;
    if (text.len > 0 && (!take_time(&text, *text.ptr == 't' ? 't' : 'T', &seconds) ||
                         !take_fraction(&text, &fraction) || !take_offset(&text, &offset)))
        return false;
    if (text.len > 0)
        return false;
    *us = (days * SECONDS_PER_DAY + seconds - offset) * US_PER_S + fraction;
    return true;
}

static bool take_month(struct str *text, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (*month = 1; *month <= 12; (*month)++) {
        if (str_starts_with(*text, (struct str){ names + (size_t)3 * (size_t)(*month - 1), 3 })) {
            *text = str_from(*text, 3);
            return true;
        }
    }
    return false;
}

/* The name of the weekday, "Wed, ", is not checked: it follows from the date. */
bool clock_parse_http(struct str text, int64_t *us)
{
    int64_t days;
    int64_t seconds;
    int year;
    int month;
    int day;

    text = str_from(text, 5);
    if (!clock_take(&text, 0, 2, 31, &day) || !take_char(&text, " ") ||
        !take_month(&text, &month) || !clock_take(&text, ' ', 4, 9999, &year) ||
        !take_time(&text, ' ', &seconds) || !str_equal(text, STR(" GMT")) ||
        !days_of(year, month, day, &days))
        return false;
    *us = (days * SECONDS_PER_DAY + seconds) * US_PER_S;
    return true;
}
