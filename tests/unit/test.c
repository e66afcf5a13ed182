/*
 * test.c - see test.h.
 */
#include "tests/unit/test.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

static struct {
    const char *test;
    const char *row;
    unsigned tests;
    atomic_uint checks; /* tests may check in several threads */
    atomic_uint failures;
} now;

void test_run(void (*test)(void), const char *name)
{
    now.test = name;
    now.row = NULL;
    now.tests++;
    test();
}

void test_case(const char *name)
{
    now.row = name;
}

/* Count a check. On failure print its place; the caller then prints the actual value. */
static bool passed(bool ok, const char *what, const char *file, int line)
{
    now.checks++;
    if (ok)
        return true;
    now.failures++;
    (void)fprintf(stderr, "%s:%d: %s%s%s: %s", file, line, now.test, now.row ? " / " : "",
                  now.row ? now.row : "", what);
    return false;
}

void test_check(bool ok, const char *what, const char *file, int line)
{
    if (!passed(ok, what, file, line))
        (void)fprintf(stderr, "\n");
}

void test_check_int(int64_t actual, int64_t expected, const char *what, const char *file, int line)
{
    if (!passed(actual == expected, what, file, line))
        (void)fprintf(stderr, " is %" PRId64 ", not %" PRId64 "\n", actual, expected);
}

void test_check_str(struct str actual, const char *expected, const char *what, const char *file,
                    int line)
{
    if (!passed(str_equal(actual, str_from_c(expected)), what, file, line))
        (void)fprintf(stderr, " is \"%.*s\", not \"%s\"\n", STR_ARG(actual), expected);
}

int test_end(void)
{
    (void)printf("%u tests, %u checks, %u failed\n", now.tests, now.checks, now.failures);
    return now.failures == 0 && now.checks > 0 ? 0 : 1;
}
