/*
 * events.c - the story of POST /events: parse, wait for schemas that are not known yet, then for
 * each event route, payload, validate, transform; wait until it is durable; then answer.
 *
 * A step that fails ends that event's way; its error's code picks the row of the status table. What
 * is accepted, or refused for good, goes to the outbox. What is large or takes long is worked off
 * on the slow lane.
 */
#include "handlers/events.h"

#include "base/clock.h"
#include "handlers/envelope.h"
#include "handlers/events_internal.h"

enum {
    TREE_MAX = 96 * 1024 * 1024,   /* bytes of a body read; 2 MiB of "{}," would take 500 MB */
    RECORD_USUAL = 768,            /* bytes that most records fit in */
    RECORD_MAX = 16 * 1024 * 1024, /* bytes of one normalized record */
    BATCH_UNITS_MAX = 1000,        /* error units in the answer to one array */
    FAST_SLICE_US = US_PER_MS,     /* of a loop thread, for the checks of one request */
    FIRST_SLICE_US = US_PER_MS,    /* of an array's element, before any element gets more */
    REQUEST_BUDGETS = 5,           /* whole budgets that the elements of one array share */
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

bool run_normalize(struct run *run, struct event *event, struct error *err)
{
    struct buf *record = arena_buf(run->request->arena, RECORD_MAX);

    (void)buf_reserve(record, RECORD_USUAL);
    if (!transform_apply(event->route->transform, event->payload, run->now_us, record, err))
        return false;
    if (record->overflow)
        return fail(err, ERR_INVALID, "Transformation failed: record over %d bytes",
                    (int)RECORD_MAX);
    event->record = buf_str(record);
    return true;
}

static const struct step {
    const char *name;
    bool (*run)(struct run *run, struct event *event, struct error *err);
    enum condition refusal; /* what ERR_INVALID and ERR_NOT_FOUND mean */
} steps[] = {
    { "route", find_route, CONDITION_UNROUTED },
    { "payload", run_take_payload, CONDITION_MALFORMED },
    { "validate", validate, CONDITION_SCHEMA_INVALID },
    { "transform", run_normalize, CONDITION_TRANSFORM_FAILED },
};

static void observe(const struct run *run, const char *step, const struct event *event,
                    const struct error *err)
{
    if (run->observer)
        run->observer->step(run->observer->self, step, event, err);
}

/* CONDITION_VALID: all steps went well; otherwise `err` says why not. */
static enum condition take_steps(struct run *run, struct event *event, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        bool ok = steps[i].run(run, event, err);

        observe(run, steps[i].name, event, ok ? NULL : err);
        if (!ok)
            return event->lacks_schema ? status_of_registry(err->code)
                                       : status_of_step(err->code, steps[i].refusal);
    }
    return CONDITION_VALID;
}

void run_conclude(const struct run *run, enum condition condition, struct outcome *outcome)
{
    outcome->condition = condition;
    outcome->row = status_row(run->options->status_map, condition);
}

/* The event's fate is `condition`, for the reason in `err`. */
static void run_conclude_failed(const struct run *run, enum condition condition,
                                const struct error *err, struct outcome *outcome)
{
    if (err->text[0] != '\0')
        outcome->details = arena_copy(run->request->arena, str_from_c(err->text));
    run_conclude(run, condition, outcome);
}

/* Take all steps with one event, with the run's budget as it is. */
static void process(struct run *run, size_t index)
{
    struct event *event = &run->events[index];
    struct outcome *outcome = &run->outcomes[index];
    struct error err = { 0 };

    *event = (struct event){ .root = run->is_batch ? json_at(run->body, index) : run->body };
    *outcome = (struct outcome){ 0 };

    enum condition condition = take_steps(run, event, &err);

    outcome->id = event->id;
    run_conclude_failed(run, condition, &err, outcome);
    if (condition != CONDITION_SCHEMA_INVALID)
        return;
    outcome->report = event->report;
    outcome->details = event->report.best.error; /* may be longer than a struct error */
}

/* Process with a new budget. False: it was not enough. */
static bool process_within(struct run *run, size_t index, struct schema_budget budget)
{
    run->budget = budget;
    run->budget.stop = run->stop;
    process(run, index);
    return run->outcomes[index].condition != CONDITION_TOO_EXPENSIVE;
}

/* All events share one slice. */
static bool check_fast(struct run *run)
{
    run->budget = schema_budget_slice(FAST_SLICE_US);
    for (size_t i = 0; i < run->count; i++) {
        process(run, i);
        if (run->outcomes[i].condition == CONDITION_TOO_EXPENSIVE)
            return false;
    }
    return true;
}

