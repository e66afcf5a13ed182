/*
 * batch.c - see batch.h.
 */
#include "delivery/outbox/batch.h"

#include <string.h>

#include "base/memory.h"
#include "base/secret.h"

enum {
    UNDER_WAY_BYTES = 32 * 1024 * 1024, /* in all batches of one sink, or more in one batch */
};

bool batch_has_room(const struct backlog *backlog)
{
    return backlog->under_way_bytes < UNDER_WAY_BYTES;
}

static uint64_t hash_of(struct str key)
{
    uint8_t digest[SECRET_DIGEST_SIZE];
    uint64_t hash;

    secret_digest(key, digest);
    memcpy(&hash, digest, sizeof(hash));
    return hash > 0 ? hash : 1;
}

void batch_find_order_key(const struct backlog *backlog, struct arena *arena,
                          struct backlog_record *record)
{
    const struct backlog_options *options = &backlog->options;

    record->order_key = STR_NONE;
    if (options->order_key)
        record->order_key = options->order_key(options->self, record->bytes, arena);
    if (!record->order_key.ptr)
        record->order_key = record->key;
    if (options->order == BACKLOG_BY_KEY)
        record->order_hash = hash_of(record->order_key);
}

/* A first record may be longer than the bound. */
static bool is_over(const struct backlog *backlog, const struct backlog_bounds *bounds,
                    const struct backlog_batch *batch, const struct backlog_record *record)
{
    size_t cost = bounds->cost ? bounds->cost(bounds->self, record) : record->bytes.len;
    size_t others = backlog->under_way_bytes - batch->held_bytes;

    return batch->cost + cost > bounds->bytes ||
           (bounds->key_bytes > 0 && batch->key_bytes + record->key.len > bounds->key_bytes) ||
           (others > 0 && backlog->under_way_bytes + record->bytes.len > UNDER_WAY_BYTES);
}

bool batch_fits(const struct backlog *backlog, const struct backlog_bounds *bounds,
                struct backlog_batch *batch, const struct backlog_record *record)
{
    size_t most = bounds->records;

    if (!batch)
        return true;
    if (batch->lane == BACKLOG_RETRIES && bounds->retries > 0)
        most = bounds->retries;
    batch->is_full = batch->count >= most || is_over(backlog, bounds, batch, record);
    return !batch->is_full;
}

static void free_records(void *self)
{
    struct backlog_batch *batch = self;

    mem_free(batch->records);
}

static struct backlog_batch *create_batch(struct backlog *backlog, struct arena *arena)
{
    struct backlog_batch *batch = arena_alloc(arena, sizeof(*batch));

    batch->arena = arena;
    batch->lane = backlog->lane;
    arena_own(arena, batch, free_records);
    list_append(&backlog->batches, &batch->link);
    return batch;
}

void batch_add(struct backlog *backlog, const struct backlog_bounds *bounds, struct arena *arena,
               struct backlog_batch **batch, const struct backlog_record *record)
{
    if (!*batch)
        *batch = create_batch(backlog, arena);
    (*batch)->records =
        mem_grow((*batch)->records, (*batch)->count, &(*batch)->capacity, sizeof(*record));
    (*batch)->records[(*batch)->count++] = *record;
    (*batch)->cost += bounds->cost ? bounds->cost(bounds->self, record) : record->bytes.len;
    (*batch)->key_bytes += record->key.len;
    (*batch)->held_bytes += record->bytes.len;
    backlog->under_way_bytes += record->bytes.len;
}

void batch_remove(struct backlog *backlog, struct backlog_batch *batch)
{
    list_remove(&batch->link);
    backlog->under_way_bytes -= batch->held_bytes;
}
