/*
 * test_time.c - claims about aws/time.h.
 */
#include "aws/time.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void times_are_read(void)
{
    static const struct {
        const char *text;
        bool (*read)(struct str text, int64_t *us);
        int64_t seconds; /* -1: refused */
    } cases[] = {
        { "1970-01-01T00:00:00Z", aws_time_iso, 0 },
        { "2026-11-25T18:00:00Z", aws_time_iso, 1795629600 },
        { "2026-11-25T18:00:00.123Z", aws_time_iso, 1795629600 },
        { "2026-11-25t18:00:00z", aws_time_iso, 1795629600 },
        { "2026-11-25T19:00:00+01:00", aws_time_iso, 1795629600 },
        { "2026-11-25T18:00:00+0000", aws_time_iso, 1795629600 },
        { "2026-11-25T12:30:00-05:30", aws_time_iso, 1795629600 },
        { "2024-02-29T00:00:00Z", aws_time_iso, 1709164800 },
        { "2000-02-29T23:59:60Z", aws_time_iso, 951868800 },
        { "9999-12-31T23:59:59Z", aws_time_iso, 253402300799 },
        { "2023-02-29T00:00:00Z", aws_time_iso, -1 },
        { "2100-02-29T00:00:00Z", aws_time_iso, -1 },
        { "2026-13-01T00:00:00Z", aws_time_iso, -1 },
        { "2026-00-01T00:00:00Z", aws_time_iso, -1 },
        { "2026-01-00T00:00:00Z", aws_time_iso, -1 },
        { "2026-01-01T24:00:00Z", aws_time_iso, -1 },
        { "2026-01-01T00:60:00Z", aws_time_iso, -1 },
        { "2026-01-01T00:00:61Z", aws_time_iso, -1 },
        { "1969-12-31T23:59:59Z", aws_time_iso, -1 },
        { "2026-01-01T00:00:00", aws_time_iso, -1 },
        { "2026-01-01T00:00:00.Z", aws_time_iso, -1 },
        { "2026-01-01T00:00:00ZZ", aws_time_iso, -1 },
        { "2026-01-01T00:00:00+25:00", aws_time_iso, -1 },
        { "2026-01-01 00:00:00Z", aws_time_iso, -1 },
        { "2026-1-1T00:00:00Z", aws_time_iso, -1 },
        { "", aws_time_iso, -1 },
        { "Wed, 25 Nov 2026 18:00:00 GMT", aws_time_http, 1795629600 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", aws_time_http, 0 },
        { "Sat, 29 Feb 2020 12:00:00 GMT", aws_time_http, 1582977600 },
        { "Sat, 29 Feb 2020 12:00:00 UTC", aws_time_http, -1 },
        { "Sat, 29 feb 2020 12:00:00 GMT", aws_time_http, -1 },
        { "Saturday, 29-Feb-20 12:00:00 GMT", aws_time_http, -1 },
        { "Sat Feb 29 12:00:00 2020", aws_time_http, -1 },
        { "Sat,", aws_time_http, -1 },
        { "", aws_time_http, -1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = -1000000;

        TEST_CASE(cases[i].text);
        CHECK(cases[i].read(str_from_c(cases[i].text), &us) == (cases[i].seconds >= 0));
        CHECK_INT(us, cases[i].seconds * 1000000);
    }
}

int main(void)
{
    RUN(times_are_read);
    return test_end();
}
