/*
 * catalog.h - the live schemas: compiled, refreshed in the background, replaced atomically.
 *
 * Each schema that a route names has one entry. A few threads query the registry periodically. One
 * query for one entry is called a look; each entry has at most one at a time. A new definition is
 * compiled while the live one stays in use, then tested by the guard (guard.h), and replaces the
 * live one atomically. Once a version is known, a failed look changes nothing: the last good
 * version stays live, without a time limit, and is kept on disk for the next start. While no
 * version is known, a failure is the answer to events for a short time; then the next event causes
 * another look and waits for it (docs/decisions/019).
 *
 * Threads: create, add, load, continue, start, retire, stop and destroy belong to one thread at a
 * time; add, name, load and continue come before the start. Any thread may call the rest;
 * catalog_enter(), catalog_leave() and catalog_symbols() take no lock (base/epoch.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/waker.h"
#include "schema/registry/guard.h"
#include "schema/registry/registry.h"
#include "schema/registry/shadow.h"
#include "schema/schema.h"

struct catalog;

/** One schema of a registry. */
struct catalog_entry;

/** The state of an entry that readers use; immutable. */
struct live_schema {
    struct schema *schema; /* NULL: no usable version is known, and `error` says why */
    char version[REGISTRY_VERSION_SIZE];
    struct error error; /* for senders; text "": none */
};

/** What to do with a new version that refuses events which were accepted recently. */
enum catalog_guard {
    CATALOG_GUARD_OFF,     /* take it without a trial */
    CATALOG_GUARD_WARN,    /* take it and log a warning */
    CATALOG_GUARD_ENFORCE, /* keep the old one until an operator accepts the new */
};

/** A schema that does not follow the latest version. */
struct catalog_pin {
    const char *schema;  /* "<registry>/<schema>" */
    const char *version; /* number or UUID */
};

struct catalog_options {
    struct registry registry; /* taken over */
    size_t threads;           /* looks at a time; 0: one */
    int64_t refresh_us;       /* time between two looks at the registry, give or take a tenth */
    bool loads_briefly;    /* catalog_load() returns early; the threads look at the rest at once */
    const char *cache_dir; /* last good versions are kept here; NULL or "": nowhere */
    enum catalog_guard guard;
    size_t guard_samples;           /* payloads kept of each schema for the guard; 0: none */
    const struct catalog_pin *pins; /* these and cache_dir must outlive the catalog */
    size_t pin_count;
    bool assert_formats;
    bool for_operators;     /* errors keep the details that senders must not see */
    const struct str *keys; /* names that events have outside their payload, for the reader;
                               borrowed during catalog_create() */
    size_t key_count;
};

/** An empty catalog. The caller owns it. */
struct catalog *catalog_create(const struct catalog_options *options);

/** catalog_stop(), then free everything. No reader may be inside. NULL is fine. */
void catalog_destroy(struct catalog *catalog);

/**
 * The entry for `schema` in `registry` (copied), created by the first call. It lives as long as the
 * catalog.
 */
struct catalog_entry *catalog_add(struct catalog *catalog, const char *registry,
                                  const char *schema);

/** Add a route to those that the log names for the entry. No effect after the start. */
void catalog_name_route(struct catalog *catalog, struct catalog_entry *entry, const char *route);

/** A schema that is tried on the events of a route, beside the live one. */
struct catalog_shadow {
    const char *route;
    const char *registry; /* of the route */
    const char *schema;
    const char *version; /* number or UUID; "": the definition is in `file` */
    const char *file;
};

/**
 * The entry for a shadow (copied), created by the first call. It is looked at as the others are,
 * but is in no count, status and cache of them: nothing waits for it, and nothing depends on it.
 */
struct catalog_entry *catalog_add_shadow(struct catalog *catalog,
                                         const struct catalog_shadow *shadow);

/** Take the versions in the cache, without asking the registry. */
void catalog_load_cached(struct catalog *catalog);

/**
 * Take the versions in the cache, then look once at every entry. With `loads_briefly` only at those
 * without a version, until a look fails because of the registry itself. Failures are in the status.
 */
void catalog_load(struct catalog *catalog);

/**
 * Before loading: continue from the state of `predecessor`, for the entries of the same names. The
 * counts go on, and the guard tries new versions on the same samples. With `same_registry` suspects
 * stay suspect, and with a cache the live versions are loaded as if they were in it.
 */
void catalog_continue(struct catalog *catalog, struct catalog *predecessor, bool same_registry);

/** A successor has taken over: this catalog does not write to the cache any more. */
void catalog_retire(struct catalog *catalog);

/** Start the threads. ERR_SYSTEM when one cannot be started. */
NODISCARD bool catalog_start(struct catalog *catalog, struct error *err);

/** Interrupt the looks and end the threads. Afterwards no waker is used. */
void catalog_stop(struct catalog *catalog);

