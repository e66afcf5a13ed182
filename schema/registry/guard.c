/*
 * guard.c - see guard.h.
 */
#include "schema/registry/guard.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"

enum {
    SAMPLE_BUDGET_US = 200 * US_PER_MS, /* for one check, as for an event */
    TRIAL_BUDGET_US = 10 * US_PER_S,    /* for all of them; the rest is not tried */
};

static void copy_pointer(struct str from, char to[static GUARD_POINTER_SIZE])
{
    (void)snprintf(to, GUARD_POINTER_SIZE, "%.*s", STR_ARG(from));
}

/* The place in the payload, with `*` for names that the schema does not have: they are the event's.
 */
static void mask_pointer(const struct schema *schema, const struct flat *payload,
                         struct str pointer, struct arena *arena,
                         char to[static GUARD_POINTER_SIZE])
{
    struct buf *out = arena_buf(arena, SAMPLES_TEXT_MAX);
    const struct flat *at = payload;

    while (pointer.len > 0) {
        struct str token = json_pointer_take(&pointer, arena);
        bool is_index = at && flat_is_array(at);

        buf_add_char(out, '/');
        if (is_index || schema_mentions(schema, token))
            json_write_pointer_token(out, token);
        else
            buf_add_char(out, '*');
        if (is_index)
            at = flat_at(at, json_pointer_index(token));
        else
            at = at && flat_is_object(at) ? flat_find(at, token) : NULL;
    }
    copy_pointer(buf_str(out), to);
}

void guard_set_place(const struct schema *schema, const struct flat *payload,
                     const struct schema_unit *refusal, struct guard_place *out)
{
    struct arena *arena = arena_create();

    mask_pointer(schema, payload, refusal->instance_location, arena, out->instance_location);
    copy_pointer(refusal->keyword_location, out->keyword_location);
    arena_destroy(arena);
}

void guard_find_place(const struct schema *schema, const struct flat *payload,
                      struct schema_budget *budget, struct guard_place *out)
{
    const struct schema_report_options options = { .max_errors = 1, .redact_values = true };
    struct arena *arena = arena_create();
    struct schema_report report = { 0 };

    if (schema_report(schema, payload, &options, budget, arena, &report) == SCHEMA_INVALID)
        guard_set_place(schema, payload, &report.best, out);
    arena_destroy(arena);
}

static void describe(const struct schema *next, const struct flat *payload,
                     struct guard_finding *out)
{
    struct schema_budget budget = schema_budget(SAMPLE_BUDGET_US);

    guard_find_place(next, payload, &budget, &out->place);
}

static enum schema_verdict check(const struct schema *schema, const struct flat *payload)
{
    struct schema_budget budget = schema_budget(SAMPLE_BUDGET_US);

    return schema_check(schema, payload, &budget);
}

bool guard_finds(struct samples *samples, const struct schema *now, const struct schema *next,
                 const struct json_symbols *symbols, struct guard_finding *out)
{
    const struct flat_options reading = { .symbols = symbols };
    struct arena *arena = arena_create();
    struct guard_finding finding = { 0 };
    int64_t end_us = clock_monotonic_us() + TRIAL_BUDGET_US;
    size_t count;
    struct str *texts = samples_copy(samples, clock_now_us(), arena, &count);

    for (size_t i = 0; i < count && clock_monotonic_us() < end_us; i++) {
        const struct flat *payload;
        struct error err = { 0 };

        if (!flat_read(arena, texts[i], &reading, &payload, &err) ||
            check(now, payload) != SCHEMA_VALID)
            continue;
        finding.tried++;
        if (check(next, payload) == SCHEMA_VALID)
            continue;
        if (finding.refused++ == 0)
            describe(next, payload, &finding);
    }
    arena_destroy(arena);
    *out = finding;
    return finding.refused > 0;
}
