/*
 * pump_spans.c - see pump_spans.h.
 */
#include "delivery/pump_spans.h"

#include "base/clock.h"

struct delivered {
    size_t index; /* of the record */
    int64_t sequence;
    struct trace_context context; /* of the span */
    struct trace_context parent;
};

struct pump_spans {
    int64_t began_us;
    size_t records;
    size_t count;
    struct delivered list[];
};

/* The span of one record, which becomes the parent of what its receiver does. */
static void begin_one(struct delivered *one, struct sink_record *record, struct arena *arena)
{
    char *text = arena_alloc(arena, TRACE_PARENT_LEN + 1);

    one->sequence = record->sequence;
    one->context = one->parent;
    trace_new_span(one->context.span_id);
    trace_context_write(&one->context, text);
    record->origin.traceparent = (struct str){ text, TRACE_PARENT_LEN };
}

static bool is_traced(const struct sink_record *record)
{
    return trace_text_is_sampled(record->origin.traceparent);
}

struct pump_spans *pump_spans_begin(struct arena *arena, struct sink_record *records, size_t count)
{
    struct pump_spans *spans;
    size_t traced = 0;

    for (size_t i = 0; i < count; i++)
        traced += is_traced(&records[i]);
    if (traced == 0)
        return NULL;
    spans = arena_alloc(arena, sizeof(*spans) + traced * sizeof(spans->list[0]));
    spans->began_us = clock_now_us();
    spans->records = count;
    for (size_t i = 0; i < count; i++) {
        struct delivered *one = &spans->list[spans->count];

        if (!is_traced(&records[i]) ||
            !trace_context_read(records[i].origin.traceparent, STR_NONE, &one->parent))
            continue;
        one->index = i;
        begin_one(one, &records[i], arena);
        spans->count++;
    }
    return spans;
}

void pump_spans_end(const struct pump_spans *spans, struct tracer *tracer, const char *sink,
                    const struct sink_outcome *outcomes)
{
    int64_t ended_us = clock_now_us();

    for (size_t i = 0; i < spans->count; i++) {
        const struct delivered *one = &spans->list[i];
        enum sink_result result = outcomes[one->index].result;
        const struct span_attribute attributes[] = {
            { .key = "sluice.sink", .text = str_from_c(sink) },
            { .key = "sluice.result", .text = str_from_c(sink_result_name(result)) },
            { .key = "sluice.sequence", .number = one->sequence },
            { .key = "sluice.records", .number = (int64_t)spans->records },
            { .key = "error.type", .text = str_from_c(sink_result_name(result)) },
        };

        tracer_add(tracer, &(struct span){
                               .context = one->context,
                               .parent = str_from_c(one->parent.span_id),
                               .name = STR("deliver"),
                               .kind = SPAN_PRODUCER,
                               .started_us = spans->began_us,
                               .ended_us = ended_us,
                               .has_failed = result != SINK_DELIVERED,
                               .attributes = attributes,
                               .attribute_count = COUNT_OF(attributes) - (result == SINK_DELIVERED),
                           });
    }
}
