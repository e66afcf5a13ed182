/*
 * thread.h - start a thread of the program.
 *
 * Threads: any thread may start another one.
 */
#pragma once

#include <pthread.h>

#include "base/attr.h"
#include "base/error.h"

/**
 * Start a thread that runs `run(self)`. All signals are blocked in it: main waits for them. `name`
 * is what ps, gdb and perf show; the kernel keeps its first 15 bytes. The caller joins the thread.
 * ERR_SYSTEM.
 */
NODISCARD bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *self),
                            void *self, struct error *err);

/**
 * When the calling thread ends, call `run(object)`; of several, the last one that was added first.
 * What runs later may need again what `run` has ended, so `run` leaves the thread without it. At
 * the end of the program it is not called for threads that still run, nor for main's.
 */
void thread_at_end(void (*run)(void *object), void *object);

/** From now on the calling thread yields the processor to the threads that answer requests. */
void thread_lower_priority(void);
