/*
 * events_shadow.c - tries the shadow schema of a route beside the live one, to count what it would
 * decide differently (schema/registry/shadow.h).
 *
 * It runs when the outcomes are found, with a small share of time for the whole request, so it
 * changes no answer and hardly delays one.
 */
#include "base/clock.h"
#include "handlers/events_internal.h"

enum {
    FAST_SLICE_US = US_PER_MS / 4,  /* on a loop thread */
    FULL_SLICE_US = 20 * US_PER_MS, /* on a worker thread */
};

/* Has the live schema decided? A check that was too expensive, or that failed, has no verdict. */
static bool is_judged(const struct event *event, enum condition condition)
{
    return event->version.ptr &&
           (condition == CONDITION_VALID || condition == CONDITION_DROPPED ||
            condition == CONDITION_TRANSFORM_FAILED || condition == CONDITION_SCHEMA_INVALID);
}

static void try_shadow(const struct run *run, size_t index, struct schema_budget *budget)
{
    const struct event *event = &run->events[index];
    enum condition condition = run->outcomes[index].condition;
    const struct catalog_trial trial = {
        .payload = event->payload,
        .version = event->version.ptr,
        .refusal = condition == CONDITION_SCHEMA_INVALID ? &event->report.best : NULL,
        .now_us = run->now_us,
        .is_only_shown = run->is_trial,
    };
    struct shadow_word word;

    if (!event->route || !event->route->shadow || !is_judged(event, condition))
        return;
    catalog_try_shadow(event->route->shadow, event->route->live, &trial, budget, &word);
    if (run->observer && run->observer->shadow)
        run->observer->shadow(run->observer->self, event, &word);
}

void run_try_shadows(struct run *run, enum run_pace pace)
{
    struct schema_budget budget =
        schema_budget_slice(pace == RUN_FAST ? FAST_SLICE_US : FULL_SLICE_US);

    budget.stop = run->stop;
    if (run->request->is_replay) /* its first try was counted */
        return;
    for (size_t i = 0; i < run->count; i++)
        try_shadow(run, i, &budget);
}
