/*
 * signals.c - see signals.h.
 */
#include "server/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"

enum { SAME_SIGNAL_US = US_PER_S, EXIT_STATUS = 1 };

static _Atomic int64_t first_us;

static sigset_t signals_set(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

void signals_block(void)
{
    const sigset_t set = signals_set();

    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is then an error of write(2) */
}

int signals_wait(int64_t timeout_us)
{
    const sigset_t set = signals_set();
    const struct timespec timeout = clock_timespec(timeout_us);

    for (;;) {
        int number = timeout_us ? sigtimedwait(&set, NULL, &timeout) : sigwaitinfo(&set, NULL);

        if (number > 0 || errno == EAGAIN)
            return number;
    }
}

/* Some senders signal the process and its group, so that one signal comes twice at once. */
static void exit_on_second(int number)
{
    (void)number;
    if (clock_monotonic_us() - atomic_load(&first_us) >= SAME_SIGNAL_US)
        _exit(EXIT_STATUS);
}

void signals_exit_on_next(void)
{
    const struct sigaction action = { .sa_handler = exit_on_second, .sa_flags = SA_RESTART };
    sigset_t set = signals_set();

    atomic_store(&first_us, clock_monotonic_us());
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigdelset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
