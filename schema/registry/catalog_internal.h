/*
 * catalog_internal.h - what catalog*.c share.
 *
 * There are three kinds of state: what readers see (`live`, an atomic pointer, freed after
 * epoch_wait()); what only the look under way uses (one at a time for each entry); and the rest,
 * behind the catalog's mutex. The mutex is never held while the registry is asked, a schema is
 * compiled or a file is written.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "schema/registry/catalog.h"
#include "schema/registry/catalog_cache.h"
#include "schema/registry/samples.h"

/* A request that waits for a look. The request's arena and the list hold a reference each. */
struct catalog_waiter {
    struct catalog_waiter *next;
    struct waker waker;
    atomic_int references;
};

struct catalog_entry {
    struct catalog_entry *next;
    struct catalog_place place;         /* its names, and the folder of its files */
    const char *pin;                    /* NULL: it follows the latest version */
    struct str routes;                  /* that use it: "a,b"; owned */
    struct shadow *shadow;              /* NULL: it is the live schema of its routes */
    const char *shadow_file;            /* NULL: the shadow is the version `pin` */
    const char *shadow_name;            /* in texts and in the log */
    struct samples *samples;            /* NULL: none are kept */
    _Atomic(struct live_schema *) live; /* never NULL */

    /* Used by the look only, except `definition`: it is replaced under the mutex, so that another
     * thread can copy it. */
    struct schema_definition definition; /* of the live schema */
    struct schema_definition inherited;  /* the predecessor's, until catalog_restore() */
    bool kept;                           /* `definition` is in the cache */
    bool refers;                         /* to other schemas: it is compiled at each look */
    bool loading;                        /* from the cache, without asking Glue */
    bool keep_failed;                    /* writing to the cache failed, and was logged */
    uint64_t samples_saved;              /* samples_taken() at the last write */
    int64_t saved_us;                    /* time of the last write; monotonic, 0: none */

    /* Behind the catalog's mutex: */
    bool looking;      /* a look is under way */
    int64_t due_us;    /* time of the next one */
    int64_t looked_us; /* end of the last one; 0: there was none */
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
    char since_version[REGISTRY_VERSION_SIZE]; /* the version that is live since `since_us`, */
    int64_t since_us;                          /* time of day; 0: none was */
    struct schema_definition previous;         /* that was live before; text "": not known */
    struct schema_definition held_back;        /* by the guard at the last look; likewise */
};

struct catalog {
    struct catalog_options options;
    struct catalog_entry *entries; /* in the order of creation: live ones first, then shadows */
    size_t count;                  /* of live ones */
    size_t shadow_count;
    atomic_size_t unready;        /* entries without a usable version */
    struct json_symbols *symbols; /* the reader's keys */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    uint64_t random;
    bool running; /* since catalog_start() */
    atomic_bool stopping;
    atomic_bool is_retired; /* the successor owns the cache */
    pthread_t *threads;     /* [thread_count] that run */
    size_t thread_count;
};

#define CATALOG_NEVER_US INT64_MAX

/** The fields of a log line that name the entry. */
#define LOG_ENTRY(entry)                                                                           \
    LOG_STR("registry", str_from_c((entry)->place.registry)),                                      \
        LOG_STR("schema", str_from_c((entry)->place.schema)),                                      \
        LOG_STR("shadow", str_from_c((entry)->shadow_name))

/** An entry without a pin, samples and files, and with the error that it has no version yet. */
struct catalog_entry *catalog_create_entry(const char *registry, const char *schema);

/** The entry with that index: the shadows' begin at catalog.count. */
struct catalog_entry *catalog_entry_at(const struct catalog *catalog, size_t index);

/** catalog_status() of any entry. */
void catalog_fill_status(struct catalog *catalog, const struct catalog_entry *entry,
                         struct catalog_status *out);

/** catalog_texts.c: `definition` goes live, `old` was live. Takes `old`. The mutex is held. */
void catalog_note_live(struct catalog_entry *entry, const struct schema_definition *definition,
                       struct schema_definition *old);

/** The guard holds this definition back (taken), or (NULL) the latest one is live. */
void catalog_note_held(struct catalog *catalog, struct catalog_entry *entry,
                       struct schema_definition *definition);

/** Continue what is known of the predecessor's entry of the same name. */
void catalog_inherit_texts(struct catalog *predecessor, const struct catalog_entry *other,
                           struct catalog_entry *entry);

void catalog_free_texts(struct catalog_entry *entry);

/** catalog_shadow.c: free what only shadows have. */
void catalog_destroy_shadow(struct catalog_entry *entry);

/** Continue the counts of the predecessor's shadows of the same routes. */
void catalog_continue_shadows(struct catalog *catalog, const struct catalog *predecessor);

/*
 * Everything below is for the thread that looks at the entry: there is one at a time.
 */

/** catalog_look.c: fetch the definition once, and take it, hold it, or note the failure. */
void catalog_look(struct catalog *catalog, struct catalog_entry *entry);

/** Make `schema`, compiled from `definition`, the live one. Takes both. */
void catalog_go_live(struct catalog *catalog, struct catalog_entry *entry, struct schema *schema,
                     struct schema_definition *definition);

/**
 * catalog_compile.c: compile `definition`. The versions of the schemas that it refers to become
 * part of its version. The error's text is for senders of events.
 */
NODISCARD bool catalog_compile(const struct catalog *catalog, struct catalog_entry *entry,
                               struct schema_definition *definition, struct schema **out,
                               struct error *err);

/** catalog_guard.c: may `next`, compiled from `definition`, take the place of the live schema? */
NODISCARD bool catalog_guard_permits(struct catalog *catalog, struct catalog_entry *entry,
                                     const struct schema *next,
                                     const struct schema_definition *definition);

/**
 * Was this version refused before, and not accepted since? A version that only had too few events
 * to be tried on is tried again.
 */
bool catalog_guard_holds(const struct catalog *catalog, const struct catalog_entry *entry,
                         const struct schema_definition *definition);

/** End the suspicion if the suspect is accepted, or is neither live nor the latest version. */
void catalog_guard_review(struct catalog *catalog, struct catalog_entry *entry,
                          const struct schema_definition *latest);

/** catalog_keep.c: keep the live definition for the next start. A failure is logged once. */
void catalog_keep(const struct catalog *catalog, struct catalog_entry *entry);

/** Keep the samples for the next start, if there are new ones. */
void catalog_save_samples(const struct catalog *catalog, struct catalog_entry *entry);

/** Take the predecessor's live definition, else the cache's, and the kept samples. */
void catalog_restore(struct catalog *catalog, struct catalog_entry *entry);

void catalog_log_cache_failure(const struct catalog_entry *entry, const char *event,
                               const struct error *err);
