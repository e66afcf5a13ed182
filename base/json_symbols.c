/*
 * json_symbols.c - an append-only table of property names; see flat.h.
 *
 * The symbols lie one after the other in a pool that never moves. The hash table over them is
 * replaced by one of twice the size when it is half full; the tables it outgrew stay until the end,
 * because readers take no lock and may still look into them. Together they are smaller than the
 * present one.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/flat_internal.h"

enum { FIRST_SLOTS = 64 };

/* Open addressing over the symbols, at most half full. */
struct json_symbol_slots {
    struct json_symbol_slots *outgrown; /* the table before it */
    size_t mask;
    const struct json_symbol *_Atomic slots[]; /* [mask + 1]; NULL: free */
};

struct json_symbols {
    char *pool;
    size_t pool_size; /* bytes; fixed */
    struct json_symbol_slots *_Atomic table;

    /* Behind the mutex: */
    pthread_mutex_t mutex;
    size_t pool_used;
    size_t count;
};

/* The symbol with this key; or NULL, and the free slot where it belongs in `*slot`. */
static inline const struct json_symbol *probe(const struct json_symbol_slots *table, struct str key,
                                              uint64_t hash, size_t *slot)
{
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        const struct json_symbol *symbol =
            atomic_load_explicit(&table->slots[at], memory_order_acquire);

        if (!symbol)
            *slot = at;
        if (!symbol || json_is_same_key((struct str){ symbol->key, symbol->len }, key))
            return symbol;
    }
}

const struct json_symbol *json_symbols_find_hashed(const struct json_symbols *symbols,
                                                   struct str key, uint64_t hash)
{
    size_t slot;

    return probe(atomic_load_explicit(&symbols->table, memory_order_acquire), key, hash, &slot);
}

const struct json_symbol *json_symbols_find(const struct json_symbols *symbols, struct str key)
{
    return json_symbols_find_hashed(symbols, key, json_key_hash(key));
}

static struct json_symbol_slots *create_slots(size_t count, struct json_symbol_slots *outgrown)
{
    struct json_symbol_slots *table = mem_alloc(sizeof(*table) + count * sizeof(table->slots[0]));

    table->outgrown = outgrown;
    table->mask = count - 1;
    return table;
}

/* A table of twice the size with the same symbols, not yet published. */
static struct json_symbol_slots *grow_slots(struct json_symbol_slots *old)
{
    struct json_symbol_slots *table = create_slots((old->mask + 1) * 2, old);

    for (size_t i = 0; i <= old->mask; i++) {
        const struct json_symbol *symbol = old->slots[i];
        size_t slot;

        if (!symbol)
            continue;

        struct str key = { symbol->key, symbol->len };

        if (!probe(table, key, json_key_hash(key), &slot))
            table->slots[slot] = symbol;
    }
    return table;
}

struct json_symbols *json_symbols_create(size_t max_bytes)
{
    struct json_symbols *symbols = mem_alloc(sizeof(*symbols));

    symbols->pool = mem_alloc(max_bytes);
    symbols->pool_size = max_bytes;
    symbols->table = create_slots(FIRST_SLOTS, NULL);
    (void)pthread_mutex_init(&symbols->mutex, NULL);
    return symbols;
}

void json_symbols_destroy(struct json_symbols *symbols)
{
    if (!symbols)
        return;
    for (struct json_symbol_slots *table = symbols->table; table;) {
        struct json_symbol_slots *outgrown = table->outgrown;

        mem_free(table);
        table = outgrown;
    }
    (void)pthread_mutex_destroy(&symbols->mutex);
    mem_free(symbols->pool);
    mem_free(symbols);
}

static size_t symbol_size(size_t key_len)
{
    size_t size = sizeof(struct json_symbol) + key_len + 1;

    return (size + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

/* Room in the pool for a symbol of this key; NULL when it is full. The mutex is held. */
static struct json_symbol *take_room(struct json_symbols *symbols, struct str key)
{
    size_t size = symbol_size(key.len);

    if (size > symbols->pool_size - symbols->pool_used)
        return NULL;

    struct json_symbol *symbol = (struct json_symbol *)(void *)(symbols->pool + symbols->pool_used);

    symbols->pool_used += size;
    return symbol;
}

/* json_symbols_add() for a key that was not there a moment ago. The mutex is held. */
static const struct json_symbol *add_locked(struct json_symbols *symbols, struct str key)
{
    struct json_symbol_slots *table = symbols->table;
    size_t slot;
    const struct json_symbol *known = probe(table, key, json_key_hash(key), &slot);
    struct json_symbol *symbol = known ? NULL : take_room(symbols, key);

    if (!symbol)
        return known;
    symbol->index = (uint32_t)symbols->count++;
    symbol->len = (uint32_t)key.len;
    memcpy(symbol->key, key.len ? key.ptr : "", key.len); /* the pool is zeroed: a NUL follows */
    atomic_store_explicit(&table->slots[slot], symbol, memory_order_release);
    if (symbols->count * 2 > table->mask)
        atomic_store_explicit(&symbols->table, grow_slots(table), memory_order_release);
    return symbol;
}

const struct json_symbol *json_symbols_add(struct json_symbols *symbols, struct str key)
{
    const struct json_symbol *symbol = json_symbols_find(symbols, key);

    /* The reader refuses such keys. */
    if (symbol || key.len >= UINT32_MAX || (key.len > 0 && memchr(key.ptr, '\0', key.len)))
        return symbol;
    (void)pthread_mutex_lock(&symbols->mutex);
    symbol = add_locked(symbols, key);
    (void)pthread_mutex_unlock(&symbols->mutex);
    return symbol;
}
