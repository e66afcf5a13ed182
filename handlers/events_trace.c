/*
 * events_trace.c - the spans of a traced request to POST /events: its steps, and the commit. The
 * request's own span is the server's (server/request_span.h).
 */
#include "base/clock.h"
#include "handlers/events_internal.h"

enum { SPANS_MAX = 32 }; /* of one request: an array can have thousands of steps */

struct run_span {
    const char *name;
    int64_t began_us;
    int64_t ended_us;
    bool has_failed;
};

struct run_spans {
    struct run_span list[SPANS_MAX];
    size_t count;
    int64_t submitted_us; /* 0: nothing was submitted */
};

void run_trace(struct run *run)
{
    if (UNLIKELY(run->request->is_traced && run->options->tracer))
        run->spans = arena_alloc(run->request->arena, sizeof(*run->spans));
}

int64_t run_span_begin(const struct run *run)
{
    return UNLIKELY(run->spans != NULL) ? clock_now_us() : 0;
}

void run_span_end(struct run *run, const char *name, int64_t began_us, bool has_failed)
{
    struct run_spans *spans = run->spans;

    if (LIKELY(!spans) || spans->count == SPANS_MAX)
        return;
    spans->list[spans->count++] = (struct run_span){ name, began_us, clock_now_us(), has_failed };
}

void run_span_submitted(struct run *run)
{
    if (UNLIKELY(run->spans != NULL))
        run->spans->submitted_us = clock_now_us();
}

static void export(const struct run *run, const struct trace_context *parent,
                   const struct run_span *one)
{
    struct span span = {
        .context = *parent,
        .parent = str_from_c(parent->span_id),
        .name = str_from_c(one->name),
        .kind = SPAN_INTERNAL,
        .started_us = one->began_us,
        .ended_us = one->ended_us,
        .has_failed = one->has_failed,
    };

    trace_new_span(span.context.span_id);
    tracer_add(run->options->tracer, &span);
}

/* Was something that should be stored not stored? */
static bool has_commit_failed(const struct run *run)
{
    for (size_t i = 0; i < run->submitted_count; i++)
        if (run->outcomes[run->submitted[i]].condition == CONDITION_UNAVAILABLE)
            return true;
    return false;
}

void run_export_spans(struct run *run)
{
    const struct run_spans *spans = run->spans;
    struct trace_context parent;

    if (LIKELY(!spans) || !trace_context_read(run->request->traceparent, STR_NONE, &parent))
        return;
    for (size_t i = 0; i < spans->count; i++)
        export(run, &parent, &spans->list[i]);
    if (spans->submitted_us)
        export(run, &parent,
               &(struct run_span){ "commit", spans->submitted_us, clock_now_us(),
                                   has_commit_failed(run) });
    run->spans = NULL;
}
