/*
 * events_answer.c - from the outcomes of the events of a request to its answer.
 */
#include <string.h>

#include "handlers/events_internal.h"

enum {
    ANSWER_MAX = 64 * 1024 * 1024, /* bytes of one answer; a longer one goes without error units */
    RETRY_AFTER_SECONDS = 5,
};

static void answer_refused(const struct run *run, const struct outcome *outcome,
                           struct response *response)
{
    struct buf *body = arena_buf(run->request->arena, ANSWER_MAX);

    outcome_write_refusal(body, outcome);
    if (body->overflow) {
        struct outcome brief = *outcome;

        brief.report = (struct schema_report){ 0 };
        buf_clear(body);
        outcome_write_refusal(body, &brief);
    }
    response->body = buf_str(body);
    response->retry_after_seconds = outcome->row->retry_after ? RETRY_AFTER_SECONDS : 0;
}

static void answer_accepted(const struct run *run, const struct outcome *outcome,
                            struct response *response)
{
    response->body = run->events[0].record;
    response->duplicate = outcome->condition == CONDITION_DUPLICATE;
    if (run->options->receipt || !response->body.ptr) {
        struct buf *body = arena_buf(run->request->arena, ANSWER_MAX);

        outcome_write_receipt(body, outcome);
        response->body = buf_str(body);
    }
}

struct str run_reason(const struct outcome *outcome)
{
    struct str details = outcome->details;
    const char *place = NULL;

    if (outcome->condition == CONDITION_SCHEMA_INVALID)
        return outcome->report.reason;
    if (outcome->condition == CONDITION_MALFORMED && details.ptr)
        place = memmem(details.ptr, details.len, " at /", sizeof(" at /") - 1);
    if (place)
        details.len = (size_t)(place - details.ptr);
    return details;
}

static void answer_one(struct run *run, struct response *response)
{
    const struct event *event = &run->events[0];
    const struct outcome *outcome = &run->outcomes[0];

    response->note.event_id = event->id;
    response->note.route = event->route ? event->route->name : STR_NONE;
    response->note.schema =
        event->route && event->route->schema ? str_from_c(event->route->schema) : STR_NONE;
    response->note.schema_version = event->version;
    response->note.rule = outcome->report.best.keyword_location;
    response->note.outcome = str_from_c(outcome->row->condition);
    response->note.reason = outcome->row->error ? run_reason(outcome) : STR_NONE;
    response->status = outcome->row->status;
    if (outcome->row->error)
        answer_refused(run, outcome, response);
    else
        answer_accepted(run, outcome, response);
}

/* The status of an array: the worst retryable failure, else 400 if all are refused, else 200. */
static int batch_status(const struct run *run)
{
    size_t refused = 0;
    int worst = 0;

    for (size_t i = 0; i < run->count; i++) {
        int status = run->outcomes[i].row->status;

        refused += status >= 400;
        if (status_is_retryable(run->outcomes[i].row) && status > worst)
            worst = status;
    }
    if (run->options->partial || run->items)
        return 200;
    if (worst)
        return worst;
    return run->count > 0 && refused == run->count ? 400 : 200;
}

static void answer_batch(struct run *run, struct response *response)
{
    struct buf *body = arena_buf(run->request->arena, ANSWER_MAX);

    for (size_t i = 0; i < run->count; i++)
        response->note.refused += run->outcomes[i].row->error != NULL;
    outcome_write_batch(body, run->outcomes, run->count);
    if (body->overflow) {
        for (size_t i = 0; i < run->count; i++)
            run->outcomes[i].report = (struct schema_report){ 0 };
        buf_clear(body);
        outcome_write_batch(body, run->outcomes, run->count);
    }
    response->body = buf_str(body);
    response->status = batch_status(run);
    response->retry_after_seconds = response->status == 503 ? RETRY_AFTER_SECONDS : 0;
    response->note.outcome = STR("batch");
    response->note.events = run->count;
}

static void count_event(const struct run *run, size_t index)
{
    const struct event *event = &run->events[index];
    int64_t age_us = run->now_us - event->time_us;

    if (age_us < 0) /* the clocks differ */
        age_us = 0;
    metrics_count_event(run->options->metrics,
                        &(struct metrics_event){
                            .route_number = event->route ? event->route->number : 0,
                            .condition = run->outcomes[index].condition,
                            .age_us = event->time_us == OUTBOX_NO_TIME ? METRICS_NO_AGE : age_us,
                            .is_replay = run->request->is_replay,
                        });
}

void run_answer(struct run *run, struct response *response)
{
    for (size_t i = 0; run->options->metrics && !run->is_trial && i < run->count; i++)
        count_event(run, i);
    if (run->is_batch)
        answer_batch(run, response);
    else
        answer_one(run, response);
}

void events_answer_unavailable(const struct events_options *options, const struct request *request,
                               const char *reason, struct response *response)
{
    struct buf *body = arena_buf(request->arena, ANSWER_MAX);
    struct outcome outcome = {
        .condition = CONDITION_UNAVAILABLE,
        .row = status_row(options->status_map, CONDITION_UNAVAILABLE),
        .details = str_from_c(reason),
    };

    if (options->metrics)
        metrics_count_event(options->metrics, &(struct metrics_event){
                                                  .condition = outcome.condition,
                                                  .age_us = METRICS_NO_AGE,
                                                  .is_replay = request->is_replay,
                                              });
    outcome_write_refusal(body, &outcome);
    response->body = buf_str(body);
    response->status = outcome.row->status;
    response->retry_after_seconds = RETRY_AFTER_SECONDS;
    response->note.outcome = str_from_c(outcome.row->condition);
    response->note.reason = outcome.details;
}
