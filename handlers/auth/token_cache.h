/*
 * token_cache.h - tokens whose signature was checked, so that it need not be checked again.
 *
 * Checking one costs 15 to 90 us, more with long RSA keys, and a sender uses the same token for an
 * hour, a good one or a bad one. Only digests (SHA-256) are kept, in a fixed amount of memory; the
 * one that expires first makes room. A token counts only under the keys (their generation) that it
 * was checked with: a key that is withdrawn takes its tokens along.
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
    int64_t expires_us;                 /* since 1970; known before it */
    const char *reason;                 /* why it is not good, constant text; NULL: it is */
    bool forged;                        /* it is not: the signature is wrong */
};

/** The caller owns it. About 72 KiB. */
struct token_cache *token_cache_create(void);

/** NULL is fine. */
void token_cache_destroy(struct token_cache *cache);

/** Is the token known at `now_us`? `fact` says which, and under which keys; the rest is filled in.
 */
bool token_cache_find(struct token_cache *cache, struct token_fact *fact, int64_t now_us);

/** Remember it. */
void token_cache_add(struct token_cache *cache, const struct token_fact *fact);
