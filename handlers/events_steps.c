/*
 * events_steps.c - the steps of one event: parse, route, payload, validate, transform.
 *
 * A step that fails ends the event's way. The code of its error and the step give the condition,
 * which is a row of the status table (status.h).
 */
#include "handlers/envelope.h"
#include "handlers/events_internal.h"

enum {
    RECORD_USUAL = 768,            /* bytes that most records fit in */
    RECORD_MAX = 16 * 1024 * 1024, /* bytes of the normalized records of one event */
};

static bool fail_too_expensive(struct error *err)
{
    return fail(err, ERR_TOO_EXPENSIVE, "Event too expensive to check");
}

static bool parse(struct run *run, struct error *err)
{
    const struct flat_options options = { .symbols = catalog_symbols(run->options->catalog),
                                          .max_depth =
                                              (size_t)JSON_MAX_DEPTH + run->request->is_bundle };

    if (!run->tree)
        run->tree = arena_create();
    if (flat_read(run->tree, run_text(run), &options, &run->body, err)) {
        if (!run->options->lambda_sources || !run_unwrap(run))
            return true;
        arena_reset(run->tree);
        if (flat_read(run->tree, run_text(run), &options, &run->body, err))
            return true;
    }

    struct error why = *err;

    return fail(err, why.code, "Invalid JSON %s", why.text);
}

static bool find_route(struct run *run, struct event *event, struct error *err)
{
    if (!flat_is_object(event->root))
        return fail(err, ERR_MALFORMED, "Invalid EventBridge payload: missing 'detail' key");
    if (!routes_find(run->options->routes, event->root, &run->budget, &event->route, err))
        return false;

    struct str id = envelope_id(event->route, event->root);

    /* The log line needs it after the body is freed. */
    event->id = id.ptr ? arena_copy(run->request->arena, id) : STR_NONE;
    return true;
}

static bool take_payload(struct run *run, struct event *event, struct error *err)
{
    return envelope_payload(event->route, event->root, run->request->arena, &event->payload, err);
}

/* Check the payload, and report why it is invalid. `schema` stays live during the call. */
static enum schema_verdict judge(struct run *run, const struct schema *schema, struct event *event)
{
    const struct schema_report_options options = {
        .max_errors =
            run->units_left < run->options->max_errors ? run->units_left : run->options->max_errors,
        .redact_values = run->options->redact_values,
    };
    enum schema_verdict verdict = schema_check(schema, event->payload, &run->budget);

    if (verdict != SCHEMA_INVALID)
        return verdict;
    verdict = schema_report(schema, event->payload, &options, &run->budget, run->request->arena,
                            &event->report);
    if (verdict != SCHEMA_INVALID)
        return verdict;
    if (run->units_left > event->report.count)
        run->units_left -= event->report.count;
    else
        run->units_left = 1; /* every refused event names at least one error */
    return SCHEMA_INVALID;
}

static bool validate(struct run *run, struct event *event, struct error *err)
{
    const struct live_schema *live = catalog_enter(event->route->live);

    if (!live->schema) {
        *err = live->error;
        event->lacks_schema = true;
        catalog_leave();
        return false;
    }
    event->version = arena_copy(run->request->arena, str_from_c(live->version));
    enum schema_verdict verdict = judge(run, live->schema, event);
    catalog_leave();

    if (verdict == SCHEMA_TOO_EXPENSIVE)
        return fail_too_expensive(err);
    if (verdict == SCHEMA_INVALID)
        return fail(err, ERR_INVALID, "%.*s", STR_ARG(event->report.best.error));
    if (verdict != SCHEMA_VALID)
        return fail(err, ERR_INTERNAL, "%s", schema_verdict_text(verdict));
    return true;
}

/* The 32 digits of the trace in a traceparent header; ptr NULL: none. */
static struct str trace_id(struct str traceparent)
{
    enum { AT = 3, DIGITS = 32 };

    return traceparent.len > AT + DIGITS ? (struct str){ traceparent.ptr + AT, DIGITS } : STR_NONE;
}

/* What observes the fields of one event. */
struct field_watch {
    const struct event_observer *observer;
    const struct event *event;
};

static void note_field(void *self, struct str field, struct str from)
{
    const struct field_watch *watch = self;

    watch->observer->field(watch->observer->self, watch->event, field, from);
}

