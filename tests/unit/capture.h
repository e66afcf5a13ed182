/*
 * capture.h - capture what the test program writes to standard output or standard error.
 */
#pragma once

#include "base/str.h"

struct capture {
    int fd;    /* the redirected descriptor */
    int saved; /* a duplicate of the original one */
    int file;  /* the file in memory to which `fd` is redirected */
};

/** Redirect `fd` (1 or 2) to memory. */
void capture_begin(struct capture *capture, int fd);

/** Restore `fd` and return what was written to it. The caller frees the text with mem_free(). */
struct str capture_end(struct capture *capture);
