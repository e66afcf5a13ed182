/*
 * events_check.c - all events of one request through their steps, within limits of time.
 */
#include "base/clock.h"
#include "handlers/envelope.h"
#include "handlers/events_internal.h"

enum {
    BATCH_UNITS_MAX = 1000,         /* error units in the answer to one array */
    FAST_SLICE_US = US_PER_MS,      /* for the checks of one request on a loop thread */
    FIRST_SLICE_US = US_PER_MS,     /* for each element of an array, before any element gets more */
    REQUEST_BUDGETS = 5,            /* whole budgets that the elements of one array share */
    RECORDS_MAX = 16 * 1024 * 1024, /* bytes of records, after which no further event is checked */
};

static void release_body(void *self)
{
    struct run *run = self;

    arena_destroy(run->tree);
}

struct run *run_create(const struct events *events, const struct request *request,
                       const struct event_observer *observer)
{
    struct run *run = arena_alloc(request->arena, sizeof(*run));

    run->options = &events->options;
    run->request = request;
    run->observer = observer;
    run->now_us = clock_now_us();
    arena_own(request->arena, run, release_body);
    run_trace(run);
    return run;
}

void run_release_tree(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        run->events[i].root = NULL;
        run->events[i].payload = NULL;
    }
    arena_destroy(run->tree);
    run->tree = NULL;
    run->body = NULL;
}

/* Waiting for schemas. */

bool run_still_waits(const struct run *run)
{
    return run->awaited && catalog_await(run->options->catalog, run->awaited, run->request->waker,
                                         run->request->arena);
}

/* Within run->budget, beyond which the event does not wait. */
static bool event_waits(struct run *run, const struct flat *root)
{
    const struct route *route;
    struct error err;

    run->awaited = NULL;
    if (flat_is_object(root) && routes_find(run->options->routes, root, &run->budget, &route, &err))
        run->awaited = route->live; /* NULL: it drops its events */
    return run_still_waits(run);
}

bool run_waits_for_schema(struct run *run, enum run_pace pace)
{
    if (LIKELY(catalog_is_whole(run->options->catalog)) || run->malformed.code != ERR_NONE)
        return false;
    run->budget = pace == RUN_FAST ? schema_budget_slice(FAST_SLICE_US)
                                   : schema_budget(run->options->budget_us);
    if (!flat_is_array(run->body))
        return event_waits(run, run->body);
    for (FLAT_EACH(root, run->body))
        if (event_waits(run, root))
            return true;
    return false;
}

/* Checking. */

void run_conclude(struct run *run, size_t index, enum condition condition, struct str details)
{
    run->outcomes[index] = (struct outcome){
        .condition = condition,
        .row = status_row(run->options->status_map, condition),
        .id = run->events[index].id,
        .details = details,
    };
    if (!run->items)
        return;
    run->outcomes[index].item = run->items[index].id;
    run->outcomes[index].is_lost = run->outcomes[index].row->error && !run->options->quarantine;
}

/* The text of an error for the sender. */
static struct str details_of(const struct run *run, const struct error *err)
{
    return *err->text ? arena_copy(run->request->arena, str_from_c(err->text)) : STR_NONE;
}

/* Take all steps with one event, within run->budget. */
static void check_event(struct run *run, size_t index)
{
    struct event *event = &run->events[index];
    struct error err;

    error_clear(&err);
    *event = (struct event){ .root = event->root, .time_us = envelope_time(event->root) };
    if (run->items && run->items[index].fault.ptr) {
        run_conclude(run, index, CONDITION_MALFORMED, run->items[index].fault);
        return;
    }
    if (run->record_bytes > RECORDS_MAX) {
        run_conclude(run, index, CONDITION_UNAVAILABLE,
                     STR("other events of the request took its memory"));
        return;
    }

    enum condition condition = run_take_steps(run, event, &err);

    run_conclude(run, index, condition, details_of(run, &err));
    if (condition != CONDITION_SCHEMA_INVALID)
        return;
    run->outcomes[index].report = event->report;
    run->outcomes[index].details =
        event->report.best.error; /* may be longer than an error's text */
}

