/*
 * progress.h - a bar on standard error for work that takes long, when a person is watching.
 *
 * Nothing is shown when standard error is no terminal, or before half a second has gone.
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

/** Begin; `total` in whatever unit progress_add() counts. */
void progress_start(struct progress *progress, uint64_t total);

void progress_add(struct progress *progress, uint64_t more);

/** Take the bar away. */
void progress_end(struct progress *progress);
