/*
 * test_report.h - the results of tests: TAP version 14 on standard output, and JUnit's XML.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

struct test_report {
    struct buf tap;
    struct buf cases; /* of JUnit */
    size_t count;
    size_t failed;
};

/** Begin a report. Ended by test_report_done(). */
void test_report_init(struct test_report *report);

void test_report_done(struct test_report *report);

/** Add a test at FILE:LINE. `differences` are lines; empty: it passes. */
void test_report_add(struct test_report *report, struct str place, struct str name,
                     struct str differences);

/** Print the TAP. */
void test_report_print(struct test_report *report);

/** Write JUnit's XML to the file at `path`. ERR_SYSTEM. */
NODISCARD bool test_report_write_junit(const struct test_report *report, const char *path,
                                       struct error *err);
