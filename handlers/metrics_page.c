/*
 * metrics_page.c - the text formats of GET /metrics, see metrics_internal.h.
 *
 * OpenMetrics names a counter without its `_total` in HELP and TYPE. Bounds of buckets are written
 * as it wants them, as floating point numbers, in both formats: the series keep their names when a
 * scraper changes the format.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "handlers/metrics_internal.h"

enum { QUALITY_WHOLE = 1000 };

/* The quality in a media range's parameters, in thousandths (RFC 9110, 12.4.2). */
static int quality_of(struct str parameters)
{
    const char *at = parameters.len ? memmem(parameters.ptr, parameters.len, "q=", 2) : NULL;
    char text[8];

    if (!at)
        return QUALITY_WHOLE;

    struct str value = str_from(parameters, (size_t)(at + 2 - parameters.ptr));

    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(value));
    return (int)(strtod(text, NULL) * QUALITY_WHOLE);
}

static size_t length_before(struct str text, char end)
{
    const char *at = text.len ? memchr(text.ptr, end, text.len) : NULL;

    return at ? (size_t)(at - text.ptr) : text.len;
}

/* The highest quality of the media type in the list; 0: it is not in it. */
static int accepts(struct str list, struct str type)
{
    int best = 0;

    while (list.len > 0) {
        struct str range = { list.ptr, length_before(list, ',') };
        struct str name = { range.ptr, length_before(range, ';') };

        if (str_equal_ignore_case(str_trim(name), type)) {
            int quality = quality_of(str_from(range, name.len));

            best = quality > best ? quality : best;
        }
        list = str_from(list, range.len + 1);
    }
    return best;
}

bool metrics_wants_open(struct str accept)
{
    int open = accepts(accept, STR("application/openmetrics-text"));

    return open > 0 && open >= accepts(accept, STR("text/plain"));
}

void metrics_head(struct metrics_page *page, const char *name, const char *type, const char *help)
{
    struct str family = str_from_c(name);

    if (page->is_open && str_ends_with(family, STR("_total")))
        family.len -= sizeof("_total") - 1;
    buf_printf(page->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", STR_ARG(family), help,
               STR_ARG(family), type);
}

static void write_bound(struct buf *out, int64_t bound, double scale)
{
    double value = (double)bound / scale;

    if (bound == INT64_MAX)
        buf_add(out, STR("+Inf"));
    else if (floor(value) == value)
        buf_printf(out, "%.1f", value);
    else
        buf_printf(out, "%g", value);
}

/* ` # {trace_id="..."} value time` */
static void write_exemplar(struct buf *out, const struct exemplar *exemplar, double scale)
{
    if (*exemplar->trace_id)
        buf_printf(out, " # {trace_id=\"%s\"} %.6f %.3f", exemplar->trace_id,
                   (double)exemplar->value / scale, (double)exemplar->at_us / US_PER_S);
}

void metrics_histogram(struct metrics_page *page, const char *name, const char *labels,
                       const struct metrics_histogram *histogram)
{
    const char *comma = *labels ? "," : "";
    uint64_t total = 0;

    for (size_t i = 0; i < histogram->count; i++) {
        total += histogram->counts[i];
        buf_printf(page->out, "%s_bucket{%s%sle=\"", name, labels, comma);
        write_bound(page->out, histogram->bounds[i], histogram->scale);
        buf_printf(page->out, "\"} %" PRIu64, total);
        if (page->is_open && histogram->exemplars)
            write_exemplar(page->out, &histogram->exemplars[i], histogram->scale);
        buf_add_char(page->out, '\n');
    }

    const char *open = *labels ? "{" : "";
    const char *close = *labels ? "}" : "";

    buf_printf(page->out, "%s_sum%s%s%s %.6f\n", name, open, labels, close,
               (double)histogram->sum / histogram->scale);
    buf_printf(page->out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, total);
}
