/*
 * catalog_look.c - one look at the registry: fetch a definition, then make it live, hold it, or
 * store the error.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/memory.h"
#include "schema/registry/catalog_internal.h"

enum {
    BACKOFF_FIRST_US = 250 * US_PER_MS,
    BACKOFF_DOUBLINGS = 4,   /* to 4 s, while no version is known */
    SAVE_US = US_PER_MINUTE, /* between two writes of the samples */
};

enum look_result { LOOK_FAILED, LOOK_FRESH, LOOK_HELD };

/* Replace what readers see by `live`, and free the old one when no reader can hold it. */
static void publish(struct catalog *catalog, struct catalog_entry *entry, struct live_schema *live)
{
    struct live_schema *old = atomic_exchange(&entry->live, live);

    if (live->schema && !old->schema && !entry->shadow)
        atomic_fetch_sub(&catalog->unready, 1);
    epoch_wait();
    schema_destroy(old->schema);
    mem_free(old);
}

static void publish_schema(struct catalog *catalog, struct catalog_entry *entry,
                           struct schema *schema)
{
    struct live_schema *live = mem_alloc(sizeof(*live));

    live->schema = schema;
    memcpy(live->version, entry->definition.version, sizeof(live->version));
    publish(catalog, entry, live);
}

static bool is_usable(const struct catalog_entry *entry)
{
    return atomic_load(&entry->live)->schema != NULL;
}

static void log_warnings(const struct catalog_entry *entry, const struct schema *schema,
                         const char *version)
{
    size_t count;
    const struct str *warnings = schema_warnings(schema, &count);

    for (size_t i = 0; i < count; i++)
        LOG_EVENT(LOG_WARN, "schema_warning", LOG_ENTRY(entry),
                  LOG_STR("version", str_from_c(version)), LOG_STR("warning", warnings[i]));
}

void catalog_go_live(struct catalog *catalog, struct catalog_entry *entry, struct schema *schema,
                     struct schema_definition *definition)
{
    log_warnings(entry, schema, definition->version);
    (void)pthread_mutex_lock(&catalog->mutex);
    catalog_note_live(entry, definition, &entry->definition);
    entry->definition = *definition;
    (void)pthread_mutex_unlock(&catalog->mutex);
    *definition = (struct schema_definition){ 0 };
    publish_schema(catalog, entry, schema);
    LOG_EVENT(catalog->running ? LOG_INFO : LOG_DEBUG, "schema_live", LOG_ENTRY(entry),
              LOG_STR("version", str_from_c(entry->definition.version)));
}

static bool is_live(const struct catalog_entry *entry, const struct schema_definition *definition)
{
    return is_usable(entry) && strcmp(entry->definition.version, definition->version) == 0 &&
           strcmp(entry->definition.uuid, definition->uuid) == 0;
}

/* The registry's version is the live one. */
static enum look_result stay(struct catalog *catalog, struct catalog_entry *entry,
                             const struct schema_definition *definition)
{
    catalog_guard_review(catalog, entry, definition);
    if (!entry->kept)
        catalog_keep(catalog, entry);
    return LOOK_FRESH;
}

static enum look_result catalog_take(struct catalog *catalog, struct catalog_entry *entry,
                                     struct schema_definition *definition, struct error *err)
{
    const struct live_schema *now = atomic_load(&entry->live);
    struct schema *schema = NULL;

    if (!entry->refers) {
        if (catalog_guard_holds(catalog, entry, definition))
            return LOOK_HELD;
        if (is_live(entry, definition))
            return stay(catalog, entry, definition);
    }
    if (!catalog_compile(catalog, entry, definition, &schema, err))
        return LOOK_FAILED;
    /* The versions of what it refers to are part of its version: ask the guard again. */
    if (catalog_guard_holds(catalog, entry, definition)) {
        schema_destroy(schema);
        return LOOK_HELD;
    }
    if (is_live(entry, definition)) {
        schema_destroy(schema);
        return stay(catalog, entry, definition);
    }
    catalog_guard_review(catalog, entry, definition);
    if (now->schema && !catalog_guard_permits(catalog, entry, schema, definition)) {
        schema_destroy(schema);
        return LOOK_HELD;
    }
    catalog_go_live(catalog, entry, schema, definition);
    catalog_keep(catalog, entry);
    return LOOK_FRESH;
}

