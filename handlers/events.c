/*
 * events.c - the story of POST /events: parse, wait for schemas that are not known yet, then for
 * each event route, payload, validate, transform; then answer.
 *
 * A step that fails ends that event's way; its error's code picks the row of the status table.
 */
#include "handlers/events.h"

#include "base/clock.h"
#include "base/memory.h"
#include "handlers/envelope.h"
#include "handlers/outcome.h"

enum {
    TREE_MAX = 96 * 1024 * 1024,   /* bytes of a body read; 2 MiB of "{}," would take 500 MB */
    RECORD_USUAL = 768,            /* bytes that most records fit in */
    RECORD_MAX = 16 * 1024 * 1024, /* bytes of one normalized record */
    ANSWER_MAX = 64 * 1024 * 1024, /* bytes of one answer; over it: without error units */
    BATCH_UNITS_MAX = 1000,        /* error units in the answer to one array */
    RETRY_AFTER_SECONDS = 5,
};

struct events {
    struct events_options options;
};

/* One request being answered. */
struct run {
    const struct events_options *options;
    const struct request *request;
    const struct event_observer *observer;
    struct json_object *body;    /* NULL also when it cannot be read: see `malformed` */
    struct error malformed;      /* code ERR_NONE: it was read */
    bool expired;                /* the deadline ended a wait for a schema */
    struct schema_budget budget; /* of the event being checked */
    int64_t checks_end_us;       /* when all checks must be done; 0: none has begun */
    bool cut_short;              /* the event's budget is less than a whole one */
    int64_t now_us;              /* the processed_at of all its records */
    size_t units_left;           /* error units that the answer may still take */
};

static bool fail_too_expensive(struct error *err)
{
    return fail(err, ERR_TOO_EXPENSIVE, "Event too expensive to check");
}

static bool parse(struct run *run, struct json_object **body, struct error *err)
{
    const struct json_read_options options = {
        .max_memory = TREE_MAX,
        .symbols = catalog_symbols(run->options->catalog),
    };

    if (json_read_in(run->request->arena, run->request->body, &options, body, err))
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

static bool take_payload(struct run *run, struct event *event, struct error *err)
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
    if (schema_report(schema, event->payload, &options, &run->budget, run->request->arena,
                      &event->report) == SCHEMA_TOO_EXPENSIVE)
        return SCHEMA_TOO_EXPENSIVE;
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
    return true;
}

static bool normalize(struct run *run, struct event *event, struct error *err)
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
    { "payload", take_payload },
    { "validate", validate },
    { "transform", normalize },
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

static void conclude(const struct run *run, enum condition condition, struct outcome *outcome)
{
    outcome->condition = condition;
    outcome->row = status_row(run->options->status_map, condition);
    if (run->options->metrics)
        metrics_count_event(run->options->metrics, condition);
}

static void conclude_failed(const struct run *run, const struct error *err, struct outcome *outcome)
{
    if (err->text[0] != '\0')
        outcome->details = arena_copy(run->request->arena, str_from_c(err->text));
    conclude(run, status_condition(err->code), outcome);
}

/*
 * Each event has a whole budget, and all of a request together two: an expensive one is refused
 * without taking others with it, and many of them cannot hold the thread. Who is cut short by
 * others is told to come again.
 */
static void allot_budget(struct run *run)
{
    int64_t whole_us = run->options->budget_us;
    int64_t now_us = clock_monotonic_us();

    if (whole_us == 0)
        return;
    if (!run->checks_end_us)
        run->checks_end_us = now_us + 2 * whole_us;

    int64_t left_us = run->checks_end_us - now_us;

    run->cut_short = left_us < whole_us;
    run->budget = schema_budget(run->cut_short ? (left_us > 0 ? left_us : 1) : whole_us);
}

static void process(struct run *run, struct event *event, struct outcome *outcome)
{
    struct error err = { 0 };

    allot_budget(run);
    bool ok = take_steps(run, event, &err);

    outcome->id = event->id;
    if (ok) {
        catalog_accepted(event->route->live, event->payload, run->now_us);
        conclude(run, CONDITION_VALID, outcome);
        return;
    }
    conclude_failed(run, &err, outcome);
    if (err.code != ERR_SCHEMA_INVALID)
        return;
    outcome->report = event->report;
    outcome->details = event->report.best.error; /* may be longer than a struct error */
}

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
    response->status = outcome->row->status;
    response->retry_after_seconds = outcome->row->retry_after ? RETRY_AFTER_SECONDS : 0;
    response->note.outcome = str_from_c(outcome->row->condition);
}

