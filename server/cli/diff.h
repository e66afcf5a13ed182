/*
 * diff.h - print what differs between two texts, with diff(1).
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct diff_text {
    const char *name; /* for the heading */
    struct str text;
};

/**
 * Print the difference to standard output, in the unified format; nothing when there is none.
 * ERR_SYSTEM: diff(1) cannot be run, or fails.
 */
NODISCARD bool diff_print(const struct diff_text *from, const struct diff_text *to, bool *differs,
                          struct error *err);