/* Senders of events see a failure only while no version is known. */
static void note_failure(struct catalog *catalog, struct catalog_entry *entry,
                         const struct error *err, const char *said)
{
    const struct live_schema *now = atomic_load(&entry->live);
    struct str version = now->schema ? str_from_c(now->version) : STR_NONE;
    bool is_news = entry->error.code != err->code || strcmp(entry->error.text, err->text) != 0;

    if (is_news)
        LOG_EVENT(LOG_WARN, "schema_refresh_failed", LOG_ENTRY(entry),
                  LOG_STR("routes", entry->routes), LOG_STR("error", str_from_c(err->text)),
                  LOG_STR("said", str_from_c(said)), LOG_STR("live_version", version));
    if (now->schema || !is_news)
        return;

    struct live_schema *live = mem_alloc(sizeof(*live));

    live->error = *err;
    if (!catalog->options.for_operators)
        registry_cut_for_senders(&live->error);
    if (err->code == ERR_THROTTLED)
        live->error.text[0] = '\0'; /* the status table has a text for it */
    publish(catalog, entry, live);
}

/* 0.9 to 1.1 times `us`, so that many servers do not ask at the same time. */
static int64_t jittered(struct catalog *catalog, int64_t us)
{
    catalog->random = catalog->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return us - us / 10 + (int64_t)((catalog->random >> 33) % (uint64_t)(us / 5 + 1));
}

/* The time of the next look. The mutex is held. */
static int64_t next_look_us(struct catalog *catalog, const struct catalog_entry *entry,
                            int64_t now_us)
{
    int64_t refresh_us = catalog->options.refresh_us;
    unsigned doublings =
        entry->failures <= BACKOFF_DOUBLINGS ? entry->failures : BACKOFF_DOUBLINGS + 1;
    int64_t backoff_us = ((int64_t)BACKOFF_FIRST_US << doublings) / 2;

    if (is_usable(entry) || entry->shadow) {
        if (entry->pin && entry->failures == 0 && !entry->refers)
            return CATALOG_NEVER_US; /* a version never changes */
        return now_us + jittered(catalog, refresh_us);
    }
    return now_us + jittered(catalog, backoff_us < refresh_us ? backoff_us : refresh_us);
}

/* What begins with schema_refresh_failed. The mutex is held. */
static void note_recovery(const struct catalog_entry *entry)
{
    LOG_EVENT(LOG_INFO, "schema_refresh_recovered", LOG_ENTRY(entry),
              LOG_STR("routes", entry->routes), LOG_INT("attempts_failed", entry->failures));
}

static void record(struct catalog *catalog, struct catalog_entry *entry, enum look_result result,
                   const struct error *err)
{
    int64_t now_us = clock_monotonic_us();

    (void)pthread_mutex_lock(&catalog->mutex);
    if (result != LOOK_FAILED && entry->failures > 0)
        note_recovery(entry);
    entry->error = *err;
    entry->refreshed += result == LOOK_FRESH;
    entry->failed += result == LOOK_FAILED;
    entry->held += result == LOOK_HELD;
    entry->failures = result == LOOK_FAILED ? entry->failures + 1 : 0;
    if (result == LOOK_FRESH)
        entry->confirmed_us = now_us;
    entry->looked_us = now_us;
    entry->due_us = next_look_us(catalog, entry, now_us);
    (void)pthread_mutex_unlock(&catalog->mutex);
}

static bool fetch(const struct catalog *catalog, const struct catalog_entry *entry,
                  struct schema_definition *out, struct error *err)
{
    const struct registry *registry = &catalog->options.registry;
    const struct registry_query query = { entry->place.registry, entry->place.schema, entry->pin };

    return entry->shadow_file ? registry_read_file(entry->shadow_file, out, err)
                              : registry->fetch(registry->self, &query, out, err);
}

void catalog_look(struct catalog *catalog, struct catalog_entry *entry)
{
    struct schema_definition definition = { 0 };
    struct error err = { 0 };
    enum look_result result = LOOK_FAILED;

    if (fetch(catalog, entry, &definition, &err))
        result = catalog_take(catalog, entry, &definition, &err);
    if (result != LOOK_FAILED)
        catalog_note_held(catalog, entry, result == LOOK_HELD ? &definition : NULL);
    schema_definition_done(&definition);
    if (result == LOOK_FAILED && !atomic_load(&catalog->stopping))
        note_failure(catalog, entry, &err, definition.said);
    record(catalog, entry, result, &err);
    if (!entry->saved_us || clock_monotonic_us() - entry->saved_us >= SAVE_US)
        catalog_save_samples(catalog, entry);
}
