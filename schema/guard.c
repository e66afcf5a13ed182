/*
 * guard.c - see guard.h.
 */
#include "schema/guard.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"

enum {
    SAMPLE_BUDGET_US = 200000,  /* for one check, as for an event */
    TRIAL_BUDGET_US = 10000000, /* for all of them; what is left then is not tried */
};

static void copy_pointer(struct str from, char to[static GUARD_POINTER_SIZE])
{
    (void)snprintf(to, GUARD_POINTER_SIZE, "%.*s", STR_ARG(from));
}

static void describe(const struct schema *next, struct json_object *payload, struct arena *arena,
                     struct guard_finding *out)
{
    const struct schema_report_options options = { .max_errors = 1, .redact_values = true };
    struct schema_budget budget = schema_budget(SAMPLE_BUDGET_US);
    struct schema_report report = { 0 };

    if (schema_report(next, payload, &options, &budget, arena, &report) != SCHEMA_INVALID)
        return;
    copy_pointer(report.best.instance_location, out->instance_location);
    copy_pointer(report.best.keyword_location, out->keyword_location);
}

static enum schema_verdict check(const struct schema *schema, struct json_object *payload)
{
    struct schema_budget budget = schema_budget(SAMPLE_BUDGET_US);

    return schema_check(schema, payload, &budget);
}

bool guard_finds(struct samples *samples, const struct schema *now, const struct schema *next,
                 const struct json_symbols *symbols, struct guard_finding *out)
{
    const struct json_read_options reading = { .symbols = symbols };
    struct arena *arena = arena_create();
    struct guard_finding finding = { 0 };
    int64_t end_us = clock_monotonic_us() + TRIAL_BUDGET_US;
    size_t count;
    struct str *texts = samples_copy(samples, clock_now_us(), arena, &count);

    for (size_t i = 0; i < count && clock_monotonic_us() < end_us; i++) {
        struct json_object *payload;
        struct error err = { 0 };

        if (!json_read_in(arena, texts[i], &reading, &payload, &err) ||
            check(now, payload) != SCHEMA_VALID)
            continue;
        finding.tried++;
        if (check(next, payload) == SCHEMA_VALID)
            continue;
        if (finding.refused++ == 0)
            describe(next, payload, arena, &finding);
    }
    arena_destroy(arena);
    if (finding.refused == 0)
        return false;
    *out = finding;
    return true;
}
