/*
 * progress.c - see progress.h.
 */
#include "server/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { FIRST_US = 500 * US_PER_MS, EVERY_US = 100 * US_PER_MS, WIDTH = 40, PERCENT = 100 };

void progress_start(struct progress *progress, uint64_t total)
{
    *progress = (struct progress){
        .total = total,
        .next_us = clock_monotonic_us() + FIRST_US,
        .watched = isatty(STDERR_FILENO) == 1,
    };
}

static void draw(struct progress *progress)
{
    static const char full[] = "########################################";
    uint64_t done = progress->done < progress->total ? progress->done : progress->total;

    progress->drawn = true;
    if (progress->total == 0) {
        (void)fprintf(stderr, "\r%" PRIu64, progress->done);
        return;
    }

    double share = (double)done / (double)progress->total;

    (void)fprintf(stderr, "\r[%-*.*s] %3d %%", (int)WIDTH, (int)(share * WIDTH), full,
                  (int)(share * PERCENT));
}

void progress_add(struct progress *progress, uint64_t more)
{
    progress->done += more;
    if (!progress->watched || clock_monotonic_us() < progress->next_us)
        return;
    draw(progress);
    progress->next_us = clock_monotonic_us() + EVERY_US;
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        (void)fputs("\r\033[K", stderr);
    progress->drawn = false;
}
