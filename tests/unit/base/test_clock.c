/*
 * test_clock.c - claims about base/clock.h; the C library's calendar is the other opinion.
 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/attr.h"
#include "tests/unit/test.h"

#define YEAR_0     (-62167219200) /* 0000-01-01T00:00:00Z */
#define YEAR_10000 253402300800

static void expect(int64_t seconds, int micros, char text[static CLOCK_TEXT_SIZE])
{
    time_t when = (time_t)seconds;
    struct tm parts;

    (void)gmtime_r(&when, &parts);
    (void)snprintf(text, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
                   (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
                   (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100,
                   (unsigned)parts.tm_min % 100, (unsigned)parts.tm_sec % 100,
                   (unsigned)micros % 1000000);
}

/* 1 when the two disagree. */
static unsigned differs(int64_t seconds, int micros)
{
    char expected[CLOCK_TEXT_SIZE];
    char text[CLOCK_TEXT_SIZE];

    expect(seconds, micros, expected);
    clock_format(seconds * 1000000 + micros, text);
    if (strcmp(text, expected) == 0)
        return 0;
    CHECK_STR(str_from_c(text), expected);
    return 1;
}

static void formats_known_instants(void)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { 1, "1970-01-01T00:00:00.000001Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
        { -1000000, "1969-12-31T23:59:59.000000Z" },
        { 951782400000000, "2000-02-29T00:00:00.000000Z" },
        { 1705314600123456, "2024-01-15T10:30:00.123456Z" },
        { 4107542400000000, "2100-03-01T00:00:00.000000Z" },
        { YEAR_0 * 1000000, "0000-01-01T00:00:00.000000Z" },
        { YEAR_10000 * 1000000 - 1, "9999-12-31T23:59:59.999999Z" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[CLOCK_TEXT_SIZE];

        TEST_CASE(cases[i].text);
        clock_format(cases[i].us, text);
        CHECK_STR(str_from_c(text), cases[i].text);
    }
}

static void agrees_with_the_calendar_over_ten_thousand_years(void)
{
    unsigned wrong = 0;

    for (int64_t at = YEAR_0; at < YEAR_10000 && wrong < 5; at += 7 * 86400 + 3607)
        wrong += differs(at, (int)(at % 1000 + 1000));
    for (int64_t at = -1000LL * 86400; at < 50000LL * 86400 && wrong < 5; at += 86400)
        wrong += differs(at, 0) + differs(at + 86399, 999999);
    CHECK_INT(wrong, 0);
}

static void knows_every_leap_year(void)
{
    unsigned wrong = 0;

    for (int year = 0; year < 10000 && wrong < 5; year++) {
        struct tm march = { .tm_year = year - 1900, .tm_mon = 2, .tm_mday = 1 };
        int64_t first = timegm(&march);

        wrong += differs(first, 0) + differs(first - 1, 999999);
    }
    CHECK_INT(wrong, 0);
}

static void the_clocks_go_forward(void)
{
    int64_t now = clock_monotonic_us();

    for (int i = 0; i < 1000; i++) {
        int64_t later = clock_monotonic_us();

        CHECK(later >= now);
        now = later;
    }
    CHECK(clock_now_us() > 1700000000000000 && clock_now_us() < YEAR_10000 * 1000000);
}

static void reads_what_it_writes(void)
{
    unsigned wrong = 0;

    for (int64_t us = YEAR_0 * 1000000; us < YEAR_10000 * 1000000; us += 40000000000123457) {
        char text[CLOCK_TEXT_SIZE];
        int64_t read;

        clock_format(us, text);
        wrong += !clock_parse(str_from_c(text), &read) || read != us;
    }
    CHECK_INT(wrong, 0);
}

static void reads_times_of_others(void)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01", 0 },
        { "2024-02-29", 1709164800000000 },
        { "2024-01-15T10:30:00.000Z", 1705314600000000 },
        { "2024-01-15T10:30:00.1234567z", 1705314600123456 },
        { "2024-01-15t12:30:00+02:00", 1705314600000000 },
        { "2024-01-15T05:00:00-05:30", 1705314600000000 },
        { "2016-12-31T23:59:60Z", 1483228800000000 },
        { "0000-03-01T00:00:00Z", (YEAR_0 + 60 * INT64_C(86400)) * 1000000 },
    };
    static const char *const wrong[] = {
        "",
        "2024",
        "2024-1-15",
        "2024-00-15",
        "2024-13-01",
        "2023-02-29",
        "2100-02-29",
        "2024-01-32",
        "2024-01-00",
        "2024-01-15 ",
        "2024-01-15T10:30:00",
        "2024-01-15T24:00:00Z",
        "-024-01-15",
        "2024/01/15",
        "2024-01-15T10:60:00Z",
        "2024-01-15T10:30:61Z",
        "now",
        "2024-01-15T10:30:00.Z",
        "2024-01-15T10:30:00+2:00",
        "2024-01-15T10:30:00+24:00",
        "2024-01-15T10:30:00ZZ",
        "2024-01-15T10:30Z",
    };
    int64_t us;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].text);
        CHECK(clock_parse(str_from_c(cases[i].text), &us));
        CHECK_INT(us, cases[i].us);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        TEST_CASE(wrong[i]);
        CHECK(!clock_parse(str_from_c(wrong[i]), &us));
    }
    CHECK(!clock_parse(STR_NONE, &us));
}

static void reads_the_dates_of_http(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        { "Wed, 25 Nov 2026 18:00:00 GMT", 1795629600 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Sat, 29 Feb 2020 12:00:00 GMT", 1582977600 },
        { "Sun, 31 Dec 2023 23:59:60 GMT", 1704067200 },
    };
    static const char *const wrong[] = {
        "Sat, 29 Feb 2020 12:00:00 UTC",
        "Sat, 29 feb 2020 12:00:00 GMT",
        "Wed, 29 Feb 2023 12:00:00 GMT",
        "Saturday, 29-Feb-20 12:00:00 GMT",
        "Sat Feb 29 12:00:00 2020",
        "Sat,",
        "",
    };
    int64_t us;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].text);
        CHECK(clock_parse_http(str_from_c(cases[i].text), &us));
        CHECK_INT(us, cases[i].seconds * 1000000);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        TEST_CASE(wrong[i]);
        CHECK(!clock_parse_http(str_from_c(wrong[i]), &us));
    }
}

int main(void)
{
    RUN(formats_known_instants);
    RUN(agrees_with_the_calendar_over_ten_thousand_years);
    RUN(knows_every_leap_year);
    RUN(the_clocks_go_forward);
    RUN(reads_what_it_writes);
    RUN(reads_times_of_others);
    RUN(reads_the_dates_of_http);
    return test_end();
}
