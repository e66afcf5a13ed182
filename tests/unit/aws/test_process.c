/*
 * test_process.c - claims about aws/process.h.
 */
#include "aws/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/test.h"

enum { PATIENCE_US = 60000000 };

static void words_are_split_as_in_a_shell(void)
{
    static const struct {
        const char *command;
        const char *output; /* printf writes each word in brackets */
    } cases[] = {
        { "printf [%s] a b", "[a][b]" },
        { "  printf   [%s]\ta  ", "[a]" },
        { "printf [%s] 'a b' \"c d\"", "[a b][c d]" },
        { "printf [%s] a' b'\"c\"", "[a bc]" },
        { "printf [%s] '' x", "[][x]" },
        { "printf [%s] 'a\"b' \"c'd\"", "[a\"b][c'd]" },
        { "printf [%s] a\\ b \"c\\\"d\"", "[a b][c\"d]" },
        { "printf [%s] '\\x'", "[\\x]" },
        { "printf [%s] $HOME ; | >x `y` *", "[$HOME][;][|][>x][`y`][*]" },
        { "/usr/bin/printf [%s] a", "[a]" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };
        struct buf out;

        TEST_CASE(cases[i].command);
        buf_init(&out, 100);
        CHECK(process_run(cases[i].command, PATIENCE_US, -1, &out, &err));
        CHECK_STR(str_from_c(err.text), "");
        CHECK_STR(buf_str(&out), cases[i].output);
        buf_done(&out);
    }
}

static void failures_are_told(void)
{
    static const struct {
        const char *command;
        const char *text;
        int64_t timeout_us;
        enum err_code code;
    } cases[] = {
        { "", "an empty command", PATIENCE_US, ERR_CONFIG },
        { "   ", "an empty command", PATIENCE_US, ERR_CONFIG },
        { "echo 'a", "a quote is not closed", PATIENCE_US, ERR_CONFIG },
        { "/nonexistent/program x", "/nonexistent/program: No such file or directory", PATIENCE_US,
          ERR_SYSTEM },
        { "false", "it ended with status 1", PATIENCE_US, ERR_UNREACHABLE },
        { "sh -c 'kill -9 $$'", "it ended with signal 9", PATIENCE_US, ERR_UNREACHABLE },
        { "sh -c 'echo too much for this'", "it says too much", PATIENCE_US, ERR_UNREACHABLE },
        { "sh -c 'while echo too much for this; do :; done'", "it says too much", PATIENCE_US,
          ERR_UNREACHABLE },
        { "sleep 1000", "it takes too long", 50000, ERR_UNREACHABLE },
        { "sh -c 'exec >&-; sleep 1000'", "it takes too long", 50000, ERR_UNREACHABLE },
        { "sh -c 'sleep 1000 & sleep 1000'", "it takes too long", 50000, ERR_UNREACHABLE },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };
        struct buf out;
        int64_t before = clock_monotonic_us();

        TEST_CASE(cases[i].command);
        buf_init(&out, 10);
        CHECK(!process_run(cases[i].command, cases[i].timeout_us, -1, &out, &err));
        CHECK_INT(err.code, cases[i].code);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        CHECK(clock_monotonic_us() - before < PATIENCE_US);
        buf_done(&out);
    }
}

static void a_program_whose_child_lives_on_is_done_when_it_ends(void)
{
    struct error err = { 0 };
    struct buf out;

    buf_init(&out, 100);
    CHECK(process_run("sh -c 'sleep 3 2>&1 & echo ok'", PATIENCE_US, -1, &out, &err));
    CHECK_STR(buf_str(&out), "ok\n");
    buf_done(&out);
}

static void a_program_has_plain_signals_and_no_input(void)
{
    struct error err = { 0 };
    struct buf out;
    sigset_t term;

    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &term, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    buf_init(&out, 1000);
    CHECK(process_run("sh -c 'cat; grep SigBlk /proc/self/status'", PATIENCE_US, -1, &out, &err));
    CHECK_STR(buf_str(&out), "SigBlk:\t0000000000000000\n");
    CHECK(!process_run("sh -c 'kill -PIPE $$'", PATIENCE_US, -1, &out, &err));
    CHECK_STR(str_from_c(err.text), "it ended with signal 13");
    buf_done(&out);
}

static void a_program_gets_no_descriptor_of_ours(void)
{
    int leaking = fcntl(STDIN_FILENO, F_DUPFD, 100); /* not closed by exec() */
    struct error err = { 0 };
    struct buf out;

    CHECK(leaking >= 100);
    buf_init(&out, 1000);
    CHECK(process_run("sh -c 'ls /proc/$$/fd'", PATIENCE_US, -1, &out, &err));
    CHECK(!out.overflow && out.len > 0 && !memmem(out.ptr, out.len, "100", 3));
    buf_done(&out);
    (void)close(leaking);
}

static void a_program_gets_the_environment_that_it_needs(void)
{
    struct error err = { 0 };
    struct buf out;

    (void)setenv("DATABASE_PASSWORD", "hidden", 1); /* NOLINT(concurrency-mt-unsafe): no threads */
    (void)setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1); /* NOLINT(concurrency-mt-unsafe) */
    (void)setenv("AWS_PROFILES", "shown", 1);           /* NOLINT(concurrency-mt-unsafe) */
    (void)setenv("HOMES", "hidden", 1);                 /* NOLINT(concurrency-mt-unsafe) */
    (void)setenv("HOME", "shown", 1);                   /* NOLINT(concurrency-mt-unsafe) */
    buf_init(&out, 10000);
    CHECK(process_run("env", PATIENCE_US, -1, &out, &err));
    CHECK(memmem(out.ptr, out.len, "HOME=shown\n", 11));
    CHECK(memmem(out.ptr, out.len, "AWS_PROFILES=shown\n", 19));
    CHECK(memmem(out.ptr, out.len, "PATH=", 5));
    CHECK(!memmem(out.ptr, out.len, "hidden", 6));
    buf_done(&out);
}

static void it_can_be_stopped(void)
{
    int stop = eventfd(1, EFD_CLOEXEC);
    struct error err = { 0 };
    struct buf out;

    buf_init(&out, 100);
    CHECK(!process_run("sleep 1000", PATIENCE_US, stop, &out, &err));
    CHECK_STR(str_from_c(err.text), "interrupted");
    buf_done(&out);
    (void)close(stop);
}

int main(void)
{
    RUN(words_are_split_as_in_a_shell);
    RUN(failures_are_told);
    RUN(a_program_whose_child_lives_on_is_done_when_it_ends);
    RUN(a_program_has_plain_signals_and_no_input);
    RUN(a_program_gets_no_descriptor_of_ours);
    RUN(a_program_gets_the_environment_that_it_needs);
    RUN(it_can_be_stopped);
    return test_end();
}
