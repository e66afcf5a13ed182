/*
 * wait.c - see wait.h.
 */
#include "tests/unit/wait.h"

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

enum { AT_MOST_US = 30 * 1000000, PAUSE_MS = 1 };

bool wait_until(bool (*is_so)(void *self), void *self)
{
    int64_t end = clock_monotonic_us() + AT_MOST_US;

    while (!is_so(self)) {
        if (clock_monotonic_us() > end)
            return false;
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return true;
}
