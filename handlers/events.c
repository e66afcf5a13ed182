/*
 * events.c - the story of POST /events: parse, wait for schemas that are not known yet, then for
 * each event route, payload, validate, transform; wait until it is durable; then answer.
 *
 * A step that fails ends that event's way; its error's code picks the row of the status table. What
 * is accepted, or refused for good, goes to the outbox.
 */
#include "handlers/events.h"

#include "base/clock.h"
#include "base/memory.h"
#include "handlers/envelope.h"
#include "handlers/events_run.h"

enum {
    TREE_MAX = 96 * 1024 * 1024,   /* bytes of a body read; 2 MiB of "{}," would take 500 MB */
    RECORD_USUAL = 768,            /* bytes that most records fit in */
    RECORD_MAX = 16 * 1024 * 1024, /* bytes of one normalized record */
    BATCH_UNITS_MAX = 1000,        /* error units in the answer to one array */
};

struct events {
    struct events_options options;
};

static bool fail_too_expensive(struct error *err)
{
    return fail(err, ERR_TOO_EXPENSIVE, "Event too expensive to check");
}

bool run_parse(struct run *run, struct error *err)
{
    const struct json_read_options options = {
        .max_memory = TREE_MAX,
        .symbols = catalog_symbols(run->options->catalog),
    };

    if (json_read(run->request->body, &options, &run->body, err))
        return true;
    if (err->code == ERR_TOO_EXPENSIVE)
        return fail_too_expensive(err);

    struct error why = *err;

    return fail(err, why.code, "Invalid JSON %s", why.text);
}

static bool find_route(struct run *run, struct event *event, struct error *err)
{
    if (!json_is_object(event->root))
        return fail(err, ERR_MALFORMED, "Invalid EventBridge payload: missing 'detail' key");
    if (!routes_find(run->options->routes, event->root, &event->route, err))
        return false;
    event->id = envelope_id(event->route, event->root);
    return true;
}

bool run_take_payload(struct run *run, struct event *event, struct error *err)
{
    return envelope_payload(event->route, event->root, run->request->arena, &event->payload, err);
}

/* The verdict, and for a "no" its reasons. `schema` stays live meanwhile. */
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
        catalog_leave();
        return run->expired ? fail(err, ERR_UNAVAILABLE, "deadline") : false;
    }
    event->version = arena_copy(run->request->arena, str_from_c(live->version));
    enum schema_verdict verdict = judge(run, live->schema, event);
    catalog_leave();

    if (verdict == SCHEMA_TOO_EXPENSIVE)
        return run->cut_short
                   ? fail(err, ERR_UNAVAILABLE, "other events of the request took its time")
                   : fail_too_expensive(err);
    if (verdict == SCHEMA_INVALID)
        return fail(err, ERR_SCHEMA_INVALID, "%.*s", STR_ARG(event->report.best.error));
    if (verdict != SCHEMA_VALID)
        return fail(err, ERR_INTERNAL, "%s", schema_verdict_text(verdict));
    return true;
}

bool run_normalize(struct run *run, struct event *event, struct error *err)
{
    struct buf *record = arena_buf(run->request->arena, RECORD_MAX);

    (void)buf_reserve(record, RECORD_USUAL);
    if (!transform_apply(event->route->transform, event->payload, run->now_us, record, err))
        return false;
    if (record->overflow)
        return fail(err, ERR_TRANSFORM_FAILED, "Transformation failed: record over %d bytes",
                    (int)RECORD_MAX);
    event->record = buf_str(record);
    return true;
}

static const struct step {
    const char *name;
    bool (*run)(struct run *run, struct event *event, struct error *err);
} steps[] = {
    { "route", find_route },
    { "payload", run_take_payload },
    { "validate", validate },
    { "transform", run_normalize },
};

static void observe(const struct run *run, const char *step, const struct event *event,
                    const struct error *err)
{
    if (run->observer)
        run->observer->step(run->observer->self, step, event, err);
}

static bool take_steps(struct run *run, struct event *event, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        bool ok = steps[i].run(run, event, err);

        observe(run, steps[i].name, event, ok ? NULL : err);
        if (!ok)
            return false;
    }
    return true;
}

void run_conclude(const struct run *run, enum condition condition, struct outcome *outcome)
{
    outcome->condition = condition;
    outcome->row = status_row(run->options->status_map, condition);
}

void run_conclude_failed(const struct run *run, const struct error *err, struct outcome *outcome)
{
    if (err->text[0] != '\0')
        outcome->details = arena_copy(run->request->arena, str_from_c(err->text));
    run_conclude(run, status_condition(err->code), outcome);
}

/*
 * Each event has a whole budget, and all of a request together two: an expensive one is refused
 * without taking others with it, and many of them cannot hold the thread. Who is cut short by
 * others is told to come again.
 */
static void allot_budget(struct run *run)
{
    int64_t whole_us = run->options->budget_us;

    run->budget = schema_budget(whole_us);
    if (!run->is_batch || whole_us == 0)
        return;

    int64_t now_us = clock_thread_us();

    if (!run->checks_end_us)
        run->checks_end_us = now_us + 2 * whole_us;

    int64_t left_us = run->checks_end_us - now_us;

    run->cut_short = left_us < whole_us;
    if (run->cut_short)
        run->budget = schema_budget(left_us);
    run->budget.exhausted = left_us <= 0;
}

