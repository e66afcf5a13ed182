/*
 * exemplars.c - see exemplars.h.
 */
#include "base/tracing/exemplars.h"

#include <string.h>

#include "base/clock.h"

void exemplars_init(struct exemplars *exemplars)
{
    (void)pthread_mutex_init(&exemplars->mutex, NULL);
}

void exemplars_done(struct exemplars *exemplars)
{
    (void)pthread_mutex_destroy(&exemplars->mutex);
}

void exemplars_note(struct exemplars *exemplars, size_t bucket, int64_t value,
                    struct str traceparent)
{
    struct exemplar *exemplar = &exemplars->list[bucket];

    if (!trace_text_is_sampled(traceparent) || pthread_mutex_trylock(&exemplars->mutex) != 0)
        return;
    memcpy(exemplar->trace_id, trace_text_id(traceparent).ptr, TRACE_ID_LEN);
    exemplar->value = value;
    exemplar->at_us = clock_now_us();
    (void)pthread_mutex_unlock(&exemplars->mutex);
}

void exemplars_read(struct exemplars *exemplars, struct exemplar out[static EXEMPLARS_MAX])
{
    (void)pthread_mutex_lock(&exemplars->mutex);
    memcpy(out, exemplars->list, sizeof(exemplars->list));
    (void)pthread_mutex_unlock(&exemplars->mutex);
}
