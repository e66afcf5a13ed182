/*
 * trim.c - see trim.h.
 */
#include "server/http/trim.h"

#include "base/clock.h"
#include "base/memory.h"

enum { TRIM_AFTER_US = 200 * US_PER_MS };

void http_trim_note_heavy(struct http_trim *trim)
{
    if (!trim->heavy_us)
        trim->heavy_us = clock_monotonic_us();
}

int64_t http_trim_due_us(const struct http_trim *trim)
{
    return trim->heavy_us ? trim->heavy_us + TRIM_AFTER_US : INT64_MAX;
}

void http_trim_run(struct http_trim *trim)
{
    if (!trim->heavy_us || clock_monotonic_us() < http_trim_due_us(trim))
        return;
    trim->heavy_us = 0;
    mem_trim();
}
