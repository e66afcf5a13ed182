/*
 * test_end_limit.c - claims about server/end_limit.h, each in a process of its own.
 */
#include "server/end_limit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_output.h"
#include "tests/unit/test.h"

enum { LATER_US = 600 * 1000 * 1000, FORCED = 0, BY_ITSELF = 8, NO_THREAD = 9 };

static void wait_for_ever(struct end_limit *limit)
{
    end_limit_set(limit, clock_monotonic_us());
    for (;;)
        (void)pause();
}

static void end_by_itself(struct end_limit *limit)
{
    end_limit_set(limit, clock_monotonic_us() + LATER_US);
    end_limit_destroy(limit);
}

static void never_set(struct end_limit *limit)
{
    end_limit_destroy(limit);
}

/* Run `act` in a process of its own. Returns its exit status. */
static int run_alone(void (*act)(struct end_limit *limit))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct end_limit *limit;
        struct error err = { 0 };

        if (!log_output_start(&err) || !end_limit_create(&limit, &err))
            _exit(NO_THREAD);
        act(limit);
        _exit(BY_ITSELF);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ends_the_process_at_its_time_only(void)
{
    CHECK_INT(run_alone(wait_for_ever), FORCED);
    CHECK_INT(run_alone(end_by_itself), BY_ITSELF);
    CHECK_INT(run_alone(never_set), BY_ITSELF);
}

int main(void)
{
    RUN(ends_the_process_at_its_time_only);
    return test_end();
}