/**
 * The symbols for flat_read(): the keys of `options` and the property names of every version
 * compiled since the start, up to 2 MiB. Valid as long as the catalog.
 */
const struct json_symbols *catalog_symbols(const struct catalog *catalog);

/** What is live. Valid until catalog_leave() on this thread. Never NULL. */
const struct live_schema *catalog_enter(const struct catalog_entry *entry);

void catalog_leave(void);

/** Does every entry have a usable version? Cheap. */
bool catalog_is_whole(const struct catalog *catalog);

/**
 * Must an event wait for this entry? False: it has a version, or a recent failure. True: a look is
 * under way or was caused by this call, and `waker` is used when it ends; then call again. The
 * state of the waiting request lives in `arena`.
 */
bool catalog_await(struct catalog *catalog, struct catalog_entry *entry, struct waker waker,
                   struct arena *arena);

/** Offer a payload that was accepted at `now_us` (clock_now_us()) to the guard's samples. Cheap. */
void catalog_accepted(struct catalog_entry *entry, const struct flat *payload, int64_t now_us);

/** An event of a route, and what its live schema has said. */
struct catalog_trial {
    const struct flat *payload;
    const char *version;               /* of the live schema */
    const struct schema_unit *refusal; /* the best error; NULL: the live schema takes the event */
    int64_t now_us;
    bool is_only_shown; /* an operator tries the event: nothing is counted */
};

/**
 * Check the event with the shadow, too, within `budget`, and count its word. Any thread; not
 * between catalog_enter() and catalog_leave(). `live` is the route's entry.
 */
void catalog_try_shadow(struct catalog_entry *shadow, const struct catalog_entry *live,
                        const struct catalog_trial *trial, struct schema_budget *budget,
                        struct shadow_word *out);

/** How the shadow is named in texts: "version 7", "next.json". */
const char *catalog_shadow_name(const struct catalog_entry *shadow);

/** An entry's state for readiness and metrics. */
struct catalog_status {
    const char *registry; /* live as long as the catalog */
    const char *schema;
    bool usable;
    char version[REGISTRY_VERSION_SIZE]; /* "" when not usable */
    struct error error;      /* of the last look, with all details; ERR_NONE: it succeeded */
    int64_t age_us;          /* since the registry last confirmed the version */
    int64_t since_us;        /* time of day from which on the version is live; 0: none is */
    int64_t looked_ago_us;   /* since the end of the last look; -1: there was none */
    uint64_t refreshed;      /* looks that succeeded */
    uint64_t failed;         /* looks that failed */
    uint64_t held;           /* looks that found a version which the guard holds */
    uint64_t guard_refusals; /* versions that refuse accepted payloads */
    /* A version that refuses accepted payloads, which no operator has accepted yet; "": none. */
    char suspect[REGISTRY_VERSION_SIZE];
    bool suspect_is_live; /* the guard only warns */
    struct guard_finding finding;
};

size_t catalog_count(const struct catalog *catalog);

/** Call `visit` with each schema_warnings() of the live schema of entry `index`. */
void catalog_warnings(const struct catalog *catalog, size_t index,
                      void (*visit)(void *self, struct str warning), void *self);

/** A copy of the text of the live schema, for mem_free(); empty: there is none. Any thread. */
struct str catalog_definition(struct catalog *catalog, const struct catalog_entry *entry);

/**
 * Add a JSON object with `"live", "previous", "held_back"`: the versions of a schema with their
 * texts, each null or `"version"` and `"text"` (null over 1 MiB). `previous` was live before,
 * `held_back` is what the guard holds back; both are known since the start. ERR_NOT_FOUND: no such
 * schema.
 */
NODISCARD bool catalog_write_texts(struct catalog *catalog, struct str registry, struct str schema,
                                   struct buf *out, struct error *err);

/** Status of entry `index`, 0 .. catalog_count() - 1. */
void catalog_status(struct catalog *catalog, size_t index, struct catalog_status *out);

/** The status of a shadow, of the same members except for the guard's. */
struct catalog_shadow_status {
    const char *route; /* live as long as the catalog */
    const char *name;
    struct catalog_status status;
    uint64_t totals[SHADOW_VERDICTS];
};

size_t catalog_shadow_count(const struct catalog *catalog);

void catalog_shadow_status(struct catalog *catalog, size_t index,
                           struct catalog_shadow_status *out);

/**
 * Add the shadow of a route as a JSON object: `"route", "registry", "schema", "shadow"` (its name),
 * `"usable", "error"` and the members of shadow_write(). At most 100 KB. ERR_NOT_FOUND: none.
 */
NODISCARD bool catalog_write_shadow(struct catalog *catalog, struct str route, struct buf *out,
                                    struct error *err);

/** All of them, as a JSON array. */
void catalog_write_shadows(struct catalog *catalog, struct buf *out);
