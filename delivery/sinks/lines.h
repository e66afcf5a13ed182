/*
 * lines.h - a file that only grows, by whole lines that are on stable storage.
 *
 * Opening locks the file against other processes and cuts a last line without its end: whoever
 * wrote that was stopped before it could say that it is there, so it comes again.
 *
 * Threads: a struct sink_lines belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct sink_lines {
    int fd; /* -1: closed */
    dev_t device;
    ino_t inode;
    uint64_t size;
    uint64_t torn;      /* bytes that opening cut off */
    int64_t changed_us; /* when it was last written to, since 1970 */
};

/** Open the file, mode 0600 if it is not there yet, its folders 0700. ERR_SYSTEM. */
NODISCARD bool sink_lines_open(struct sink_lines *lines, const char *path, struct error *err);

/**
 * Append `text`, whole lines, and wait until it is on stable storage. ERR_SYSTEM when it cannot
 * be; then what was written of it is cut off again and the file is closed.
 */
NODISCARD bool sink_lines_append(struct sink_lines *lines, const char *path, struct str text,
                                 struct error *err);

/** Is it open, and still what lies at `path`? */
bool sink_lines_is_at(const struct sink_lines *lines, const char *path);

/** Fine when it is closed. */
void sink_lines_close(struct sink_lines *lines);
