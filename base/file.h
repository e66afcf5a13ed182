/*
 * file.h - read and replace whole small files, and what their folders need.
 *
 * ERR_SYSTEM always has the system's reason in its text.
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
 * Read the file at `path` (`-` is standard input), of at most `max` bytes. The caller frees the
 * bytes with mem_free(); a NUL follows them. ERR_SYSTEM: it cannot be opened or read. ERR_CONFIG:
 * it is longer.
 */
NODISCARD bool file_read(const char *path, size_t max, struct str *out, struct error *err);

/**
 * The same for a regular file or standard input only; else ERR_CONFIG. For every file that is read
 * while the server runs: to read a pipe could block for ever.
 */
NODISCARD bool file_read_regular(const char *path, size_t max, struct str *out, struct error *err);

/** Open for reading. The caller closes it with file_close(). ERR_SYSTEM. */
NODISCARD bool file_open(const char *path, int *out, struct error *err);

/** For CLEANUP: close the descriptor, unless it is -1 or standard input. */
void file_close(const int *fd);

/**
 * The free bytes, for this process, of the file system of `path`, which need not exist yet; 0 when
 * no more files can be created there. ERR_SYSTEM.
 */
NODISCARD bool file_free_bytes(const char *path, uint64_t *bytes, struct error *err);

/** May this process create `path` and the missing folders above it? ERR_SYSTEM. */
NODISCARD bool file_can_make(const char *path, struct error *err);

/** Create the missing folders above `path`, mode 0700, durably. ERR_SYSTEM. */
NODISCARD bool file_make_parents(const char *path, struct error *err);

/** Sync the folder of `path`: what was created, renamed or removed there is durable. ERR_SYSTEM. */
NODISCARD bool file_sync_parent(const char *path, struct error *err);

/**
 * Replace the file at `path` by `bytes`, durably; a reader, and a reader after a crash, sees either
 * the old file or the new one. Writes to `path`.new (mode 0600), syncs it, renames it and syncs the
 * folder. Only one writer per path at a time. ERR_SYSTEM.
 */
NODISCARD bool file_replace(const char *path, struct str bytes, struct error *err);
