/*
 * interrupt.h - the first Ctrl-C ends long work in order; a second one ends the process.
 *
 * Threads: interrupt_watch() belongs to main, before other threads; interrupt_came() to any.
 */
#pragma once

#include <stdbool.h>

/** From here on SIGINT and SIGTERM are noted once. */
void interrupt_watch(void);

/** Did one come? */
bool interrupt_came(void);
