/*
 * jwks_source.h - an OAuth server's keys, from a file or from a URL, kept up to date.
 *
 * A thread reads a file again when it changes, and a URL every five minutes. A token with an
 * unknown key causes an early fetch, at most one every 5 s; a token with a wrong signature, at most
 * one every 30 s. After a failure the last good keys stay in force, without a limit of time.
 *
 * Threads: create, load, start and destroy belong to one thread; the rest from any thread.
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
    const char *url;  /* "": the keys are in the file */
    const char *file; /* read only if there is no URL */
};

/** A source that has read nothing. The caller owns it. */
struct jwks_source *jwks_source_create(const struct jwks_source_options *options);

/** Stop the thread and free all. No thread may be between enter and leave. NULL is fine. */
void jwks_source_destroy(struct jwks_source *source);

/** Copy the keys of `other`, if it has the same URL. False: another URL, or no keys yet. */
bool jwks_source_inherit(struct jwks_source *source, struct jwks_source *other);

/** Read the keys now. ERR_CONFIG names the file, ERR_UNREACHABLE the URL, that cannot be used. */
NODISCARD bool jwks_source_load(struct jwks_source *source, struct error *err);

/**
 * Start the thread. If there are no keys yet, read them first, which may take five seconds and may
 * fail; the thread tries again. ERR_SYSTEM.
 */
NODISCARD bool jwks_source_start(struct jwks_source *source, struct error *err);

/**
 * The keys in force; NULL: none yet. Valid until jwks_source_leave() on this thread (base/epoch.h).
 * `*generation` differs for each change of keys.
 */
const struct jwks *jwks_source_enter(struct jwks_source *source, uint64_t *generation);

void jwks_source_leave(void);

/** A token has an unknown key: fetch early. Cheap enough for every such token. */
void jwks_source_refresh_unknown(struct jwks_source *source);

/** A signature is wrong: fetch early, because the issuer may have a new key of the same name. */
void jwks_source_refresh_forged(struct jwks_source *source);
