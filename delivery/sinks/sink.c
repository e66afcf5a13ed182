/*
 * sink.c - see sink.h.
 */
#include "delivery/sinks/sink.h"

void sink_answer_all(const struct sink_batch *batch, struct sink_answer *answer,
                     enum sink_result result, const char *reason)
{
    for (size_t i = 0; i < batch->count; i++)
        answer->outcomes[i] = (struct sink_outcome){ result, reason };
}
