/*
 * file.h - a whole small file at once.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/**
 * Read the file at `path` (`-` is standard input), at most `max` bytes. The caller owns the bytes
 * (mem_free()); a NUL follows them. ERR_SYSTEM, with errno's word in the text, when it cannot be
 * opened or read; ERR_CONFIG when it is longer.
 */
NODISCARD bool file_read(const char *path, size_t max, struct str *out, struct error *err);

/** Open for reading. The caller ends it with file_close(). ERR_SYSTEM with errno's word. */
NODISCARD bool file_open(const char *path, int *out, struct error *err);

/** For CLEANUP: close the descriptor, unless it is -1 or standard input. */
void file_close(const int *fd);
