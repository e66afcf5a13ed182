/*
 * jwks_source.h - an OAuth server's keys, from a file or from its URL, kept fresh.
 *
 * A thread of its own reads them again: a file when it changes, a URL every few minutes and, when
 * a token names a key that nobody knows, at once; but not more often than every five seconds,
 * however many such tokens come. A wrong signature asks for them too, every 30 s. A failure changes
 * nothing: the last good keys stay, without end.
 *
 * Threads: create, load, start and destroy belong to one thread; the rest from any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "handlers/auth/jwks.h"

struct jwks_source;

/** Both are copied. */
struct jwks_source_options {
    const char *url;  /* "": they are in the file */
    const char *file; /* looked at only then */
};

/** Nothing is read yet. The caller owns it. */
struct jwks_source *jwks_source_create(const struct jwks_source_options *options);

/** Stop the thread and free everything. No reader may be inside. NULL is fine. */
void jwks_source_destroy(struct jwks_source *source);

/** Take over the keys that `other` has, if they come from the same place; whether it had some. */
bool jwks_source_inherit(struct jwks_source *source, struct jwks_source *other);

/**
 * Read the keys now. ERR_CONFIG: the file cannot be used, or ERR_UNREACHABLE: the URL
 * cannot be at present; the text names it.
 */
NODISCARD bool jwks_source_load(struct jwks_source *source, struct error *err);

/**
 * Start the thread, after a first look when there are no keys yet; that look may take as long as a
 * download may, five seconds, and may fail: the thread goes on. ERR_SYSTEM.
 */
NODISCARD bool jwks_source_start(struct jwks_source *source, struct error *err);

/**
 * The keys now, NULL: none were ever read; valid until jwks_source_leave() on this thread, as in
 * base/epoch.h. `*generation` is another one when they change.
 */
const struct jwks *jwks_source_enter(struct jwks_source *source, uint64_t *generation);

void jwks_source_leave(void);

/** A token names a key that the set does not have: look soon. Costs next to nothing. */
void jwks_source_want(struct jwks_source *source);

/**
 * A signature is wrong: look soon, because the issuer may have another key under the same name.
 * At most every half minute, for a forged token looks the same.
 */
void jwks_source_doubt(struct jwks_source *source);