static void process(struct run *run, struct event *event, struct outcome *outcome)
{
    struct error err = { 0 };

    allot_budget(run);
    bool ok = take_steps(run, event, &err);

    outcome->id = event->id;
    if (ok) {
        catalog_accepted(event->route->live, event->payload, run->now_us);
        run_conclude(run, CONDITION_VALID, outcome);
        return;
    }
    run_conclude_failed(run, &err, outcome);
    if (err.code != ERR_SCHEMA_INVALID)
        return;
    outcome->report = event->report;
    outcome->details = event->report.best.error; /* may be longer than a struct error */
}

static void forget_body(void *self)
{
    struct run *run = self;

    json_release(run->body);
}

/* Read the body; what is wrong with it is in `run->malformed` then. */
static void begin(const struct events *events, const struct request *request,
                  const struct event_observer *observer, struct run *run)
{
    struct error err = { 0 };

    *run = (struct run){
        .options = &events->options,
        .request = request,
        .observer = observer,
        .now_us = clock_now_us(),
    };
    arena_own(request->arena, run, forget_body);

    bool ok = run_parse(run, &err);

    if (ok && json_is_array(run->body) && json_count(run->body) > events->options.max_batch)
        ok = fail(&err, ERR_MALFORMED, "Batch of %zu events, at most %zu", json_count(run->body),
                  events->options.max_batch);
    if (!ok)
        run->malformed = err;
    observe(run, "parse", NULL, ok ? NULL : &err);
}

/* Room for that many events. */
static void allot(struct run *run, size_t count)
{
    struct arena *arena = run->request->arena;

    run->count = count;
    run->events = arena_alloc(arena, (count + 1) * sizeof(*run->events));
    run->outcomes = arena_alloc(arena, (count + 1) * sizeof(*run->outcomes));
}

/* What becomes of each event, but for the outbox's word. */
static void process_all(struct run *run)
{
    bool malformed = run->malformed.code != ERR_NONE;

    run->is_batch = !malformed && json_is_array(run->body);
    run->units_left = run->is_batch ? BATCH_UNITS_MAX : run->options->max_errors;
    allot(run, run->is_batch ? json_count(run->body) : 1);
    if (malformed) {
        run_conclude_failed(run, &run->malformed, &run->outcomes[0]);
        return;
    }
    for (size_t i = 0; i < run->count; i++) {
        run->events[i].root = run->is_batch ? json_at(run->body, i) : run->body;
        process(run, &run->events[i], &run->outcomes[i]);
    }
}

void events_answer(const struct events *events, const struct request *request,
                   const struct event_observer *observer, struct response *response)
{
    struct run *run = arena_alloc(request->arena, sizeof(*run));

    begin(events, request, observer, run);
    process_all(run);
    run_answer(run, response);
}

static bool event_waits(const struct run *run, struct json_object *root)
{
    const struct route *route;
    struct error err;

    return json_is_object(root) && routes_find(run->options->routes, root, &route, &err) &&
           catalog_await(run->options->catalog, route->live, run->request->waker,
                         run->request->arena);
}

/* Does an event of the request need a schema that is being fetched? Then the waker is told. */
static bool waits_for_schema(const struct run *run)
{
    if (LIKELY(catalog_is_whole(run->options->catalog)) || run->malformed.code != ERR_NONE)
        return false;
    if (!json_is_array(run->body))
        return event_waits(run, run->body);
    for (size_t i = 0; i < json_count(run->body); i++)
        if (event_waits(run, json_at(run->body, i)))
            return true;
    return false;
}

struct events *events_create(const struct events_options *options)
{
    struct events *events = mem_alloc(sizeof(*events));

    events->options = *options;
    return events;
}

void events_destroy(struct events *events)
{
    mem_free(events);
}

static bool admit(void *self, const struct request *request, struct response *response)
{
    const struct events *events = self;

    return !events->options.auth || auth_admit(events->options.auth, request, response);
}

/* The schemas are there, or will not be in time. */
static enum handler_step go_on(struct run *run, struct response *response)
{
    process_all(run);
    if (run_submit(run))
        return HANDLER_WAIT;
    run_answer(run, response);
    return HANDLER_DONE;
}

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    struct run *run = arena_alloc(request->arena, sizeof(*run));

    begin(self, request, NULL, run);
    request->state = run;
    if (waits_for_schema(run))
        return HANDLER_WAIT;
    return go_on(run, response);
}

/* The outbox has its word in time, or has not. */
static enum handler_step conclude(struct run *run, struct response *response)
{
    if (!run_take_results(run)) {
        if (!run->expired)
            return HANDLER_WAIT;
        run_give_up(run);
    }
    run_answer(run, response);
    return HANDLER_DONE;
}

static enum handler_step resume(void *self, struct request *request, struct response *response,
                                enum handler_news news)
{
    struct run *run = request->state;

    (void)self;
    run->expired = news == HANDLER_EXPIRED;
    if (run->job)
        return conclude(run, response);
    if (!run->expired && waits_for_schema(run))
        return HANDLER_WAIT;
    return go_on(run, response);
}

struct handler events_handler(struct events *events)
{
    return (struct handler){
        .path = "/events",
        .method = HANDLER_POST,
        .admit = admit,
        .handle = handle,
        .resume = resume,
        .self = events,
    };
}
