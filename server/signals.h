/*
 * signals.h - SIGTERM, SIGINT and SIGHUP, which main waits for.
 *
 * They are blocked in every thread, so no handler interrupts anything, except a second SIGTERM or
 * SIGINT during the drain, which ends the process.
 *
 * Threads: main only.
 */
#pragma once

#include <stdint.h>

/** Block them, and ignore SIGPIPE and SIGXFSZ, before the first thread starts. */
void signals_block(void);

/** Wait for the next one, at most `timeout_us` (0: for ever). -1: none came. */
int signals_wait(int64_t timeout_us);

/** From now on a SIGTERM or SIGINT exits with 1, unless it comes within a second from now. */
void signals_exit_on_next(void);
