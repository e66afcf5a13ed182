/*
 * metrics_sinks.c - see metrics_sinks.h. A sink's name needs no escapes (conf/sluice.schema.json).
 */
#include "handlers/metrics_sinks.h"

#include <inttypes.h>

#include "handlers/metrics_text.h"

void metrics_write_attempts(struct buf *out, struct pump *const *pumps, size_t count)
{
    static const char *const results[SINK_RESULT_COUNT] = {
        [SINK_DELIVERED] = "delivered", [SINK_REFUSED] = "refused", [SINK_POSTPONED] = "failed"
    };

    metrics_head(out, "sluice_sink_attempts_total", "counter",
                 "Records handed to the sink, each time, by what it said.");
    for (size_t i = 0; i < count; i++)
        for (int result = 0; result < SINK_RESULT_COUNT; result++)
            buf_printf(out, "sluice_sink_attempts_total{sink=\"%s\",result=\"%s\"} %" PRIu64 "\n",
                       pump_name(pumps[i]), results[result],
                       pump_attempts(pumps[i], (enum sink_result)result));
}
