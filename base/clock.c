/*
 * clock.c - see clock.h.
 *
 * The calendar is computed here and not by gmtime_r + strftime: this runs several times a request.
 */
#include "base/clock.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now); /* cannot fail for these ids */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

struct timespec clock_timespec(int64_t us)
{
    return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

void clock_init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

/* `count` decimal digits of `value`, leading zeroes included. */
static char *digits(char *to, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

void clock_format(int64_t us, char text[static CLOCK_TEXT_SIZE])
{
    int64_t micros = us % 1000000;
    int64_t seconds = us / 1000000;

    if (micros < 0) {
        micros += 1000000;
        seconds--;
    }

    int64_t second = seconds % 86400;
    int64_t day = seconds / 86400;

    if (second < 0) {
        second += 86400;
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
    *text++ = '.';
    text = digits(text, micros, 6);
    *text++ = 'Z';
    *text = '\0';
}
