/*
 * catalog.h - the live schemas: compiled, kept fresh in the background, swapped whole.
 *
 * Each schema that a route names has one entry. A few refresher threads ask the registry again and
 * again, never twice at a time for one schema; a new definition is compiled beside the old one,
 * tried by the guard, and takes its place at once. A failure changes nothing once a version is
 * known: the last good one stays, without end, and is kept on disk for the next start. While no
 * version is known a failure is an answer for a short while; then the next event that asks causes
 * another look and waits for it (docs/decisions/019).
 *
 * Threads: catalog_add() and catalog_load*() before catalog_start(); catalog_enter(),
 * catalog_leave() and catalog_symbols() from any thread, without a lock (base/epoch.h); the rest
 * from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/waker.h"
#include "schema/registry/guard.h"
#include "schema/registry/registry.h"
#include "schema/schema.h"

struct catalog;

/** One schema that may be asked for. */
struct catalog_entry;

/** What an entry holds at one moment; immutable. */
struct live_schema {
    struct schema *schema; /* NULL: no usable version is known, and `error` says why */
    char version[REGISTRY_VERSION_SIZE];
    struct error error; /* for senders; text "": there is nothing to say */
};

/** What to do with a new version that would refuse what was accepted of late. */
enum catalog_guard {
    CATALOG_GUARD_OFF,     /* take it without a look */
    CATALOG_GUARD_WARN,    /* take it and say so */
    CATALOG_GUARD_ENFORCE, /* keep the old one until an operator accepts the new */
};

/** A version to stay with. */
struct catalog_pin {
    const char *schema;  /* "<registry>/<schema>" */
    const char *version; /* number or UUID */
};

struct catalog_options {
    struct registry registry; /* taken over */
    size_t threads;           /* looks at a time; 0: one */
    int64_t refresh_us;       /* time between two looks at the registry, give or take a tenth */
    bool loads_briefly;       /* somebody waits for it: the refreshers look at the rest at once */
    const char *cache_dir;    /* last good versions are kept here; NULL or "": nowhere */
    enum catalog_guard guard;
    size_t guard_samples;           /* payloads kept of each schema for the guard; 0: none */
    const struct catalog_pin *pins; /* these and cache_dir must outlive the catalog */
    size_t pin_count;
    bool assert_formats;
    bool for_operators;     /* who asks sees failures whole, not as senders may see them */
    const struct str *keys; /* names that events have beside their payload's, for the reader;
                               borrowed during catalog_create() */
    size_t key_count;
};

/** An empty catalog. The caller owns it. */
struct catalog *catalog_create(const struct catalog_options *options);

/** catalog_stop(), then free everything. No reader may be inside. NULL is fine. */
void catalog_destroy(struct catalog *catalog);

/** The entry for `schema` in `registry` (copied), made at the first call. It lives as long as the
 * catalog. */
struct catalog_entry *catalog_add(struct catalog *catalog, const char *registry,
                                  const char *schema);

/** Take what the cache holds, without asking the registry. */
void catalog_load_cached(struct catalog *catalog);

/**
 * Take what the cache holds, then look once at every entry; `loads_briefly` only at those that have
 * no version, and at none once the registry itself fails. Failures stay in their entries.
 */
void catalog_load(struct catalog *catalog);

/**
 * Before loading: go on where `predecessor` is, for the entries of the same names. Counts are its
 * counts, and the guard tries new versions on its samples. When it asks the same registry, too,
 * what is suspect stays so, and what is live is taken as if the cache held it, if there is one.
 */
void catalog_continue(struct catalog *catalog, struct catalog *predecessor, bool same_registry);

/** A successor is in force: the cache is its own, and this one writes there no more. */
void catalog_retire(struct catalog *catalog);

/** Start the refreshers. ERR_SYSTEM when no thread can be had. */
NODISCARD bool catalog_start(struct catalog *catalog, struct error *err);

/** Interrupt the looks under way and end the refreshers: afterwards no waker is used any more. */
void catalog_stop(struct catalog *catalog);

/**
 * The reader's keys: those of `options` and of every version compiled since the start, as far as
 * there is room for them (2 MiB). Stays valid as long as the catalog.
 */
const struct json_symbols *catalog_symbols(const struct catalog *catalog);

/** What the entry holds now; stays valid until catalog_leave() on this thread. Never NULL. */
const struct live_schema *catalog_enter(const struct catalog_entry *entry);

void catalog_leave(void);

/** Has every entry a usable version? Cheap. */
bool catalog_is_whole(const struct catalog *catalog);

/**
 * Must an event wait for this entry? False: it has a version, or a failure that is fresh. True: a
 * look is under way or was caused by this call, and `waker` will be used when it ends; then ask
 * again. What must be kept for that dies with the arena.
 */
bool catalog_await(struct catalog *catalog, struct catalog_entry *entry, struct waker waker,
                   struct arena *arena);

/** This payload was accepted at `now_us` (clock_now_us()); the guard may keep it. Cheap. */
void catalog_accepted(struct catalog_entry *entry, struct json_object *payload, int64_t now_us);

/** An entry's state for readiness and metrics. */
struct catalog_status {
    const char *registry; /* live as long as the catalog */
    const char *schema;
    bool usable;
    char version[REGISTRY_VERSION_SIZE]; /* "" when not usable */
    struct error error;                  /* of the last look, whole; code ERR_NONE: it went well */
    int64_t age_us;                      /* since the registry last confirmed the version */
    uint64_t refreshed;                  /* looks that went well */
    uint64_t failed;                     /* and those that did not */
    uint64_t held;                       /* and those that found a version that the guard holds */
    uint64_t guard_refusals;             /* versions that would have refused accepted payloads */
    /* A version that would refuse them and that nobody has accepted yet; "": there is none. */
    char suspect[REGISTRY_VERSION_SIZE];
    bool suspect_is_live; /* it is in use all the same */
    struct guard_finding finding;
};

size_t catalog_count(const struct catalog *catalog);

/** Show `see` what schema_warnings() says of the live schema of entry `index`. */
void catalog_warnings(const struct catalog *catalog, size_t index,
                      void (*see)(void *self, struct str warning), void *self);

/** Status of entry `index`, 0 .. catalog_count() - 1. */
void catalog_status(struct catalog *catalog, size_t index, struct catalog_status *out);
