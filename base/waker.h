/*
 * waker.h - wake a waiter in another thread.
 *
 * A struct waker is a value that may be copied. The waiting module makes it; the thread that
 * finishes the work calls waker_wake(). It carries no result.
 *
 * Threads: any thread may call waker_wake(), any number of times. A call after the end of the wait
 * does nothing. The module that made the waker must outlive the last call.
 */
#pragma once

#include <stdint.h>

struct waker {
    void (*wake)(struct waker waker); /* NULL: there is no waiter */
    void *target;
    uint64_t token; /* identifies the waiter, for `wake` */
};

/** Wake the waiter, if there is one. */
static inline void waker_wake(struct waker waker)
{
    if (waker.wake)
        waker.wake(waker);
}
