/*
 * json_symbols.c - the keys known beforehand; see json.h.
 *
 * The reader asks for every key of every object, so the hash looks at three words of the key at
 * most. Whoever chooses the keys of a table can make it slow, whoever sends texts cannot.
 */
#include <string.h>

#include "base/json_internal.h"
#include "base/memory.h"

enum { FIRST_SLOTS = 8 };

static inline uint64_t load_8(const char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof(word));
    return word;
}

static inline uint64_t load_4(const char *from)
{
    uint32_t word;

    memcpy(&word, from, sizeof(word));
    return word;
}

static inline size_t hash_key(struct str key)
{
    uint64_t first = 0;
    uint64_t last = 0;

    if (key.len >= 8) {
        first = load_8(key.ptr);
        last = load_8(key.ptr + key.len - 8);
        if (key.len > 16)
            first ^= load_8(key.ptr + key.len / 2 - 4) << 1;
    } else if (key.len >= 4) {
        first = load_4(key.ptr);
        last = load_4(key.ptr + key.len - 4);
    } else if (key.len > 0) {
        first = (unsigned char)key.ptr[0];
        last = (uint64_t)(unsigned char)key.ptr[key.len / 2] << 8 |
               (unsigned char)key.ptr[key.len - 1];
    }

    uint64_t hash = (first ^ key.len) * UINT64_C(0x9E3779B97F4A7C15);

    hash = (hash ^ hash >> 32 ^ last) * UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds the key, or the free one where it belongs. */
static inline size_t find_slot(const struct json_symbols *symbols, struct str key)
{
    size_t slot = hash_key(key) & symbols->mask;

    while (symbols->slots[slot] && (symbols->slots[slot]->len != key.len ||
                                    memcmp(symbols->slots[slot]->key, key.ptr, key.len) != 0))
        slot = (slot + 1) & symbols->mask;
    return slot;
}

const struct json_symbol *json_symbols_find(const struct json_symbols *symbols, struct str key)
{
    return symbols->slots[find_slot(symbols, key)];
}

static size_t symbol_size(size_t key_len)
{
    size_t size = sizeof(struct json_symbol) + key_len + 1;

    return (size + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

/* A key that json-c could not hold is no symbol. */
static bool is_possible(struct str key)
{
    return key.len < UINT32_MAX && (key.len == 0 || !memchr(key.ptr, '\0', key.len));
}

/* Adds the key at the pool's end unless it is there; says how many bytes that took. */
static size_t add_symbol(struct json_symbols *symbols, char *free, struct str key,
                         const struct lh_table *hasher)
{
    size_t slot = find_slot(symbols, key);

    if (symbols->slots[slot])
        return 0;

    struct json_symbol *symbol = (struct json_symbol *)(void *)free;

    symbol->index = (uint32_t)symbols->count;
    symbol->len = (uint32_t)key.len;
    memcpy(symbol->key, key.len ? key.ptr : "", key.len);
    symbol->key[key.len] = '\0';
    symbol->hash = lh_get_hash(hasher, symbol->key);
    symbols->slots[slot] = symbol;
    symbols->index[symbols->count++] = symbol;
    return symbol_size(key.len);
}

struct json_symbols *json_symbols_create(const struct str *keys, size_t count)
{
    /* json-c's hash is seeded once in a process; any object's table tells it. */
    CLEANUP(json_cleanup) struct json_object *hashing = json_made(json_object_new_object());
    struct json_symbols *symbols = mem_alloc(sizeof(*symbols));
    size_t slots = FIRST_SLOTS;
    size_t pool_size = 0;

    for (size_t i = 0; i < count; i++)
        pool_size += symbol_size(keys[i].len);
    while (slots < count * 2)
        slots *= 2;

    symbols->pool = mem_alloc(pool_size);
    symbols->index = mem_alloc_array(count, sizeof(const struct json_symbol *));
    symbols->slots = mem_alloc_array(slots, sizeof(const struct json_symbol *));
    symbols->mask = slots - 1;
    for (size_t i = 0; i < count; i++) {
        if (is_possible(keys[i]))
            symbols->pool_size += add_symbol(symbols, symbols->pool + symbols->pool_size, keys[i],
                                             json_object_get_object(hashing));
    }
    return symbols;
}

void json_symbols_destroy(struct json_symbols *symbols)
{
    if (!symbols)
        return;
    mem_free(symbols->pool);
    mem_free(symbols->index);
    mem_free(symbols->slots);
    mem_free(symbols);
}
