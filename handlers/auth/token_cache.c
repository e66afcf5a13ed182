/*
 * token_cache.c - see token_cache.h: a table of short rows; the digest's first byte picks the row.
 *
 * Digests are not compared in constant time: a sender cannot choose a token by its SHA-256.
 */
#include "handlers/auth/token_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"

enum {
    ROWS = 256,
    PLACES = 4, /* in a row */
};

struct token_cache {
    pthread_mutex_t mutex;                 /* over the table; held for a few comparisons */
    struct token_entry rows[ROWS][PLACES]; /* expires_us 0: free */
};

struct token_cache *token_cache_create(void)
{
    struct token_cache *cache = mem_alloc(sizeof(*cache));

    (void)pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

void token_cache_destroy(struct token_cache *cache)
{
    if (!cache)
        return;
    (void)pthread_mutex_destroy(&cache->mutex);
    mem_free(cache);
}

static struct token_entry *row_of(struct token_cache *cache, const struct token_entry *entry)
{
    return cache->rows[entry->digest[0] % ROWS];
}

static bool is_same(const struct token_entry *a, const struct token_entry *b)
{
    return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

bool token_cache_find(struct token_cache *cache, struct token_entry *entry, int64_t now_us)
{
    const struct token_entry *row = row_of(cache, entry);
    bool known = false;

    (void)pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < PLACES && !known; i++) {
        known = row[i].expires_us > now_us && row[i].generation == entry->generation &&
                is_same(&row[i], entry);
        if (known)
            *entry = row[i];
    }
    (void)pthread_mutex_unlock(&cache->mutex);
    return known;
}

void token_cache_add(struct token_cache *cache, const struct token_entry *entry)
{
    struct token_entry *row = row_of(cache, entry);
    struct token_entry *place = row;

    (void)pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < PLACES; i++) {
        if (row[i].expires_us && is_same(&row[i], entry)) {
            place = &row[i];
            break;
        }
        if (row[i].expires_us < place->expires_us)
            place = &row[i];
    }
    *place = *entry;
    (void)pthread_mutex_unlock(&cache->mutex);
}
