/*
 * log_output.h - where log lines leave: at once, or through a thread that may wait in their place.
 *
 * Whoever reads our standard output may stop reading. A program that only runs for a moment waits
 * for it; a server must not, so it starts the writer: lines are queued up to a limit, and beyond it
 * dropped and counted (the event "log_dropped").
 *
 * Threads: start and stop belong to one thread; log_output() may be called from any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/** Write whole lines, or queue them when the writer runs. */
void log_output(struct str lines);

/** From now on log_output() never waits. ERR_SYSTEM when no thread can be had. */
NODISCARD bool log_output_start(struct error *err);

/** Wait at most `patience_us` for what is queued to be written; then stop or give up the writer. */
void log_output_stop(int64_t patience_us);
