/*
 * exemplars.h - for each bucket of a histogram the last traced observation in it.
 *
 * Threads: any. A writer that would have to wait for another one notes nothing.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/tracing/context.h"

enum { EXEMPLARS_MAX = 20 }; /* buckets */

struct exemplar {
    char trace_id[TRACE_ID_LEN + 1]; /* "": none was observed */
    int64_t value;
    int64_t at_us; /* time of day */
};

/* Begins as zeroes: exemplars_init() and exemplars_done() are for the mutex. */
struct exemplars {
    pthread_mutex_t mutex;
    struct exemplar list[EXEMPLARS_MAX];
};

void exemplars_init(struct exemplars *exemplars);
void exemplars_done(struct exemplars *exemplars);

/** Note an observation, if its trace is recorded. `traceparent`: tracing/context.h, may be empty.
 */
void exemplars_note(struct exemplars *exemplars, size_t bucket, int64_t value,
                    struct str traceparent);

/** Copy all. */
void exemplars_read(struct exemplars *exemplars, struct exemplar out[static EXEMPLARS_MAX]);
