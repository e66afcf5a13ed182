/*
 * catalog.c - see catalog.h.
 *
 * Two kinds of state: what readers see (`live`, behind an atomic pointer, freed after
 * epoch_wait()), and what the refresher keeps about an entry (behind the catalog's mutex, never
 * held while the registry is asked or a schema is compiled).
 *
 * The reader's symbol table is made once, from the versions known at the start: a key that a later
 * version adds is found the ordinary way.
 */
#include "schema/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/memory.h"

enum { SCHEMA_MAX_DEPTH = 256 };

struct catalog_entry {
    struct catalog_entry *next;
    char *registry;
    char *schema;
    _Atomic(struct live_schema *) live;
    /* Behind the catalog's mutex: */
    struct error error;
    int64_t confirmed_us; /* monotonic; 0: never */
    uint64_t refreshed;
    uint64_t failed;
};

struct catalog {
    struct catalog_options options;
    struct catalog_entry *entries; /* in the order of their making */
    size_t count;
    struct json_symbols *symbols;
    struct str *keys; /* the options' keys, copied */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
    bool running; /* the refresher is */
    pthread_t refresher;
};

static void live_destroy(struct live_schema *live)
{
    if (!live)
        return;
    schema_destroy(live->schema);
    mem_free(live);
}

struct catalog *catalog_create(const struct catalog_options *options)
{
    struct catalog *catalog = mem_alloc(sizeof(*catalog));

    catalog->options = *options;
    catalog->keys = mem_alloc_array(options->key_count, sizeof(struct str));
    for (size_t i = 0; i < options->key_count; i++)
        catalog->keys[i] = options->keys[i];
    (void)pthread_mutex_init(&catalog->mutex, NULL);
    clock_init_condition(&catalog->wake);
    return catalog;
}

static void stop_refresher(struct catalog *catalog)
{
    if (!catalog->running)
        return;
    (void)pthread_mutex_lock(&catalog->mutex);
    catalog->stopping = true;
    (void)pthread_cond_signal(&catalog->wake);
    (void)pthread_mutex_unlock(&catalog->mutex);
    (void)pthread_join(catalog->refresher, NULL);
}

void catalog_destroy(struct catalog *catalog)
{
    if (!catalog)
        return;
    stop_refresher(catalog);
    while (catalog->entries) {
        struct catalog_entry *entry = catalog->entries;

        catalog->entries = entry->next;
        live_destroy(atomic_load(&entry->live));
        mem_free(entry->registry);
        mem_free(entry->schema);
        mem_free(entry);
    }
    json_symbols_destroy(catalog->symbols);
    mem_free(catalog->keys);
    catalog->options.registry.destroy(catalog->options.registry.self);
    (void)pthread_cond_destroy(&catalog->wake);
    (void)pthread_mutex_destroy(&catalog->mutex);
    mem_free(catalog);
}

struct catalog_entry *catalog_add(struct catalog *catalog, const char *registry, const char *schema)
{
    struct catalog_entry **last = &catalog->entries;

    for (; *last; last = &(*last)->next)
        if (strcmp((*last)->registry, registry) == 0 && strcmp((*last)->schema, schema) == 0)
            return *last;

    struct catalog_entry *entry = mem_alloc(sizeof(*entry));

    entry->registry = mem_copy_string(registry);
    entry->schema = mem_copy_string(schema);
    *last = entry;
    catalog->count++;
    return entry;
}

/* Text to compiled schema. What fails here is worded for the sender of an event. */
static bool compile(const struct catalog *catalog, struct str text, struct schema **out,
                    struct error *err)
{
    const struct json_read_options reading = { .max_depth = SCHEMA_MAX_DEPTH };
    const struct schema_options compiling = {
        .assert_formats = catalog->options.assert_formats,
        .symbols = catalog->symbols,
    };
    CLEANUP(json_cleanup) struct json_object *document = NULL;

    if (!json_read(text, &reading, &document, err)) {
        err->code = ERR_SCHEMA_UNUSABLE;
        return fail_within(err, "Schema definition is not valid JSON");
    }
    if (!schema_compile(document, &compiling, out, err)) {
        err->code = ERR_INTERNAL;
        return fail_within(err, "schema does not compile");
    }
    return true;
}

/* Put `live` in the place of what readers see, and free that once nobody can see it. */
static void publish(struct catalog_entry *entry, struct live_schema *live)
{
    struct live_schema *old = atomic_exchange(&entry->live, live);

    if (!old)
        return;
    epoch_wait();
    live_destroy(old);
}

static bool take(struct catalog *catalog, struct catalog_entry *entry,
                 const struct schema_definition *definition, struct error *err)
{
    const struct live_schema *now = atomic_load(&entry->live);
    struct schema *schema = NULL;

    if (now && now->schema && strcmp(now->version, definition->version) == 0)
        return true;
    if (!compile(catalog, definition->text, &schema, err))
        return false;

    struct live_schema *live = mem_alloc(sizeof(*live));

    live->schema = schema;
    memcpy(live->version, definition->version, sizeof(live->version));
    publish(entry, live);
    LOG_EVENT(catalog->running ? LOG_INFO : LOG_DEBUG, "schema_live",
              LOG_STR("registry", str_from_c(entry->registry)),
              LOG_STR("schema", str_from_c(entry->schema)),
              LOG_STR("version", str_from_c(definition->version)));
    return true;
}

