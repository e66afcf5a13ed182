/*
 * file.h - a whole small file at once, and the folders that files are in.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/**
 * Read the file at `path` (`-` is standard input), at most `max` bytes. The caller owns the bytes
 * (mem_free()); a NUL follows them. ERR_SYSTEM, with errno's word in the text, when it cannot be
 * opened or read; ERR_CONFIG when it is longer.
 */
NODISCARD bool file_read(const char *path, size_t max, struct str *out, struct error *err);

/**
 * The same, but of a regular file (or standard input) only: reading a pipe waits for a writer,
 * perhaps for ever. For everything that is read while the server runs. ERR_CONFIG.
 */
NODISCARD bool file_read_regular(const char *path, size_t max, struct str *out, struct error *err);

/** Open for reading. The caller ends it with file_close(). ERR_SYSTEM with errno's word. */
NODISCARD bool file_open(const char *path, int *out, struct error *err);

/** For CLEANUP: close the descriptor, unless it is -1 or standard input. */
void file_close(const int *fd);

/**
 * How many bytes this process may still write to the file system that the file at `path` is, or
 * will be, on; 0 when it has no file left to make. ERR_SYSTEM with errno's word.
 */
NODISCARD bool file_free_bytes(const char *path, uint64_t *bytes, struct error *err);

/** Could a file be made at `path`, with the folders on the way? ERR_SYSTEM with errno's word. */
NODISCARD bool file_can_make(const char *path, struct error *err);

/** Make the folders on the way to `path` that are not there, mode 0700, to stay after a crash. */
NODISCARD bool file_make_parents(const char *path, struct error *err);

/** Make what was created, renamed or removed in the folder of `path` stay so after a crash. */
NODISCARD bool file_sync_parent(const char *path, struct error *err);

/**
 * Put `bytes` at `path` so that whoever reads it, even after a crash, sees the old file or the new
 * one, whole: written beside it (`path` and ".new", mode 0600), synced, renamed, the folder synced.
 * One writer a path. ERR_SYSTEM with errno's word.
 */
NODISCARD bool file_replace(const char *path, struct str bytes, struct error *err);
