/*
 * events_commit.c - the events of a request and the outbox: nobody hears 200 or 400 before what he
 * sent is on stable storage.
 *
 * What is to be retried anyway (500, 503) is not kept. Whatever the schema says now, an event that
 * was accepted before is a duplicate: only the outbox knows.
 */
#include "handlers/events_internal.h"

#include <string.h>

#include "delivery/outbox/outbox.h"
#include "handlers/envelope.h"

enum { UNITS_MAX = 1024 * 1024 }; /* bytes of error units that the quarantine keeps of one event */

static bool is_kept(const struct run *run, const struct outcome *outcome)
{
    if (!outcome->row->error)
        return true;
    return outcome->row->status == 400 && run->options->quarantine;
}

/* Is it refused now, and may have been accepted before? */
static bool may_be_known(const struct run *run, size_t index)
{
    return run->options->dedup && run->events[index].id.ptr;
}

/* An array without a single event is kept as one: its elements are worth no row each. */
static bool is_junk(const struct run *run)
{
    if (!run->is_batch || run->count < 2 || !run->options->quarantine)
        return false;
    for (size_t i = 0; i < run->count; i++)
        if (run->outcomes[i].condition != CONDITION_MALFORMED)
            return false;
    return true;
}

/* The event's bytes without its replay-name; ptr NULL where that cannot be cut out. */
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

/* Not the event's fault, but the registry's. */
static bool is_registry_kind(enum condition condition)
{
    return condition == CONDITION_SCHEMA_NOT_FOUND || condition == CONDITION_REGISTRY_DENIED ||
           condition == CONDITION_REGISTRY_UNREACHABLE || condition == CONDITION_SCHEMA_UNUSABLE;
}

/* As a JSON array, or nothing when there are none. */
static struct str units_of(const struct run *run, const struct schema_report *report)
{
    struct buf *out;

    if (report->count == 0)
        return STR_NONE;
    out = arena_buf(run->request->arena, UNITS_MAX);
    outcome_write_units(out, report);
    return out->overflow ? STR_NONE : buf_str(out);
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
        .time_us = envelope_time(event->root),
        .processed_at_us = run->now_us,
        .registry = route ? str_from_c(route->registry) : STR_NONE,
        .schema = route ? str_from_c(route->schema) : STR_NONE,
        .version = event->version,
        .record = event->record,
        .outcome = refused ? outcome->row->condition : NULL,
        .details = refused ? outcome->details : STR_NONE,
        .units = refused && kept ? units_of(run, &outcome->report) : STR_NONE,
        .rule = refused ? outcome->report.best.keyword_location : STR_NONE,
        .is_registry_kind = is_registry_kind(outcome->condition),
        .is_not_kept = !kept,
    };
}

/* All elements of an array that is junk. */
static struct outbox_event describe_junk(const struct run *run)
{
    return (struct outbox_event){
        .raw = json_span(run->request->body),
        .time_us = OUTBOX_NO_TIME,
        .processed_at_us = run->now_us,
        .outcome = run->outcomes[0].row->condition,
        .details = run->outcomes[0].details,
    };
}

static void find_spans(struct run *run)
{
    if (!run->is_batch) {
        run->events[0].raw = json_span(run->request->body);
        return;
    }

    struct str *spans = arena_alloc(run->request->arena, (run->count + 1) * sizeof(*spans));

    json_spans(run->request->body, spans, run->count);
    for (size_t i = 0; i < run->count; i++)
        run->events[i].raw = spans[i];
}

static void turn_away(struct run *run, size_t index, const char *reason)
{
    struct outcome *outcome = &run->outcomes[index];

    *outcome = (struct outcome){ .id = outcome->id };
    outcome->details = str_from_c(reason);
    run_conclude(run, CONDITION_UNAVAILABLE, outcome);
}

static void turn_all_away(struct run *run, const char *reason)
{
    for (size_t i = 0; i < run->submitted_count; i++)
        turn_away(run, run->submitted[i], reason);
}

void run_release_tree(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct event *event = &run->events[i];

        if (event->root && event->id.ptr) {
            event->id = arena_copy(run->request->arena, event->id);
            run->outcomes[i].id = event->id;
        }
        event->root = NULL;
        event->payload = NULL;
    }
    json_release(run->body);
    run->body = NULL;
}

/* What the outbox must see of the request. How much that is. */
static size_t describe_all(struct run *run, struct outbox_event *events)
{
    run->as_one = is_junk(run);
    if (run->as_one)
        events[0] = describe_junk(run);
    for (size_t i = 0; i < run->count; i++) {
        if (!run->as_one && !is_kept(run, &run->outcomes[i]) && !may_be_known(run, i))
            continue;
        if (!run->as_one)
            events[run->submitted_count] = describe(run, i);
        run->submitted[run->submitted_count++] = i;
    }
    return run->as_one ? 1 : run->submitted_count;
}

bool run_submit(struct run *run)
{
    const struct request *request = run->request;
    struct outbox_event *events;
    struct error err = { 0 };

    if (!run->options->outbox || run->count == 0)
        return false;
    find_spans(run);
    events = arena_alloc(request->arena, run->count * sizeof(*events));
    run->submitted = arena_alloc(request->arena, run->count * sizeof(*run->submitted));

    size_t count = describe_all(run, events);

    if (count == 0)
        return false;
    if (outbox_submit(run->options->outbox,
                      &(struct outbox_request){ events, count, request->waker }, &run->job, &err)) {
        arena_own(request->arena, run->job, outbox_job_release);
        run_release_tree(run);
        return true;
    }
    turn_all_away(run, arena_copy(request->arena, str_from_c(err.text)).ptr);
    return false;
}

static bool read_again(struct run *run, struct event *event, size_t index, struct error *err)
{
    if (!run->body && !run_parse(run, err))
        return false;
    event->root = run->is_batch ? json_at(run->body, index) : run->body;
    return run_take_payload(run, event, err);
}

/* Only a record that is shown is made again. */
static bool shows_record(const struct run *run)
{
    return !run->is_batch && !run->options->receipt;
}

/*
 * Its record is the one of the first time, except for what the transform says today. Where that
 * makes none of it, the event has been accepted all the same: there is no record to show then.
 */
static void recognise(struct run *run, size_t index, int64_t processed_at_us)
{
    struct outcome *outcome = &run->outcomes[index];
    struct event *event = &run->events[index];
    struct error ignored = { 0 };

    run->now_us = processed_at_us;
    if (!shows_record(run) || !read_again(run, event, index, &ignored) ||
        !run_normalize(run, event, &ignored))
        event->record = STR_NONE;
    *outcome = (struct outcome){ .id = outcome->id };
    run_conclude(run, CONDITION_DUPLICATE, outcome);
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

        if (result->verdict == OUTBOX_DUPLICATE)
            recognise(run, run->submitted[i], result->processed_at_us);
        else if (result->verdict == OUTBOX_UNAVAILABLE)
            turn_away(run, run->submitted[i], result->reason);
    }
}

/* A body that a worker had may be too long to be read here. */
void run_give_up(struct run *run)
{
    outbox_give_up(run->job);
    if (run_has_results(run) && !run_needs_reading(run))
        run_take_results(run);
    else
        turn_all_away(run, "deadline");
}
