/*
 * catalog_internal.h - what catalog*.c share.
 *
 * Three kinds of state: what readers see (`live`, behind an atomic pointer, freed after
 * epoch_wait()); what belongs to the look under way (one at a time for each entry); and the rest,
 * behind the catalog's mutex, which is never held while the registry is asked, a schema compiled or
 * a file written.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "schema/registry/catalog.h"
#include "schema/registry/catalog_cache.h"
#include "schema/registry/samples.h"

/* A request that waits for a look. Counted: the request's arena and the list have one each. */
struct catalog_waiter {
    struct catalog_waiter *next;
    struct waker waker;
    atomic_int references;
};

struct catalog_entry {
    struct catalog_entry *next;
    struct catalog_place place;         /* its names, and where its files go */
    const char *pin;                    /* NULL: it goes with the latest version */
    struct samples *samples;            /* NULL: none are kept */
    _Atomic(struct live_schema *) live; /* never NULL */

    /* The look's own, but for the definition, which others copy: replaced under the mutex. */
    struct schema_definition definition; /* the live one */
    struct schema_definition inherited;  /* the predecessor's live one, until loading */
    bool kept;                           /* it is in the cache */
    bool refers;                         /* to other schemas: it is compiled at each look */
    bool loading;                        /* from the cache, without asking Glue */
    bool keep_failed;                    /* and that has been complained of */
    uint64_t samples_saved;              /* samples_taken() of those that are written */
    int64_t saved_us;                    /* when; monotonic, 0: not yet */

    /* Behind the catalog's mutex: */
    bool looking;      /* a look is under way */
    int64_t due_us;    /* when the next one is wanted */
    int64_t looked_us; /* when the last one ended; 0: there was none */
    unsigned failures; /* in a row */
    struct catalog_waiter *waiters;
    struct error error;   /* of the last look */
    int64_t confirmed_us; /* monotonic; 0: never */
    uint64_t refreshed;
    uint64_t failed;
    uint64_t held;
    uint64_t guard_refusals;
    char suspect[REGISTRY_VERSION_SIZE];
    struct guard_finding finding;
};

struct catalog {
    struct catalog_options options;
    struct catalog_entry *entries; /* in the order of their making */
    size_t count;
    atomic_size_t without;        /* entries that have no usable version */
    struct json_symbols *symbols; /* the reader's keys */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    uint64_t random;
    bool running; /* since catalog_start() */
    atomic_bool stopping;
    atomic_bool is_retired; /* the cache is the successor's */
    pthread_t *threads;     /* [thread_count] that run */
    size_t thread_count;
};

enum catalog_result { CATALOG_FAILED, CATALOG_FRESH, CATALOG_HELD };

/** Ask the registry once for this entry, and do what follows. Nobody else does so meanwhile. */
void catalog_look(struct catalog *catalog, struct catalog_entry *entry);

/** Take what the predecessor left for this entry, else what the cache holds. */
void catalog_look_into_cache(struct catalog *catalog, struct catalog_entry *entry);

/** Keep its samples for the next start. Nobody looks meanwhile. */
void catalog_save_samples(const struct catalog *catalog, struct catalog_entry *entry);