/*
 * The elements for which the first slice was not enough get a whole budget each, as long as the
 * request's share lasts. Each attempt begins elsewhere, so that a sender that tries again gets a
 * verdict for every element in the end.
 */
static void check_late(struct run *run, const size_t *late, size_t count)
{
    int64_t whole_us = run->options->budget_us;
    int64_t end_us = clock_thread_us() + REQUEST_BUDGETS * whole_us;
    size_t first = count ? (size_t)run->now_us % count : 0;

    for (size_t i = 0; i < count; i++) {
        size_t index = late[(first + i) % count];
        struct error err = { 0 };

        if (clock_thread_us() < end_us) {
            (void)process_within(run, index, schema_budget(whole_us));
            continue;
        }
        (void)fail(&err, ERR_UNAVAILABLE, "other events of the request took its time");
        run_conclude_failed(run, CONDITION_UNAVAILABLE, &err, &run->outcomes[index]);
    }
}

/*
 * An event has its whole budget, whoever stands beside it: first each element of an array gets a
 * slice, which is enough for nearly all, then the costly ones get more.
 */
static void check_fully(struct run *run)
{
    int64_t whole_us = run->options->budget_us;

    if (!run->is_batch || (whole_us > 0 && whole_us <= FIRST_SLICE_US)) {
        for (size_t i = 0; i < run->count; i++)
            (void)process_within(run, i, schema_budget(whole_us));
        return;
    }

    size_t *late = arena_alloc(run->request->arena, (run->count + 1) * sizeof(*late));
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        if (!process_within(run, i, schema_budget_slice(FIRST_SLICE_US)))
            late[count++] = i;
    check_late(run, late, count);
}

/* The guard may keep what was accepted. */
static void offer_samples(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->outcomes[i].condition == CONDITION_VALID)
            catalog_accepted(run->events[i].route->live, run->events[i].payload, run->now_us);
}

/* Room for that many events. */
static void allot(struct run *run, size_t count)
{
    struct arena *arena = run->request->arena;

    run->count = count;
    run->events = arena_alloc(arena, (count + 1) * sizeof(*run->events));
    run->outcomes = arena_alloc(arena, (count + 1) * sizeof(*run->outcomes));
}

bool run_check(struct run *run, enum run_pace pace)
{
    bool malformed = run->malformed.code != ERR_NONE;

    run->is_batch = !malformed && json_is_array(run->body);
    run->units_left = run->is_batch ? BATCH_UNITS_MAX : run->options->max_errors;
    allot(run, run->is_batch ? json_count(run->body) : 1);
    if (malformed) {
        run_conclude_failed(run, status_of_step(run->malformed.code, CONDITION_MALFORMED),
                            &run->malformed, &run->outcomes[0]);
        return true;
    }
    if (pace == RUN_FULL)
        check_fully(run);
    else if (!check_fast(run))
        return false;
    offer_samples(run);
    return true;
}

static void forget_body(void *self)
{
    struct run *run = self;

    json_release(run->body);
}

struct run *run_create(const struct events *events, const struct request *request,
                       const struct event_observer *observer)
{
    struct run *run = arena_alloc(request->arena, sizeof(*run));

    *run = (struct run){
        .options = &events->options,
        .request = request,
        .observer = observer,
        .now_us = clock_now_us(),
    };
    arena_own(request->arena, run, forget_body);
    return run;
}

void run_read(struct run *run)
{
    struct error err = { 0 };
    bool ok = run_parse(run, &err);
    size_t max = run->options->max_batch;

    if (ok && json_is_array(run->body) && json_count(run->body) > max)
        ok = fail(&err, ERR_MALFORMED, "Batch of %zu events, at most %zu", json_count(run->body),
                  max);
    run->malformed = err;
    observe(run, "parse", NULL, ok ? NULL : &err);
}

bool run_still_waits(const struct run *run)
{
    return run->awaited && catalog_await(run->options->catalog, run->awaited, run->request->waker,
                                         run->request->arena);
}

static bool event_waits(struct run *run, struct json_object *root)
{
    const struct route *route;
    struct error err;

    run->awaited = NULL;
    if (json_is_object(root) && routes_find(run->options->routes, root, &route, &err))
        run->awaited = route->live;
    return run_still_waits(run);
}

bool run_waits_for_schema(struct run *run)
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

void events_answer(const struct events *events, const struct request *request,
                   const struct event_observer *observer, struct response *response)
{
    struct run *run = run_create(events, request, observer);

    run_read(run);
    (void)run_check(run, RUN_FULL);
    run_answer(run, response);
}