static void answer_one(struct run *run, struct json_object *root, struct response *response)
{
    struct event event = { .root = root };
    struct outcome outcome = { 0 };

    process(run, &event, &outcome);
    response->note.event_id = event.id;
    response->note.schema = event.route ? str_from_c(event.route->schema) : STR_NONE;
    response->note.schema_version = event.version;
    response->note.rule = outcome.report.best.keyword_location;
    if (outcome.row->error) {
        answer_refused(run, &outcome, response);
        return;
    }
    response->status = outcome.row->status;
    response->note.outcome = str_from_c(outcome.row->condition);
    response->body = event.record;
    if (run->options->receipt) {
        struct buf *body = arena_buf(run->request->arena, ANSWER_MAX);

        outcome_write_receipt(body, &outcome);
        response->body = buf_str(body);
    }
}

/* One status for many: retryable failures first, then "all refused", else 200. */
static int batch_status(const struct run *run, const struct outcome *outcomes, size_t count)
{
    size_t refused = 0;
    int worst = 0;

    for (size_t i = 0; i < count; i++) {
        int status = outcomes[i].row->status;

        refused += status >= 400;
        if (status_is_retryable(outcomes[i].row) && status > worst)
            worst = status;
    }
    if (run->options->partial)
        return 200;
    if (worst)
        return worst;
    return count > 0 && refused == count ? 400 : 200;
}

static void answer_batch(struct run *run, struct json_object *array, struct response *response)
{
    size_t count = json_count(array);
    struct outcome *outcomes = arena_alloc(run->request->arena, (count + 1) * sizeof(*outcomes));
    struct buf *body = arena_buf(run->request->arena, ANSWER_MAX);

    run->units_left = BATCH_UNITS_MAX;
    for (size_t i = 0; i < count; i++) {
        struct event event = { .root = json_at(array, i) };

        process(run, &event, &outcomes[i]);
        response->note.refused += outcomes[i].row->error != NULL;
    }
    outcome_write_batch(body, outcomes, count);
    if (body->overflow) {
        for (size_t i = 0; i < count; i++)
            outcomes[i].report = (struct schema_report){ 0 };
        buf_clear(body);
        outcome_write_batch(body, outcomes, count);
    }
    response->body = buf_str(body);
    response->status = batch_status(run, outcomes, count);
    response->retry_after_seconds = response->status == 503 ? RETRY_AFTER_SECONDS : 0;
    response->note.outcome = STR("batch");
    response->note.events = count;
}

/* The request as a whole is not what we take. */
static void answer_malformed(struct run *run, const struct error *err, struct response *response)
{
    struct outcome outcome = { 0 };

    conclude_failed(run, err, &outcome);
    answer_refused(run, &outcome, response);
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
        .units_left = events->options.max_errors,
    };

    bool ok = parse(run, &run->body, &err);

    if (ok && json_is_array(run->body) && json_count(run->body) > events->options.max_batch)
        ok = fail(&err, ERR_MALFORMED, "Batch of %zu events, at most %zu", json_count(run->body),
                  events->options.max_batch);
    if (!ok)
        run->malformed = err;
    observe(run, "parse", NULL, ok ? NULL : &err);
}

static void answer(struct run *run, struct response *response)
{
    if (run->malformed.code != ERR_NONE)
        answer_malformed(run, &run->malformed, response);
    else if (json_is_array(run->body))
        answer_batch(run, run->body, response);
    else
        answer_one(run, run->body, response);
}

void events_answer(const struct events *events, const struct request *request,
                   const struct event_observer *observer, struct response *response)
{
    struct run run;

    begin(events, request, observer, &run);
    answer(&run, response);
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

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    struct run *run = arena_alloc(request->arena, sizeof(*run));

    begin(self, request, NULL, run);
    request->state = run;
    if (waits_for_schema(run))
        return HANDLER_WAIT;
    answer(run, response);
    return HANDLER_DONE;
}

static enum handler_step resume(void *self, struct request *request, struct response *response,
                                enum handler_news news)
{
    struct run *run = request->state;

    (void)self;
    run->expired = news == HANDLER_EXPIRED;
    if (!run->expired && waits_for_schema(run))
        return HANDLER_WAIT;
    answer(run, response);
    return HANDLER_DONE;
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
