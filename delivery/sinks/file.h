/*
 * file.h - the sink that appends lines to a file.
 *
 * Threads: as sink.h.
 */
#pragma once

#include <sys/types.h>

#include "delivery/sinks/sink.h"

struct sink_file_options {
    const char *name; /* of the sink, for the log; must outlive it, as `path` */
    const char *path;
    const char *const *taken; /* files that it must not write to, under any name; */
    size_t taken_count;       /* must outlive it */
    mode_t mode;              /* of the files that it makes */
    uint64_t rotate_size;     /* begin a new file before so many bytes; 0: never */
    int64_t rotate_every_us;  /* begin a new file at multiples of this, UTC; 0: never */
    size_t batch;             /* most records written together; 0: the default */
};

/** Lines appended to a file; delivered means: fdatasync(2) has returned. */
struct sink sink_file(const struct sink_file_options *options);
