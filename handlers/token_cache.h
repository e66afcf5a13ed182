/*
 * token_cache.h - tokens whose signature was found good, so that it need not be checked again.
 *
 * Checking one costs 15 to 90 us, and a sender uses the same token for an hour. Only digests
 * (SHA-256) are kept, only of tokens that were good, in a fixed amount of memory; the one that
 * expires first makes room. A token counts only under the keys (their generation) that it was
 * checked with: a key that is withdrawn takes its tokens along.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct token_cache;

/** What is known of one token. */
struct token_fact {
    uint8_t digest[SECRET_DIGEST_SIZE]; /* the token's */
    uint64_t generation;                /* of the keys */
    int64_t expires_us;                 /* since 1970; good before it */
};

/** The caller owns it. About 60 KiB. */
struct token_cache *token_cache_create(void);

/** NULL is fine. */
void token_cache_destroy(struct token_cache *cache);

/** Is the token known to be good at `now_us`? `fact` says which, and under which keys. */
bool token_cache_knows(struct token_cache *cache, const struct token_fact *fact, int64_t now_us);

/** Remember a good one. */
void token_cache_add(struct token_cache *cache, const struct token_fact *fact);
