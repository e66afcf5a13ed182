/*
 * events_commit.c - the events of a request and the outbox: no 200 and no 400 is sent before the
 * event is durable.
 *
 * An event that the sender retries anyway (500, 503) is not kept. An event that was accepted before
 * is a duplicate even when the schema of today refuses it; only the outbox knows that, so refused
 * events with an id are submitted, too.
 */
#include "handlers/events_internal.h"

#include <string.h>

#include "delivery/outbox/outbox.h"
#include "delivery/record_origin.h"
#include "handlers/envelope.h"

enum { UNITS_MAX = 1024 * 1024 }; /* bytes of error units that the quarantine keeps of one event */

static bool is_kept(const struct run *run, const struct outcome *outcome)
{
    bool is_broken_bundle = run->request->is_bundle && !run->is_batch; /* its events are kept */

    if (!outcome->row->error)
        return outcome->condition != CONDITION_DROPPED;
    return !is_broken_bundle && outcome->row->status == 400 && run->options->quarantine;
}

/* May an event that is refused now have been accepted before? */
static bool may_be_known(const struct run *run, size_t index)
{
    return run->outcomes[index].condition != CONDITION_DROPPED && run->options->dedup &&
           run->events[index].id.ptr;
}

/*
 * An array in which nothing is an event is kept as one refused event, not one per element, except
 * for one that the server made: each element is kept already, and must not be posted again.
 */
static bool is_without_events(const struct run *run)
{
    if (!run->is_batch || run->count < 2 || !run->options->quarantine || run->request->is_bundle)
        return false;
    for (size_t i = 0; i < run->count; i++)
        if (run->outcomes[i].condition != CONDITION_MALFORMED)
            return false;
    return true;
}

/* The event's bytes without the member replay-name; ptr NULL: it cannot be cut out. */
static struct str without_replay_name(const struct run *run, const struct event *event)
{
    struct str raw = event->raw;
    struct str span = json_member_span(raw, STR("replay-name"));

    if (!span.ptr)
        return STR_NONE;

    size_t before = (size_t)(span.ptr - raw.ptr);
    char *bytes = arena_alloc(run->request->arena, raw.len - span.len + 1);

    memcpy(bytes, raw.ptr, before);
    memcpy(bytes + before, span.ptr + span.len, raw.len - span.len - before);
    return (struct str){ bytes, raw.len - span.len };
}

/* Is the registry at fault, not the event? */
static bool is_registry_kind(enum condition condition)
{
    return condition == CONDITION_SCHEMA_NOT_FOUND || condition == CONDITION_REGISTRY_DENIED ||
           condition == CONDITION_REGISTRY_UNREACHABLE || condition == CONDITION_SCHEMA_UNUSABLE;
}

/* The error units as a JSON array; ptr NULL: there are none, or they are too long. */
static struct str units_of(const struct run *run, const struct schema_report *report)
{
    struct buf *out;

    if (report->count == 0)
        return STR_NONE;
    out = arena_buf(run->request->arena, UNITS_MAX);
    outcome_write_units(out, report);
    return out->overflow ? STR_NONE : buf_str(out);
}

/* What sinks may say of the event. */
static struct str origin_of(const struct run *run, const struct event *event)
{
    const struct request *request = run->request;

    return record_origin_write(request->arena,
                               &(struct record_origin){ .request_id = request->id,
                                                        .traceparent = request->traceparent,
                                                        .event_id = event->id });
}

static struct outbox_event describe(const struct run *run, size_t index)
{
    const struct event *event = &run->events[index];
    const struct outcome *outcome = &run->outcomes[index];
    const struct route *route = event->route;
    bool refused = outcome->row->error != NULL;
    bool kept = is_kept(run, outcome);
    struct str replay_name = envelope_replay_name(event->root);

    return (struct outbox_event){
        .id = event->id,
        .replay_name = replay_name,
        .raw = event->raw,
        .unreplayed = replay_name.ptr ? without_replay_name(run, event) : STR_NONE,
        .time_us = event->time_us,
        .processed_at_us = run->now_us,
        .registry = route ? str_from_c(route->registry) : STR_NONE,
        .schema = route ? str_from_c(route->schema) : STR_NONE,
        .version = event->version,
        .record = event->record,
        .route = route ? route->name : STR_NONE,
        .origin = refused ? STR_NONE : origin_of(run, event),
        .sinks = refused ? 0 : route->outputs[0].sinks,
        .outcome = refused ? outcome->row->condition : NULL,
        .details = refused ? outcome->details : STR_NONE,
        .units = refused && kept ? units_of(run, &outcome->report) : STR_NONE,
        .rule = refused ? outcome->report.best.keyword_location : STR_NONE,
        .reason = refused ? run_reason(outcome) : STR_NONE,
        .is_registry_kind = is_registry_kind(outcome->condition),
        .is_not_kept = !kept,
    };
}

/* The whole array, as one refused event. */
static struct outbox_event describe_whole_body(const struct run *run)
{
    return (struct outbox_event){
        .raw = json_span(run_text(run)),
        .time_us = OUTBOX_NO_TIME,
        .processed_at_us = run->now_us,
        .outcome = run->outcomes[0].row->condition,
        .details = run->outcomes[0].details,
        .reason = run_reason(&run->outcomes[0]),
    };
}

