/*
 * token_cache.h - the results of token checks, so that a signature is not checked again.
 *
 * A check takes 15 to 90 us, more with long RSA keys, and a sender uses the same token, valid or
 * not, for an hour. The cache holds digests (SHA-256) in a fixed amount of memory; the entry that
 * expires first makes room. An entry is valid only with the generation of keys that it was checked
 * with, so the tokens of a withdrawn key are forgotten.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct token_cache;

/** The result of one check. */
struct token_entry {
    uint8_t digest[SECRET_DIGEST_SIZE]; /* the token's */
    uint64_t generation;                /* of the keys */
    int64_t expires_us;                 /* since 1970; the entry is valid before it */
    const char *reason; /* why the token is invalid, constant text; NULL: it is valid */
    bool forged;        /* its signature is wrong */
};

/** The caller owns it. About 72 KiB. */
struct token_cache *token_cache_create(void);

/** NULL is fine. */
void token_cache_destroy(struct token_cache *cache);

/** Is there a valid entry at `now_us` for the digest and generation in `entry`? Fills in the rest.
 */
bool token_cache_find(struct token_cache *cache, struct token_entry *entry, int64_t now_us);

/** Add an entry, or replace the token's. */
void token_cache_add(struct token_cache *cache, const struct token_entry *entry);