/* If it fails, `record` is freed: else the parts of many failed records would add up. */
static bool write_record(struct run *run, struct event *event, int64_t processed_at_us,
                         struct buf *record, struct error *err)
{
    const struct route *route = event->route;
    struct field_watch watch = { run->observer, event };
    const struct transform_observer observer = { note_field, &watch };
    const struct transform_input input = {
        .payload = event->payload,
        .event = event->root,
        .now_us = processed_at_us,
        .budget = &run->budget,
        .observer = run->observer && run->observer->field ? &observer : NULL,
        .meta = { [TRANSFORM_META_KEY] = event->id,
                  [TRANSFORM_META_ROUTE] = route->name,
                  [TRANSFORM_META_REGISTRY] = str_from_c(route->registry),
                  [TRANSFORM_META_SCHEMA] = str_from_c(route->schema),
                  [TRANSFORM_META_SCHEMA_VERSION] = event->version,
                  [TRANSFORM_META_REQUEST_ID] = run->request->id,
                  [TRANSFORM_META_TRACE_ID] = trace_id(run->request->traceparent) },
    };

    bool ok =
        transform_apply(event->output->transform, &input, record, err) &&
        (!record->overflow ||
         fail(err, ERR_INVALID, "Transformation failed: record over %d bytes", (int)RECORD_MAX));

    if (!ok) {
        buf_done(record);
        return false;
    }
    event->record = buf_str(record);
    return true;
}

/* One of the outputs failed: free the `count` records of those before it. */
static void free_records(struct event *event, struct buf **records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (records[i])
            buf_done(records[i]);
    event->records = NULL;
    event->record = STR_NONE;
}

/*
 * All outputs of the route, or none. What the first one's transform drops is dropped as a whole;
 * what another one's drops lacks that record.
 */
static bool transform(struct run *run, struct event *event, struct error *err)
{
    struct arena *arena = run->request->arena;
    const struct route *route = event->route;
    size_t left = RECORD_MAX;
    struct buf **written;

    event->is_dropped = transform_drops(route->outputs[0].transform, event->payload);
    if (event->is_dropped)
        return true;
    event->records = arena_alloc(arena, route->output_count * sizeof(*event->records));
    written = arena_alloc(arena, route->output_count * sizeof(struct buf *));
    for (size_t i = 0; i < route->output_count; i++) {
        event->output = &route->outputs[i];
        if (i > 0 && transform_drops(event->output->transform, event->payload))
            continue;
        written[i] = arena_buf_in(arena, left, RECORD_USUAL);
        if (!write_record(run, event, run->now_us, written[i], err)) {
            free_records(event, written, i);
            return false;
        }
        event->records[i] = event->record;
        left -= event->record.len;
    }
    event->record = event->records[0];
    run->record_bytes += RECORD_MAX - left;
    return true;
}

static const struct step {
    const char *name;
    bool (*run)(struct run *run, struct event *event, struct error *err);
    enum condition refusal; /* what ERR_INVALID and ERR_NOT_FOUND mean */
} steps[] = {
    { "route", find_route, CONDITION_UNROUTED },
    { "payload", take_payload, CONDITION_MALFORMED },
    { "validate", validate, CONDITION_SCHEMA_INVALID },
    { "transform", transform, CONDITION_TRANSFORM_FAILED },
};

static void observe(struct run *run, const char *step, const struct event *event,
                    const struct error *err, int64_t began_us)
{
    run_span_end(run, step, began_us, err != NULL);
    if (run->observer)
        run->observer->step(run->observer->self, step, event, err);
}

void run_read(struct run *run)
{
    int64_t began_us = run_span_begin(run);
    struct error *err = &run->malformed;
    size_t max = run->options->max_batch;

    error_clear(err);

    bool ok = parse(run, err);

    if (ok && flat_is_array(run->body) && flat_count(run->body) > max)
        ok = fail(err, ERR_MALFORMED, "Batch of %zu events, at most %zu", flat_count(run->body),
                  max);
    observe(run, "parse", NULL, ok ? NULL : err, began_us);
}

enum condition run_take_steps(struct run *run, struct event *event, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (event->route && event->route->drop)
            return CONDITION_DROPPED;

        int64_t began_us = run_span_begin(run);
        bool ok = steps[i].run(run, event, err);

        observe(run, steps[i].name, event, ok ? NULL : err, began_us);
        if (!ok)
            return event->lacks_schema ? status_of_registry(err->code)
                                       : status_of_step(err->code, steps[i].refusal);
    }
    return event->is_dropped ? CONDITION_DROPPED : CONDITION_VALID;
}

bool run_write_record_again(struct run *run, size_t index, int64_t processed_at_us)
{
    struct event *event = &run->events[index];
    struct error err = { 0 };

    if (!run->body && !parse(run, &err))
        return false;
    event->root = run->body; /* an element of an array has no record in the answer */
    run->budget = schema_budget(run->options->budget_us);
    event->output = &event->route->outputs[0];
    return take_payload(run, event, &err) &&
           write_record(run, event, processed_at_us,
                        arena_buf_in(run->request->arena, RECORD_MAX, RECORD_USUAL), &err);
}
