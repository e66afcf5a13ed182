/*
 * test_test_report.c - results of tests as TAP and as JUnit's XML.
 */
#include "server/cli/test_report.h"

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

enum { FILE_MAX = 100000 };

static void check_printed(struct test_report *report, const char *expected)
{
    struct capture capture;
    struct str text;

    capture_begin(&capture, STDOUT_FILENO);
    test_report_print(report);
    text = capture_end(&capture);
    CHECK_STR(text, expected);
    mem_free((void *)text.ptr);
}

static void check_junit(const struct test_report *report, const char *expected)
{
    char path[FOLDER_PATH_SIZE];
    struct folder folder;
    struct str text = STR("");
    struct error err = { 0 };

    folder_init(&folder);
    folder_path(&folder, "junit.xml", path);
    CHECK(test_report_write_junit(report, path, &err));
    CHECK(file_read(path, FILE_MAX, &text, &err));
    CHECK_STR(text, expected);
    mem_free((void *)text.ptr);
    folder_done(&folder);
}

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void no_test_is_a_report_too(void)
{
    struct test_report report;

    test_report_init(&report);
    check_junit(&report,
                XML "<testsuite name=\"sluice\" tests=\"0\" failures=\"0\">\n</testsuite>\n");
    check_printed(&report, "TAP version 14\n1..0\n");
    test_report_done(&report);
}

static void tests_pass_and_fail(void)
{
    struct test_report report;

    test_report_init(&report);
    test_report_add(&report, STR("t.yaml:2"), STR("one"), STR(""));
    test_report_add(&report, STR("t.yaml:9"), STR("two"), STR("a: expected \"1\"\nb: got 2\n"));
    CHECK_INT((int64_t)report.count, 2);
    CHECK_INT((int64_t)report.failed, 1);
    check_junit(&report, XML "<testsuite name=\"sluice\" tests=\"2\" failures=\"1\">\n"
                             "  <testcase classname=\"t.yaml:2\" name=\"one\"/>\n"
                             "  <testcase classname=\"t.yaml:9\" name=\"two\">\n"
                             "    <failure>a: expected &quot;1&quot;\nb: got 2\n</failure>\n"
                             "  </testcase>\n</testsuite>\n");
    check_printed(&report, "TAP version 14\nok 1 - one\nnot ok 2 - two\n  ---\n"
                           "  at: \"t.yaml:9\"\n  differences:\n"
                           "    - \"a: expected \\\"1\\\"\"\n    - \"b: got 2\"\n  ...\n1..2\n");
    test_report_done(&report);
}

static void names_keep_to_the_formats(void)
{
    struct test_report report;

    test_report_init(&report);
    test_report_add(&report, STR("<&>"), STR("a # \\ \"<b>\"\n\x01&"), STR(""));
    check_junit(&report, XML "<testsuite name=\"sluice\" tests=\"1\" failures=\"0\">\n"
                             "  <testcase classname=\"&lt;&amp;&gt;\" "
                             "name=\"a # \\ &quot;&lt;b&gt;&quot;\n?&amp;\"/>\n</testsuite>\n");
    check_printed(&report, "TAP version 14\nok 1 - a \\# \\\\ \"<b>\"  &\n1..1\n");
    test_report_done(&report);
}

static void a_file_that_cannot_be_written_is_an_error(void)
{
    struct test_report report;
    struct error err = { 0 };

    test_report_init(&report);
    CHECK(!test_report_write_junit(&report, "/nonexistent/junit.xml", &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    test_report_done(&report);
}

int main(void)
{
    RUN(no_test_is_a_report_too);
    RUN(tests_pass_and_fail);
    RUN(names_keep_to_the_formats);
    RUN(a_file_that_cannot_be_written_is_an_error);
    return test_end();
}
