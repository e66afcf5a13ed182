/*
 * events_commit.c - the events of a request and the outbox: nobody hears 200 or 400 before what he
 * sent is on stable storage.
 *
 * What is to be retried anyway (500, 503) is not kept.
 */
#include "handlers/events_run.h"

#include "delivery/outbox.h"
#include "handlers/envelope.h"

enum { UNITS_MAX = 1024 * 1024 }; /* bytes of error units that the quarantine keeps of one event */

static bool is_kept(const struct run *run, const struct outcome *outcome)
{
    if (!outcome->row->error)
        return true;
    return outcome->row->status == 400 && run->options->quarantine;
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

    return (struct outbox_event){
        .id = event->id,
        .replay_name = envelope_replay_name(event->root),
        .raw = event->raw,
        .time_us = envelope_time(event->root),
        .processed_at_us = run->now_us,
        .registry = route ? str_from_c(route->registry) : STR_NONE,
        .schema = route ? str_from_c(route->schema) : STR_NONE,
        .version = event->version,
        .record = event->record,
        .outcome = refused ? outcome->row->condition : NULL,
        .details = refused ? outcome->details : STR_NONE,
        .units = refused ? units_of(run, &outcome->report) : STR_NONE,
        .is_registry_kind = is_registry_kind(outcome->condition),
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

/*
 * While it waits a request holds its bytes, but not their tree, which takes several times as much
 * and is released cheaply as long as it is warm.
 */
static void release_tree(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct event *event = &run->events[i];

        if (event->id.ptr)
            event->id = arena_copy(run->request->arena, event->id);
        run->outcomes[i].id = event->id;
        event->root = NULL;
        event->payload = NULL;
    }
    json_release(run->body);
    run->body = NULL;
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
    for (size_t i = 0; i < run->count; i++)
        if (is_kept(run, &run->outcomes[i])) {
            events[run->submitted_count] = describe(run, i);
            run->submitted[run->submitted_count++] = i;
        }
    if (run->submitted_count == 0)
        return false;
    if (outbox_submit(run->options->outbox,
                      &(struct outbox_request){ events, run->submitted_count, request->waker },
                      &run->job, &err)) {
        arena_own(request->arena, run->job, outbox_job_release);
        release_tree(run);
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

/* Its record is the one of the first time, but for what the transform says today. */
static void recognise(struct run *run, size_t index, int64_t processed_at_us)
{
    struct outcome *outcome = &run->outcomes[index];
    struct event *event = &run->events[index];
    struct error err = { 0 };

    run->now_us = processed_at_us;
    if (read_again(run, event, index, &err) && run_normalize(run, event, &err))
        run_conclude(run, CONDITION_DUPLICATE, outcome);
    else
        run_conclude_failed(run, &err, outcome);
}

bool run_take_results(struct run *run)
{
    const struct outbox_result *results = outbox_results(run->job);

    if (!results)
        return false;
    for (size_t i = 0; i < run->submitted_count; i++)
        if (results[i].verdict == OUTBOX_DUPLICATE)
            recognise(run, run->submitted[i], results[i].processed_at_us);
        else if (results[i].verdict == OUTBOX_UNAVAILABLE)
            turn_away(run, run->submitted[i], results[i].reason);
    return true;
}

void run_give_up(struct run *run)
{
    outbox_give_up(run->job);
    if (!run_take_results(run))
        turn_all_away(run, "deadline");
}
