/*
 * process.h - run a program and read what it says.
 *
 * Threads: any. The program gets an empty signal mask, no descriptor but the first three, and of
 * the environment what programs commonly need and AWS_*, but no secrets; its standard error is
 * ours.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

/**
 * Run `command`, words separated by blanks, quotes and backslashes as in a shell, but without one.
 * What it writes goes to `out`, whose max is the limit. An error: it cannot be
 * started, says too much, takes longer than `timeout_us`, leaves with another status than 0, or
 * `stop_fd` (-1: none) became readable; then it is killed.
 */
NODISCARD bool process_run(const char *command, int64_t timeout_us, int stop_fd, struct buf *out,
                           struct error *err);
