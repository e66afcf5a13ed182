/*
 * metrics_text.h - pieces of Prometheus' text format 0.0.4; for metrics*.c.
 */
#pragma once

#include "base/buf.h"

/** What a metric is, before its series. */
static inline void metrics_head(struct buf *out, const char *name, const char *type,
                                const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}