static void find_spans(struct run *run)
{
    if (!run->is_batch) {
        run->events[0].raw = json_span(run_text(run));
        return;
    }

    struct str *spans = arena_alloc(run->request->arena, (run->count + 1) * sizeof(*spans));

    json_spans(run_text(run), spans, run->count);
    for (size_t i = 0; i < run->count; i++)
        run->events[i].raw = spans[i];
}

static void turn_all_away(struct run *run, const char *reason)
{
    for (size_t i = 0; i < run->submitted_count; i++)
        run_conclude(run, run->submitted[i], CONDITION_UNAVAILABLE, str_from_c(reason));
}

static void add_record(struct run *run, struct outbox_event *events, size_t index,
                       const struct outbox_event *one)
{
    events[run->submitted_count] = *one;
    run->submitted[run->submitted_count++] = index;
}

/* Add an event that is accepted or refused, and the further records of its route. */
static void add_event(struct run *run, struct outbox_event *events, size_t index)
{
    const struct event *event = &run->events[index];
    struct outbox_event one = describe(run, index);
    size_t count = one.outcome ? 1 : event->route->output_count;

    add_record(run, events, index, &one);
    for (size_t i = 1; i < count; i++) {
        if (!event->records[i].ptr)
            continue;
        one.output = (unsigned)i + 1;
        one.record = event->records[i];
        one.route = event->route->outputs[i].name;
        one.sinks = event->route->outputs[i].sinks;
        add_record(run, events, index, &one);
    }
}

/* Fill in `events`, what the outbox must see of the request. Returns their number. */
static size_t describe_all(struct run *run, struct outbox_event *events)
{
    run->as_one = is_without_events(run);
    if (run->as_one)
        events[0] = describe_whole_body(run);
    for (size_t i = 0; i < run->count; i++) {
        if (run->as_one)
            run->submitted[run->submitted_count++] = i;
        else if (is_kept(run, &run->outcomes[i]) || may_be_known(run, i))
            add_event(run, events, i);
    }
    return run->as_one ? 1 : run->submitted_count;
}

/* At most so many records and refused events. */
static size_t count_records(const struct run *run)
{
    size_t count = run->count;

    for (size_t i = 0; i < run->count; i++)
        if (run->events[i].route && run->events[i].route->output_count > 1)
            count += run->events[i].route->output_count - 1;
    return count;
}

bool run_submit(struct run *run)
{
    const struct request *request = run->request;
    struct outbox_event *events;
    struct error err;

    if (!run->options->outbox || run->count == 0)
        return false;
    find_spans(run);

    size_t most = count_records(run);

    events = arena_alloc(request->arena, most * sizeof(*events));
    run->submitted = arena_alloc(request->arena, most * sizeof(*run->submitted));

    size_t count = describe_all(run, events);

    if (count == 0)
        return false;
    if (outbox_submit(run->options->outbox,
                      &(struct outbox_request){ events, count, request->waker }, &run->job, &err)) {
        arena_own(request->arena, run->job, outbox_job_release);
        run_span_submitted(run);
        run_release_tree(run);
        return true;
    }
    turn_all_away(run, arena_copy(request->arena, str_from_c(err.text)).ptr);
    return false;
}

/* A receipt and the results of an array need no record. */
static bool shows_record(const struct run *run)
{
    return !run->is_batch && !run->options->receipt;
}

/*
 * The event was accepted before. Its answer is the record of that time, as the transform of today
 * writes it; when that transform refuses the event, the answer is a receipt.
 */
static void conclude_duplicate(struct run *run, size_t index, int64_t processed_at_us)
{
    if (!shows_record(run) || !run_write_record_again(run, index, processed_at_us))
        run->events[index].record = STR_NONE;
    run_conclude(run, index, CONDITION_DUPLICATE, STR_NONE);
}

bool run_has_results(const struct run *run)
{
    return outbox_results(run->job) != NULL;
}

bool run_needs_reading(const struct run *run)
{
    const struct outbox_result *results = outbox_results(run->job);

    return shows_record(run) && results && results[0].verdict == OUTBOX_DUPLICATE;
}

void run_take_results(struct run *run)
{
    const struct outbox_result *results = outbox_results(run->job);

    for (size_t i = 0; i < run->submitted_count; i++) {
        const struct outbox_result *result = &results[run->as_one ? 0 : i];
        bool is_first = i == 0 || run->submitted[i] != run->submitted[i - 1];

        if (result->verdict == OUTBOX_DUPLICATE && is_first)
            conclude_duplicate(run, run->submitted[i], result->processed_at_us);
        else if (result->verdict == OUTBOX_UNAVAILABLE)
            run_conclude(run, run->submitted[i], CONDITION_UNAVAILABLE, str_from_c(result->reason));
    }
}

/* Nothing is read again here: the body may be too long for a loop thread. */
void run_give_up(struct run *run)
{
    outbox_give_up(run->job);
    if (run_has_results(run) && !run_needs_reading(run))
        run_take_results(run);
    else
        turn_all_away(run, "deadline");
}
