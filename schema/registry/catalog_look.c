/*
 * catalog_look.c - one look at the registry, and what follows: take the version, hold it, or say
 * why there is none.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/memory.h"
#include "schema/registry/catalog_internal.h"
#include "schema/registry/references.h"

enum {
    SCHEMA_MAX_DEPTH = 256,
    BACKOFF_FIRST_US = 250 * US_PER_MS,
    BACKOFF_LAST_US = 4 * US_PER_S, /* while no version is known, whatever happened */
    BACKOFF_DOUBLINGS = 4,          /* from the first to the last */
    TRIED_ENOUGH = 10,       /* accepted events that free a version which had none to be tried on */
    SAVE_US = US_PER_MINUTE, /* between two times that samples are written */
};

#define NEVER_US INT64_MAX

/* All that routes name, for references among them. The caller owns the list. */
static struct registry_query *list_routed(const struct catalog *catalog)
{
    struct registry_query *list = mem_alloc_array(catalog->count + 1, sizeof(*list));
    size_t count = 0;

    for (const struct catalog_entry *entry = catalog->entries; entry; entry = entry->next)
        list[count++] =
            (struct registry_query){ entry->place.registry, entry->place.schema, entry->pin };
    return list;
}

static bool compile_document(const struct catalog *catalog, const struct references *references,
                             struct json_object *document, struct schema **out, struct error *err)
{
    const struct schema_options compiling = {
        .assert_formats = catalog->options.assert_formats,
        .from_glue = catalog->options.registry.is_glue,
        .base_uri = references_base_uri(references),
        .finder = references_finder(references),
        .symbols = catalog->symbols,
    };

    if (schema_compile(document, &compiling, out, err))
        return true;
    if (references_failed(references, err))
        return false;
    err->code = ERR_INTERNAL;
    return fail_within(err, "schema does not compile");
}

/*
 * A definition to a compiled schema; what it refers to becomes part of its version. What fails here
 * is worded for the sender of an event.
 */
static bool compile(const struct catalog *catalog, struct catalog_entry *entry,
                    struct schema_definition *definition, struct schema **out, struct error *err)
{
    const struct json_read_options reading = { .max_depth = SCHEMA_MAX_DEPTH };
    CLEANUP(json_cleanup) struct json_object *document = NULL;

    if (!json_read(definition->text, &reading, &document, err)) {
        err->code = ERR_INVALID;
        return fail_within(err, "Schema definition is not valid JSON");
    }

    struct registry_query *routed = list_routed(catalog);
    const struct references_options options = {
        .registry = &catalog->options.registry,
        .from = { entry->place.registry, entry->place.schema, NULL },
        .routed = routed,
        .routed_count = catalog->count,
        .cache_dir = catalog->options.cache_dir,
        .cached_only = entry->loading && catalog->options.registry.is_glue,
        .keeps = !entry->loading && !atomic_load(&catalog->is_retired),
    };
    struct references *references = references_create(&options);
    bool ok = compile_document(catalog, references, document, out, err);

    entry->refers = references_any(references);
    if (ok)
        references_extend(references, definition->version);
    references_destroy(references);
    mem_free(routed);
    return ok;
}

