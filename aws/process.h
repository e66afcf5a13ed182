/*
 * process.h - run a program and read its standard output.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 * The program has an empty signal mask, no file descriptors except 0 to 2, /dev/null as its
 * standard input, and the caller's standard error. Its environment has the variables that programs
 * commonly need and AWS_*, without the ones that hold secrets.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

/**
 * Run `command` without a shell and append its output to `out`. White space separates the words of
 * `command`; quotes and backslashes work as in a shell. ERR_CONFIG: the command cannot be split.
 * ERR_SYSTEM: it cannot be started. ERR_UNREACHABLE: it does not exit with 0. It is killed, and
 * ERR_UNREACHABLE returned, when it writes more than `out` may hold, runs longer than `timeout_us`,
 * or when `stop_fd` (-1: none) becomes readable.
 */
NODISCARD bool process_run(const char *command, int64_t timeout_us, int stop_fd, struct buf *out,
                           struct error *err);
