/*
 * metrics_text.c - see metrics_text.h.
 */
#include "handlers/metrics_text.h"

#include <inttypes.h>

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_histogram(struct buf *out, const char *name, const struct metrics_histogram *histogram)
{
    uint64_t total = 0;

    for (size_t i = 0; i < histogram->count; i++) {
        total += histogram->counts[i];
        if (histogram->bounds[i] == INT64_MAX)
            buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, total);
        else
            buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                       (double)histogram->bounds[i] / histogram->scale, total);
    }
    buf_printf(out, "%s_sum %.6f\n", name, (double)histogram->sum / histogram->scale);
    buf_printf(out, "%s_count %" PRIu64 "\n", name, total);
}