/* Put `live` in the place of what readers see, and free that once nobody can see it. */
static void publish(struct catalog *catalog, struct catalog_entry *entry, struct live_schema *live)
{
    struct live_schema *old = atomic_exchange(&entry->live, live);

    if (live->schema && !old->schema)
        atomic_fetch_sub(&catalog->without, 1);
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

static bool is_same(const struct schema_definition *a, const struct schema_definition *b)
{
    return strcmp(a->version, b->version) == 0 && strcmp(a->uuid, b->uuid) == 0;
}

static void set_suspect(struct catalog *catalog, struct catalog_entry *entry, const char *version,
                        const struct guard_finding *finding, bool is_new)
{
    (void)pthread_mutex_lock(&catalog->mutex);
    (void)snprintf(entry->suspect, sizeof(entry->suspect), "%s", version);
    entry->finding = finding ? *finding : (struct guard_finding){ 0 };
    entry->guard_refusals += is_new;
    (void)pthread_mutex_unlock(&catalog->mutex);
}

static void log_finding(const struct catalog_entry *entry, const char *version, bool held,
                        const struct guard_finding *finding)
{
    LOG_EVENT(LOG_WARN, "schema_guard", LOG_STR("registry", str_from_c(entry->place.registry)),
              LOG_STR("schema", str_from_c(entry->place.schema)),
              LOG_STR("version", str_from_c(version)), LOG_BOOL("held", held),
              LOG_STR("live_version", str_from_c(entry->definition.version)),
              LOG_INT("tried", finding->tried), LOG_INT("refused", finding->refused),
              LOG_STR("instance_location", str_from_c(finding->instance_location)),
              LOG_STR("keyword_location", str_from_c(finding->keyword_location)));
}

static void log_cache_failure(const struct catalog_entry *entry, const char *event,
                              const struct error *err)
{
    LOG_EVENT(LOG_WARN, event, LOG_STR("registry", str_from_c(entry->place.registry)),
              LOG_STR("schema", str_from_c(entry->place.schema)),
              LOG_STR("error", str_from_c(err->text)));
}

static bool is_accepted(const struct catalog_entry *entry,
                        const struct schema_definition *definition)
{
    return catalog_cache_lists(&entry->place, CATALOG_ACCEPTED, definition);
}

static void remember_refusal(const struct catalog *catalog, const struct catalog_entry *entry,
                             const char *version)
{
    struct error err = { 0 };

    if (atomic_load(&catalog->is_retired))
        return;
    if (!catalog_cache_note(&entry->place, CATALOG_REFUSED, version, &err))
        log_cache_failure(entry, "schema_cache_failed", &err);
}

/* It was found to refuse accepted events before a restart. */
static bool is_noted_as_refused(const struct catalog_entry *entry,
                                const struct schema_definition *definition)
{
    return catalog_cache_lists(&entry->place, CATALOG_REFUSED, definition);
}

static bool is_suspect(const struct catalog_entry *entry,
                       const struct schema_definition *definition)
{
    return strcmp(entry->suspect, definition->version) == 0;
}

/* Nothing speaks against it. Is there enough that speaks for it, or is it to wait for more? */
static bool is_tried_enough(struct catalog *catalog, struct catalog_entry *entry,
                            const struct schema_definition *definition,
                            const struct guard_finding *finding)
{
    size_t capacity = catalog->options.guard_samples;
    size_t enough = capacity && capacity < TRIED_ENOUGH ? capacity : TRIED_ENOUGH;
    bool has_waited = is_suspect(entry, definition);

    if (catalog->options.guard != CATALOG_GUARD_ENFORCE ||
        finding->tried >= (has_waited ? enough : 1)) {
        if (has_waited)
            set_suspect(catalog, entry, "", NULL, false);
        return true;
    }
    set_suspect(catalog, entry, definition->version, finding, false);
    if (!has_waited)
        log_finding(entry, definition->version, true, finding);
    return false;
}

/* May `next`, compiled from `definition`, take the place of the live schema? */
static bool guard_permits(struct catalog *catalog, struct catalog_entry *entry,
                          const struct schema *next, const struct schema_definition *definition)
{
    bool enforces = catalog->options.guard == CATALOG_GUARD_ENFORCE;
    const struct live_schema *now = atomic_load(&entry->live);
    struct guard_finding finding = { 0 };

    if (catalog->options.guard == CATALOG_GUARD_OFF || entry->pin || is_accepted(entry, definition))
        return true;
    if (enforces && is_noted_as_refused(entry, definition)) {
        set_suspect(catalog, entry, definition->version, &finding, false);
        log_finding(entry, definition->version, true, &finding);
        return false;
    }
    if (!entry->samples ||
        !guard_finds(entry->samples, now->schema, next, catalog_symbols(catalog), &finding))
        return is_tried_enough(catalog, entry, definition, &finding);
    set_suspect(catalog, entry, definition->version, &finding, true);
    log_finding(entry, definition->version, enforces, &finding);
    if (enforces)
        remember_refusal(catalog, entry, definition->version);
    return !enforces;
}

/* Refused before, and nobody has accepted it since. One that only waits is tried again. */
static bool is_held(const struct catalog *catalog, const struct catalog_entry *entry,
                    const struct schema_definition *definition)
{
    return catalog->options.guard == CATALOG_GUARD_ENFORCE && is_suspect(entry, definition) &&
           !is_accepted(entry, definition) &&
           (entry->finding.refused > 0 || is_noted_as_refused(entry, definition));
}

/* A suspicion ends when its version is accepted, or is neither live nor the latest any more. */
static void review_suspect(struct catalog *catalog, struct catalog_entry *entry,
                           const struct schema_definition *latest)
{
    if (entry->suspect[0] &&
        (strcmp(entry->suspect, latest->version) != 0 || is_accepted(entry, latest)))
        set_suspect(catalog, entry, "", NULL, false);
}

/* Keep the live definition for the next start; complain once when that cannot be done. */
static void keep(const struct catalog *catalog, struct catalog_entry *entry)
{
    struct error err = { 0 };

    if (atomic_load(&catalog->is_retired))
        return;
    entry->kept = catalog_cache_write(&entry->place, &entry->definition, &err);
    if (!entry->kept && !entry->keep_failed)
        log_cache_failure(entry, "schema_cache_failed", &err);
    entry->keep_failed = !entry->kept;
}

static void log_warnings(const struct catalog_entry *entry, const struct schema *schema,
                         const char *version)
{
    size_t count;
    const struct str *warnings = schema_warnings(schema, &count);

    for (size_t i = 0; i < count; i++)
        LOG_EVENT(LOG_WARN, "schema_warning",
                  LOG_STR("registry", str_from_c(entry->place.registry)),
                  LOG_STR("schema", str_from_c(entry->place.schema)),
                  LOG_STR("version", str_from_c(version)), LOG_STR("warning", warnings[i]));
}

/* Write the samples for the next start, when there are others than the last time. */
void catalog_save_samples(const struct catalog *catalog, struct catalog_entry *entry)
{
    struct error err = { 0 };
    uint64_t taken = entry->samples ? samples_taken(entry->samples) : 0;

    if (taken == entry->samples_saved || !*entry->place.dir || atomic_load(&catalog->is_retired))
        return;
    entry->samples_saved = taken;
    entry->saved_us = clock_monotonic_us();
    if (!catalog_cache_write_samples(&entry->place, entry->samples, &err) && !entry->keep_failed) {
        log_cache_failure(entry, "schema_cache_failed", &err);
        entry->keep_failed = true;
    }
}

/* `schema` is the entry's from now on, and so is `definition`. */
static void go_live(struct catalog *catalog, struct catalog_entry *entry, struct schema *schema,
                    struct schema_definition *definition)
{

    log_warnings(entry, schema, definition->version);
    (void)pthread_mutex_lock(&catalog->mutex);
    schema_definition_done(&entry->definition);
    entry->definition = *definition;
    (void)pthread_mutex_unlock(&catalog->mutex);
    *definition = (struct schema_definition){ 0 };
    publish_schema(catalog, entry, schema);
    LOG_EVENT(catalog->running ? LOG_INFO : LOG_DEBUG, "schema_live",
              LOG_STR("registry", str_from_c(entry->place.registry)),
              LOG_STR("schema", str_from_c(entry->place.schema)),
              LOG_STR("version", str_from_c(entry->definition.version)));
}

/* The registry has what is live. */
static enum catalog_result stay(struct catalog *catalog, struct catalog_entry *entry,
                                const struct schema_definition *definition)
{
    review_suspect(catalog, entry, definition);
    if (!entry->kept)
        keep(catalog, entry);
    return CATALOG_FRESH;
}

static enum catalog_result take(struct catalog *catalog, struct catalog_entry *entry,
                                struct schema_definition *definition, struct error *err)
{
    const struct live_schema *now = atomic_load(&entry->live);
    struct schema *schema = NULL;

    if (!entry->refers) {
        if (is_held(catalog, entry, definition))
            return CATALOG_HELD;
        if (now->schema && is_same(&entry->definition, definition))
            return stay(catalog, entry, definition);
    }
    if (!compile(catalog, entry, definition, &schema, err))
        return CATALOG_FAILED;
    /* What it refers to is part of the version, which is whole only now. */
    if (is_held(catalog, entry, definition)) {
        schema_destroy(schema);
        return CATALOG_HELD;
    }
    if (now->schema && is_same(&entry->definition, definition)) {
        schema_destroy(schema);
        return stay(catalog, entry, definition);
    }
    review_suspect(catalog, entry, definition);
    if (now->schema && !guard_permits(catalog, entry, schema, definition)) {
        schema_destroy(schema);
        return CATALOG_HELD;
    }
    go_live(catalog, entry, schema, definition);
    keep(catalog, entry);
    return CATALOG_FRESH;
}

/* A failure is shown to events only while no version is known. */
static void note_failure(struct catalog *catalog, struct catalog_entry *entry,
                         const struct error *err, const char *said)
{
    const struct live_schema *now = atomic_load(&entry->live);
    struct str version = now->schema ? str_from_c(now->version) : STR_NONE;
    bool is_news = entry->error.code != err->code || strcmp(entry->error.text, err->text) != 0;

    if (is_news)
        LOG_EVENT(LOG_WARN, "schema_refresh_failed",
                  LOG_STR("registry", str_from_c(entry->place.registry)),
                  LOG_STR("schema", str_from_c(entry->place.schema)),
                  LOG_STR("error", str_from_c(err->text)), LOG_STR("said", str_from_c(said)),
                  LOG_STR("live_version", version));
    if (now->schema || !is_news)
        return;

    struct live_schema *live = mem_alloc(sizeof(*live));

    live->error = *err;
    if (!catalog->options.for_operators)
        registry_cut_for_senders(&live->error);
    if (err->code == ERR_THROTTLED)
        live->error.text[0] = '\0'; /* the status table's word for it says all */
    publish(catalog, entry, live);
}

/* Somewhere between nine and eleven tenths of `us`, so that many servers do not ask in step. */
static int64_t jittered(struct catalog *catalog, int64_t us)
{
    catalog->random = catalog->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return us - us / 10 + (int64_t)((catalog->random >> 33) % (uint64_t)(us / 5 + 1));
}

/* When to look again. The mutex is held. */
static int64_t next_look_us(struct catalog *catalog, const struct catalog_entry *entry,
                            int64_t now_us)
{
    int64_t refresh_us = catalog->options.refresh_us;
    unsigned doublings =
        entry->failures <= BACKOFF_DOUBLINGS ? entry->failures : BACKOFF_DOUBLINGS + 1;
    int64_t backoff_us = ((int64_t)BACKOFF_FIRST_US << doublings) / 2;

    if (is_usable(entry)) {
        if (entry->pin && entry->failures == 0 && !entry->refers)
            return NEVER_US; /* a version never changes */
        return now_us + jittered(catalog, refresh_us);
    }
    return now_us + jittered(catalog, backoff_us < refresh_us ? backoff_us : refresh_us);
}

static void record(struct catalog *catalog, struct catalog_entry *entry, enum catalog_result result,
                   const struct error *err)
{
    int64_t now_us = clock_monotonic_us();

    (void)pthread_mutex_lock(&catalog->mutex);
    entry->error = *err;
    entry->refreshed += result == CATALOG_FRESH;
    entry->failed += result == CATALOG_FAILED;
    entry->held += result == CATALOG_HELD;
    entry->failures = result == CATALOG_FAILED ? entry->failures + 1 : 0;
    if (result == CATALOG_FRESH)
        entry->confirmed_us = now_us;
    entry->looked_us = now_us;
    entry->due_us = next_look_us(catalog, entry, now_us);
    (void)pthread_mutex_unlock(&catalog->mutex);
}

void catalog_look(struct catalog *catalog, struct catalog_entry *entry)
{
    const struct registry *registry = &catalog->options.registry;
    const struct registry_query query = { entry->place.registry, entry->place.schema, entry->pin };
    struct schema_definition definition = { 0 };
    struct error err = { 0 };
    enum catalog_result result = CATALOG_FAILED;

    if (registry->fetch(registry->self, &query, &definition, &err))
        result = take(catalog, entry, &definition, &err);
    schema_definition_done(&definition);
    if (result == CATALOG_FAILED && !atomic_load(&catalog->stopping))
        note_failure(catalog, entry, &err, definition.said);
    record(catalog, entry, result, &err);
    if (!entry->saved_us || clock_monotonic_us() - entry->saved_us >= SAVE_US)
        catalog_save_samples(catalog, entry);
}

/* Those of before the restart; none are left where none are to be kept. */
static void load_samples(struct catalog_entry *entry)
{
    if (!*entry->place.dir || (entry->samples && samples_taken(entry->samples) > 0))
        return;
    if (!entry->samples) {
        catalog_cache_remove_samples(&entry->place);
        return;
    }
    catalog_cache_read_samples(&entry->place, entry->samples);
    entry->samples_saved = samples_taken(entry->samples);
}

static bool is_pinned_version(const struct catalog_entry *entry,
                              const struct schema_definition *definition)
{
    return str_equal_ignore_case(str_from_c(entry->pin),
                                 references_own_version(definition->version)) ||
           str_equal_ignore_case(str_from_c(entry->pin), str_from_c(definition->uuid));
}

/* Is it what the entry is to have, and a schema? */
static bool can_use_cached(struct catalog *catalog, struct catalog_entry *entry,
                           struct schema_definition *definition, struct schema **out)
{
    struct error err = { 0 };
    bool ok;

    if (entry->pin && !is_pinned_version(entry, definition))
        return false;
    entry->loading = true;
    ok = compile(catalog, entry, definition, out, &err);
    entry->loading = false;
    if (!ok)
        log_cache_failure(entry, "schema_cache_ignored", &err);
    return ok;
}

static bool find_last_good(struct catalog_entry *entry, struct schema_definition *out)
{
    struct error err = { 0 };

    if (entry->inherited.text.ptr) {
        *out = entry->inherited;
        entry->inherited = (struct schema_definition){ 0 };
        return true;
    }
    entry->kept = catalog_cache_read(&entry->place, out, &err);
    if (!entry->kept && err.code != ERR_NOT_FOUND)
        log_cache_failure(entry, "schema_cache_ignored", &err);
    return entry->kept;
}

void catalog_look_into_cache(struct catalog *catalog, struct catalog_entry *entry)
{
    struct schema_definition definition = { 0 };
    struct schema *schema = NULL;

    load_samples(entry);
    if (!find_last_good(entry, &definition))
        return;
    if (can_use_cached(catalog, entry, &definition, &schema)) {
        go_live(catalog, entry, schema, &definition);
        entry->confirmed_us = clock_monotonic_us();
        if (entry->pin && !entry->refers) { /* it never changes: nobody needs to be asked */
            entry->due_us = NEVER_US;
            entry->error = (struct error){ 0 };
        }
    }
    schema_definition_done(&definition);
}
