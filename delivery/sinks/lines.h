/*
 * lines.h - a file that grows by whole lines on stable storage.
 *
 * Opening locks the file against other processes and cuts a last line without a line end: its
 * writer was stopped before it could report that line as delivered, so the record is delivered
 * again.
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
    uint64_t torn;      /* bytes that sink_lines_open() cut off */
    int64_t changed_us; /* when it was last written to, since 1970 */
};

/** Open the file; create it with `mode`, whatever the umask is, its folders with 0700. ERR_SYSTEM.
 */
NODISCARD bool sink_lines_open(struct sink_lines *lines, const char *path, mode_t mode,
                               struct error *err);

/**
 * Append `text`, whole lines, and wait until it is on stable storage. ERR_SYSTEM: the file is
 * closed, and the text is cut off again. If that fails too, lines of it can stay in the file; they
 * are then delivered a second time.
 */
NODISCARD bool sink_lines_append(struct sink_lines *lines, const char *path, struct str text,
                                 struct error *err);

/** Is it open and still the file at `path`? */
bool sink_lines_is_at(const struct sink_lines *lines, const char *path);

/** Does nothing if it is closed. */
void sink_lines_close(struct sink_lines *lines);
