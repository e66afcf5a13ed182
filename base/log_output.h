/*
 * log_output.h - write log lines directly, or through a thread so that the caller never waits.
 *
 * The reader of standard output may stop reading. A short command waits for it. The server must
 * not, so it starts the writer thread: up to 1 MiB of lines are queued, further ones are dropped
 * and counted (the event "log_dropped"). Threads that write many lines do it in batches; these
 * leave a quarter of the queue to the other threads, whose lines are few and matter more.
 *
 * Threads: one thread starts and stops; any thread may call log_output().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum log_output_kind {
    LOG_OUTPUT_LINE,  /* of a thread that writes few lines */
    LOG_OUTPUT_BATCH, /* of one that writes many */
    LOG_OUTPUT_PART,  /* of a batch: its end follows within the time that lines may wait */
};

/**
 * Write whole lines, or queue them while the writer runs. A part does not wake the writer, unless
 * the queue is long.
 */
void log_output(struct str lines, enum log_output_kind kind);

/** Start the writer: from now on log_output() never waits. ERR_SYSTEM. */
NODISCARD bool log_output_start(struct error *err);

/** Wait up to `timeout_us` until all queued lines are written, then end or abandon the writer. */
void log_output_stop(int64_t timeout_us);