/* A failure is shown to events only while no version is known. */
static void note_failure(struct catalog_entry *entry, const struct error *err)
{
    const struct live_schema *now = atomic_load(&entry->live);
    struct str version = now && now->schema ? str_from_c(now->version) : STR_NONE;
    bool is_news = entry->error.code != err->code || strcmp(entry->error.text, err->text) != 0;

    if (is_news)
        LOG_EVENT(LOG_WARN, "schema_refresh_failed",
                  LOG_STR("registry", str_from_c(entry->registry)),
                  LOG_STR("schema", str_from_c(entry->schema)),
                  LOG_STR("error", str_from_c(err->text)), LOG_STR("live_version", version));
    if (now && (now->schema || !is_news))
        return;

    struct live_schema *live = mem_alloc(sizeof(*live));

    live->error = *err;
    publish(entry, live);
}

static void refresh(struct catalog *catalog, struct catalog_entry *entry)
{
    const struct registry *registry = &catalog->options.registry;
    struct schema_definition definition = { 0 };
    struct error err = { 0 };
    bool ok = registry->fetch(registry->self, entry->registry, entry->schema, &definition, &err) &&
              take(catalog, entry, &definition, &err);

    schema_definition_done(&definition);
    if (!ok)
        note_failure(entry, &err);
    (void)pthread_mutex_lock(&catalog->mutex);
    entry->error = err;
    entry->refreshed += ok;
    entry->failed += !ok;
    if (ok)
        entry->confirmed_us = clock_monotonic_us();
    (void)pthread_mutex_unlock(&catalog->mutex);
}

/* The options' keys and those of every schema that is usable now. */
static struct json_symbols *collect_symbols(const struct catalog *catalog)
{
    size_t total = catalog->options.key_count;
    size_t count;

    for (const struct catalog_entry *entry = catalog->entries; entry; entry = entry->next) {
        const struct live_schema *live = atomic_load(&entry->live);

        if (live->schema && schema_keys(live->schema, &count))
            total += count;
    }

    struct str *keys = mem_alloc_array(total, sizeof(*keys));
    size_t filled = 0;

    for (size_t i = 0; i < catalog->options.key_count; i++)
        keys[filled++] = catalog->keys[i];
    for (const struct catalog_entry *entry = catalog->entries; entry; entry = entry->next) {
        const struct live_schema *live = atomic_load(&entry->live);
        const struct str *more = live->schema ? schema_keys(live->schema, &count) : NULL;

        for (size_t i = 0; more && i < count; i++)
            keys[filled++] = more[i];
    }

    struct json_symbols *symbols = json_symbols_create(keys, filled);

    mem_free(keys);
    return symbols;
}

/* Forget a version, so that the next refresh() compiles it anew. Before any reader. */
static void forget(struct catalog_entry *entry)
{
    live_destroy(atomic_exchange(&entry->live, NULL));
}

void catalog_load(struct catalog *catalog)
{
    for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next)
        refresh(catalog, entry);
    catalog->symbols = collect_symbols(catalog);
    for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next) {
        if (!atomic_load(&entry->live)->schema)
            continue;
        forget(entry);
        refresh(catalog, entry);
    }
}

/* Wait for `us` microseconds or until told to stop; true: stop. The mutex is held. */
static bool sleep_or_stop(struct catalog *catalog, int64_t us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + us);

    while (!catalog->stopping)
        if (pthread_cond_timedwait(&catalog->wake, &catalog->mutex, &at) == ETIMEDOUT)
            break;
    return catalog->stopping;
}

static void *refresh_in_background(void *self)
{
    struct catalog *catalog = self;

    (void)pthread_mutex_lock(&catalog->mutex);
    while (!sleep_or_stop(catalog, catalog->options.refresh_us)) {
        (void)pthread_mutex_unlock(&catalog->mutex);
        for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next)
            refresh(catalog, entry);
        (void)pthread_mutex_lock(&catalog->mutex);
    }
    (void)pthread_mutex_unlock(&catalog->mutex);
    return NULL;
}

bool catalog_start(struct catalog *catalog, struct error *err)
{
    catalog->running = true;

    int problem = pthread_create(&catalog->refresher, NULL, refresh_in_background, catalog);

    if (problem != 0) {
        catalog->running = false;
        return fail_errno(err, ERR_SYSTEM, problem, "schema refresher");
    }
    (void)pthread_setname_np(catalog->refresher, "catalog");
    return true;
}

const struct json_symbols *catalog_symbols(const struct catalog *catalog)
{
    return catalog->symbols;
}

const struct live_schema *catalog_enter(const struct catalog_entry *entry)
{
    epoch_enter();
    return atomic_load(&entry->live);
}

void catalog_leave(void)
{
    epoch_leave();
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

static void copy_live(const struct catalog_entry *entry, struct catalog_status *out)
{
    const struct live_schema *live = catalog_enter(entry);

    out->usable = live->schema != NULL;
    memcpy(out->version, live->version, sizeof(out->version));
    catalog_leave();
}

void catalog_status(struct catalog *catalog, size_t index, struct catalog_status *out)
{
    const struct catalog_entry *entry = catalog->entries;

    while (index-- > 0)
        entry = entry->next;
    out->registry = entry->registry;
    out->schema = entry->schema;
    copy_live(entry, out);
    (void)pthread_mutex_lock(&catalog->mutex);
    out->error = entry->error;
    out->age_us = entry->confirmed_us ? clock_monotonic_us() - entry->confirmed_us : 0;
    out->refreshed = entry->refreshed;
    out->failed = entry->failed;
    (void)pthread_mutex_unlock(&catalog->mutex);
}
