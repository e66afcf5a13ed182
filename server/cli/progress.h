/*
 * progress.h - a progress bar on standard error, for long work.
 *
 * It appears after half a second, and only on a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t total; /* 0: not known */
    uint64_t done;
    int64_t next_us; /* when to draw again */
    bool watched;
    bool drawn;
};

/** Begin; `total` in the unit of progress_add(). */
void progress_start(struct progress *progress, uint64_t total);

void progress_add(struct progress *progress, uint64_t more);

/** Remove the bar. */
void progress_end(struct progress *progress);
