/*
 * capture.h - what the program itself writes to standard output or standard error.
 */
#pragma once

#include "base/str.h"

struct capture {
    int fd;    /* the stream that is redirected */
    int saved; /* where it led before */
    int file;  /* where it leads now */
};

/** From now on `fd` (1 or 2) leads into memory. */
void capture_begin(struct capture *capture, int fd);

/** Back as it was. What was written; the caller ends it with mem_free(). */
struct str capture_end(struct capture *capture);