/* Check with a new budget. False: it was not enough. */
static bool check_within(struct run *run, size_t index, struct schema_budget budget)
{
    run->budget = budget;
    run->budget.stop = run->stop;
    check_event(run, index);
    return run->outcomes[index].condition != CONDITION_TOO_EXPENSIVE;
}

/* All events share one slice. */
static bool check_fast(struct run *run)
{
    run->budget = schema_budget_slice(FAST_SLICE_US);
    for (size_t i = 0; i < run->count; i++) {
        check_event(run, i);
        if (run->outcomes[i].condition == CONDITION_TOO_EXPENSIVE)
            return false;
    }
    return true;
}

/*
 * Time and memory of a request may be used up before its last event. The first one to be checked
 * differs from request to request, so that after some retries every element has got its verdict. An
 * observer sees them in their order.
 */
static size_t first_of(const struct run *run, size_t count)
{
    return count && !run->observer ? (size_t)run->now_us % count : 0;
}

/*
 * Each element for which the first slice was not enough gets a whole budget, until the request's
 * share is used up.
 */
static void check_costly(struct run *run, const size_t *costly, size_t count)
{
    int64_t whole_us = run->options->budget_us;
    int64_t end_us = clock_thread_us() + REQUEST_BUDGETS * whole_us;
    size_t first = first_of(run, count);

    for (size_t i = 0; i < count; i++) {
        size_t index = costly[(first + i) % count];

        if (clock_thread_us() < end_us)
            (void)check_within(run, index, schema_budget(whole_us));
        else
            run_conclude(run, index, CONDITION_UNAVAILABLE,
                         STR("other events of the request took its time"));
    }
}

/*
 * An event has its whole budget, whatever its neighbours cost: each element of an array gets a
 * slice first, which is enough for nearly all of them, then the costly ones get more.
 */
static void check_fully(struct run *run)
{
    int64_t whole_us = run->options->budget_us;

    if (!run->is_batch || (whole_us > 0 && whole_us <= FIRST_SLICE_US)) {
        for (size_t i = 0; i < run->count; i++)
            (void)check_within(run, i, schema_budget(whole_us));
        return;
    }

    size_t *costly = arena_alloc(run->request->arena, (run->count + 1) * sizeof(*costly));
    size_t count = 0;
    size_t first = first_of(run, run->count);

    for (size_t i = 0; i < run->count; i++) {
        size_t index = (first + i) % run->count;

        if (!check_within(run, index, schema_budget_slice(FIRST_SLICE_US)))
            costly[count++] = index;
    }
    check_costly(run, costly, count);
}

/* Offer accepted payloads to the schema guard, which may keep them as samples. */
static void offer_samples(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->outcomes[i].condition == CONDITION_VALID)
            catalog_accepted(run->events[i].route->live, run->events[i].payload, run->now_us);
}

static void find_roots(struct run *run)
{
    if (!run->is_batch) {
        run->events[0].root = run->body;
        return;
    }
    for (FLAT_EACH(root, run->body))
        run->events[root->index].root = root;
}

bool run_check(struct run *run, enum run_pace pace)
{
    struct arena *arena = run->request->arena;
    bool malformed = run->malformed.code != ERR_NONE;

    run->is_batch = !malformed && flat_is_array(run->body);
    run->count = run->is_batch ? flat_count(run->body) : 1;
    run->record_bytes = 0;
    run->units_left = run->is_batch ? BATCH_UNITS_MAX : run->options->max_errors;
    run->events = arena_alloc(arena, (run->count + 1) * sizeof(*run->events));
    run->outcomes = arena_alloc(arena, (run->count + 1) * sizeof(*run->outcomes));
    if (malformed) {
        run->events[0].time_us = OUTBOX_NO_TIME;
        run_conclude(run, 0, status_of_step(run->malformed.code, CONDITION_MALFORMED),
                     details_of(run, &run->malformed));
        return true;
    }
    find_roots(run);
    if (pace == RUN_FULL)
        check_fully(run);
    else if (!check_fast(run))
        return false;
    if (!run->is_trial)
        offer_samples(run);
    run_try_shadows(run, pace);
    return true;
}
