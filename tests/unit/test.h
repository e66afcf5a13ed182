/*
 * test.h - the unit test framework: named cases, checks that print actual values, a summary.
 *
 * A test program has one function per claim and a main() that lists them:
 *
 *     int main(void)
 *     {
 *         RUN(accepts_known_keys_only);
 *         return test_end();
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/** Name the row of a table to which the following checks belong; failures print the name. */
#define TEST_CASE(name) test_case(name)

#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected)                                                                \
    test_check_int((actual), (expected), #actual, __FILE__, __LINE__)
/** `actual` is a struct str, `expected` a C string. */
#define CHECK_STR(actual, expected)                                                                \
    test_check_str((actual), (expected), #actual, __FILE__, __LINE__)

#define RUN(test) test_run(test, #test)

void test_run(void (*test)(void), const char *name);
void test_case(const char *name);
void test_check(bool ok, const char *what, const char *file, int line);
void test_check_int(int64_t actual, int64_t expected, const char *what, const char *file, int line);
void test_check_str(struct str actual, const char *expected, const char *what, const char *file,
                    int line);

/** Print the summary. Returns the exit status for main(); a program without checks fails. */
int test_end(void);
