/*
 * test_progress.c - claims about server/cli/progress.h; the terminal is one of
 * the test.
 */
#include "server/cli/progress.h"

#include <pty.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/test.h"

static void prints_nothing_without_a_terminal(void)
{
    struct capture capture;
    struct progress progress;

    capture_begin(&capture, STDERR_FILENO);
    progress_start(&progress, 100);
    progress.next_us = 0; /* as if half a second had gone */
    progress_add(&progress, 50);
    progress_end(&progress);

    struct str said = capture_end(&capture);

    CHECK_STR(said, "");
    CHECK_INT((int64_t)progress.done, 50);
    mem_free((void *)said.ptr);
}

/* What the terminal shows after `done` of `total`, before progress_end(). */
static void show(uint64_t total, uint64_t done, char *text, size_t size)
{
    struct progress progress;
    int saved = dup(STDERR_FILENO);
    int ours = -1;
    int theirs = -1;
    ssize_t len;

    CHECK(openpty(&ours, &theirs, NULL, NULL, NULL) == 0);
    CHECK(dup2(theirs, STDERR_FILENO) == STDERR_FILENO);
    progress_start(&progress, total);
    progress.next_us = 0;
    progress_add(&progress, done);
    len = read(ours, text, size - 1);
    text[len > 0 ? len : 0] = '\0';
    progress_end(&progress);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    (void)close(ours);
    (void)close(theirs);
}

static void shows_the_share_that_is_done(void)
{
    static const struct {
        const char *name;
        uint64_t total;
        uint64_t done;
        const char *shown;
    } cases[] = {
        { "nothing yet", 100, 0, "\r[                                        ]   0 %" },
        { "half", 100, 50, "\r[####################                    ]  50 %" },
        { "all", 100, 100, "\r[########################################] 100 %" },
        { "more than was promised", 100, 300,
          "\r[########################################] 100 %" },
        { "no end known", 0, 1234, "\r1234" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];

        TEST_CASE(cases[i].name);
        show(cases[i].total, cases[i].done, text, sizeof(text));
        CHECK_STR(str_from_c(text), cases[i].shown);
    }
}

int main(void)
{
    RUN(prints_nothing_without_a_terminal);
    RUN(shows_the_share_that_is_done);
    return test_end();
}
