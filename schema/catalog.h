/*
 * catalog.h - the live schemas: compiled, kept fresh in the background, swapped whole.
 *
 * Each schema that a route names has one entry. A refresher thread asks the registry again and
 * again; a new definition is compiled beside the old one and takes its place at once. A failure
 * changes nothing once a version is known: the last good one stays, without end.
 *
 * Threads: catalog_add() before catalog_start(); catalog_enter() and catalog_leave() from any
 * thread, without a lock (base/epoch.h); the rest from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "schema/registry.h"
#include "schema/schema.h"

struct catalog;

/** One schema that may be asked for. */
struct catalog_entry;

/** What an entry holds at one moment; immutable. */
struct live_schema {
    struct schema *schema; /* NULL: no usable version is known, and `error` says why */
    char version[REGISTRY_VERSION_SIZE];
    struct error error;
};

struct catalog_options {
    struct registry registry; /* taken over */
    int64_t refresh_us;       /* time between two looks at the registry */
    bool assert_formats;
    const struct str *keys; /* names that events have beside their payload's, for the reader */
    size_t key_count;
};

/** An empty catalog. The caller owns it. */
struct catalog *catalog_create(const struct catalog_options *options);

/** Stop the refresher and free everything. No reader may be inside. NULL is fine. */
void catalog_destroy(struct catalog *catalog);

/** The entry for `schema` in `registry` (copied), made at the first call. It lives as long as the
 * catalog. */
struct catalog_entry *catalog_add(struct catalog *catalog, const char *registry,
                                  const char *schema);

/** Load every entry once. Failures stay in their entries: see catalog_enter(). */
void catalog_load(struct catalog *catalog);

/** After catalog_load(): start the refresher. ERR_SYSTEM when no thread can be had. */
NODISCARD bool catalog_start(struct catalog *catalog, struct error *err);

/** The reader's keys: those of `options` and of every schema known at catalog_load(). */
const struct json_symbols *catalog_symbols(const struct catalog *catalog);

/** What the entry holds now; stays valid until catalog_leave() on this thread. */
const struct live_schema *catalog_enter(const struct catalog_entry *entry);

void catalog_leave(void);

/** An entry's state for readiness and metrics. */
struct catalog_status {
    const char *registry; /* live as long as the catalog */
    const char *schema;
    bool usable;
    char version[REGISTRY_VERSION_SIZE]; /* "" when not usable */
    struct error error;                  /* of the last look; code ERR_NONE: it went well */
    int64_t age_us;                      /* since the registry last confirmed the version */
    uint64_t refreshed;                  /* looks that went well */
    uint64_t failed;                     /* and those that did not */
};

size_t catalog_count(const struct catalog *catalog);

/** Status of entry `index`, 0 .. catalog_count() - 1. */
void catalog_status(struct catalog *catalog, size_t index, struct catalog_status *out);
