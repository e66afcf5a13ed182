/*
 * glue_framed.c - see glue_framed.h.
 */
#include "delivery/sinks/glue_framed.h"

#include "base/memory.h"

enum { HEADER_VERSION = 3, NO_COMPRESSION = 0, HEADER_SIZE = 2 + SCHEMA_ID_SIZE };

struct sink_glue_framed {
    struct sink inner;
    struct schema_ids ids;
};

static enum sink_result result_without_id(enum err_code code)
{
    if (code == ERR_INVALID)
        return SINK_IMPOSSIBLE;
    if (code == ERR_THROTTLED || code == ERR_UNAVAILABLE || code == ERR_UNREACHABLE)
        return SINK_POSTPONED;
    return SINK_MISCONFIGURED;
}

/* Copy the records up to the first one without an id, with their headers. `outcome` is of that. */
static size_t frame(struct sink_glue_framed *framed, const struct sink_batch *batch,
                    struct sink_record *out, struct sink_outcome *outcome)
{
    for (size_t i = 0; i < batch->count; i++) {
        uint8_t *head = arena_alloc(batch->arena, HEADER_SIZE);
        struct error err;

        head[0] = HEADER_VERSION;
        head[1] = NO_COMPRESSION;
        if (!framed->ids.find(framed->ids.self, &batch->records[i], head + 2, &err)) {
            *outcome = (struct sink_outcome){
                result_without_id(err.code),
                arena_copy(batch->arena, str_from_c(err.text)).ptr,
            };
            return i;
        }
        out[i] = batch->records[i];
        out[i].head = (struct str){ (const char *)head, HEADER_SIZE };
    }
    return batch->count;
}

static void framed_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    struct sink_glue_framed *framed = self;
    struct sink_record *records = arena_alloc(batch->arena, batch->count * sizeof(*records));
    struct sink_batch inner = *batch;
    struct sink_outcome outcome = { 0 };

    inner.records = records;
    inner.count = frame(framed, batch, records, &outcome);
    if (inner.count > 0)
        framed->inner.deliver(framed->inner.self, &inner, answer);
    if (inner.count == batch->count)
        return;
    answer->outcomes[inner.count] = outcome;
    answer->is_sink_wide = answer->is_sink_wide || outcome.result != SINK_IMPOSSIBLE;
    if (outcome.result == SINK_IMPOSSIBLE)
        outcome = (struct sink_outcome){ SINK_UNDER_WAY, "it waits for one before it" };
    for (size_t i = inner.count + 1; i < batch->count; i++)
        answer->outcomes[i] = outcome;
}

static size_t framed_cost(void *self, const struct sink_record *record)
{
    static const char header[HEADER_SIZE];
    struct sink_glue_framed *framed = self;
    struct sink_record with = *record;

    with.head = (struct str){ header, HEADER_SIZE };
    return framed->inner.cost(framed->inner.self, &with);
}

static void framed_interrupt(void *self)
{
    struct sink_glue_framed *framed = self;

    if (framed->inner.interrupt)
        framed->inner.interrupt(framed->inner.self);
}

static void framed_tend(void *self)
{
    struct sink_glue_framed *framed = self;

    if (framed->inner.tend)
        framed->inner.tend(framed->inner.self);
}

static void framed_reopen(void *self)
{
    struct sink_glue_framed *framed = self;

    if (framed->inner.reopen)
        framed->inner.reopen(framed->inner.self);
}

static void framed_destroy(void *self)
{
    struct sink_glue_framed *framed = self;

    framed->inner.destroy(framed->inner.self);
    mem_free(framed);
}

struct sink sink_glue_framed(const struct sink *inner, const struct schema_ids *ids)
{
    struct sink_glue_framed *framed = mem_alloc(sizeof(*framed));
    struct sink sink = *inner;

    framed->inner = *inner;
    framed->ids = *ids;
    sink.cost = framed_cost;
    sink.deliver = framed_deliver;
    sink.interrupt = framed_interrupt;
    sink.tend = framed_tend;
    sink.reopen = framed_reopen;
    sink.destroy = framed_destroy;
    sink.self = framed;
    return sink;
}
