/*
 * lines.h - read a stream line by line, however long it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct lines {
    int fd;
    struct buf text; /* what was read; from `at` on it is not yet returned */
    size_t at;
    bool ended;
};

/** Read from `fd` (borrowed); a line may have `max` bytes. */
void lines_init(struct lines *lines, int fd, size_t max);

void lines_done(struct lines *lines);

/**
 * The next line without its line end, valid until the next call. False at the end, and with `err`
 * set when the stream cannot be read or a line is too long.
 */
NODISCARD bool lines_next(struct lines *lines, struct str *out, struct error *err);
