/*
 * test_diff.c - claims about server/cli/diff.h.
 */
#include "server/cli/diff.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/test.h"

#define HEAD "--- a\n+++ b\n"

static void prints_what_differs(void)
{
    static const struct {
        const char *name;
        const char *old_text;
        const char *new_text;
        const char *diff; /* "": none */
    } cases[] = {
        { "nothing", "", "", "" },
        { "the same", "a\nb\n", "a\nb\n", "" },
        { "all new", "", "a\nb\n", HEAD "@@ -0,0 +1,2 @@\n+a\n+b\n" },
        { "one changed", "a\nb\nc\n", "a\nx\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct diff_text from = { "a", str_from_c(cases[i].old_text) };
        const struct diff_text to = { "b", str_from_c(cases[i].new_text) };
        struct capture capture;
        struct error err = { 0 };
        bool differs = false;

        TEST_CASE(cases[i].name);
        capture_begin(&capture, STDOUT_FILENO);

        bool ok = diff_print(&from, &to, &differs, &err);
        struct str printed = capture_end(&capture);

        CHECK(ok);
        CHECK_INT(differs, cases[i].diff[0] != '\0');
        CHECK_STR(printed, cases[i].diff);
        mem_free((void *)printed.ptr);
    }
}

static void fails_without_the_program(void)
{
    const struct diff_text text = { "a", STR("a\n") };
    struct error err = { 0 };
    bool differs;

    (void)setenv("PATH", "/nonexistent", 1); /* NOLINT(concurrency-mt-unsafe) */
    CHECK(!diff_print(&text, &text, &differs, &err));
    CHECK(err.code == ERR_SYSTEM);
    CHECK_STR(str_from_c(err.text), "diff: No such file or directory");
}

int main(void)
{
    RUN(prints_what_differs);
    RUN(fails_without_the_program);
    return test_end();
}
