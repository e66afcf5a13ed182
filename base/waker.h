/*
 * waker.h - how one thread tells another that what it waits for is there.
 *
 * A value, to be copied freely: whoever is to be woken makes one, whoever has the news calls
 * waker_wake(). It carries no news itself.
 *
 * Threads: waker_wake() may be called from any thread, any number of times. A call that comes
 * late, when nobody waits any more, does nothing; but whoever made the waker must outlive the
 * last call.
 */
#pragma once

#include <stdint.h>

struct waker {
    void (*wake)(struct waker waker); /* NULL: nobody waits */
    void *target;
    uint64_t token; /* for `wake`: who it is, and that it is still the same one */
};

static inline void waker_wake(struct waker waker)
{
    if (waker.wake)
        waker.wake(waker);
}
