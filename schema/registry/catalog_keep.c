/*
 * catalog_keep.c - write an entry's definition and samples to the cache, and read them at start.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "schema/registry/catalog_internal.h"
#include "schema/registry/references.h"

void catalog_log_cache_failure(const struct catalog_entry *entry, const char *event,
                               const struct error *err)
{
    LOG_EVENT(LOG_WARN, event, LOG_ENTRY(entry), LOG_STR("error", str_from_c(err->text)));
}

void catalog_keep(const struct catalog *catalog, struct catalog_entry *entry)
{
    struct error err = { 0 };

    if (atomic_load(&catalog->is_retired))
        return;
    entry->kept = catalog_cache_write(&entry->place, &entry->definition, &err);
    if (!entry->kept && !entry->keep_failed)
        catalog_log_cache_failure(entry, "schema_cache_failed", &err);
    entry->keep_failed = !entry->kept;
}

void catalog_save_samples(const struct catalog *catalog, struct catalog_entry *entry)
{
    struct error err = { 0 };
    uint64_t taken = entry->samples ? samples_taken(entry->samples) : 0;

    if (taken == entry->samples_saved || !*entry->place.dir || atomic_load(&catalog->is_retired))
        return;
    entry->samples_saved = taken;
    entry->saved_us = clock_monotonic_us();
    if (!catalog_cache_write_samples(&entry->place, entry->samples, &err) && !entry->keep_failed) {
        catalog_log_cache_failure(entry, "schema_cache_failed", &err);
        entry->keep_failed = true;
    }
}

/* The samples from before the restart. Removes them when the entry keeps none. */
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

/* Is it the version that the entry is pinned to, and does it compile? */
static bool can_use_cached(struct catalog *catalog, struct catalog_entry *entry,
                           struct schema_definition *definition, struct schema **out)
{
    struct error err = { 0 };
    bool ok;

    if (entry->pin && !is_pinned_version(entry, definition))
        return false;
    entry->loading = true;
    ok = catalog_compile(catalog, entry, definition, out, &err);
    entry->loading = false;
    if (!ok)
        catalog_log_cache_failure(entry, "schema_cache_ignored", &err);
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
        catalog_log_cache_failure(entry, "schema_cache_ignored", &err);
    return entry->kept;
}

void catalog_restore(struct catalog *catalog, struct catalog_entry *entry)
{
    struct schema_definition definition = { 0 };
    struct schema *schema = NULL;

    if (entry->shadow) /* none of its files are kept */
        return;
    load_samples(entry);
    if (!find_last_good(entry, &definition))
        return;
    if (can_use_cached(catalog, entry, &definition, &schema)) {
        catalog_go_live(catalog, entry, schema, &definition);
        entry->confirmed_us = clock_monotonic_us();
        if (entry->pin && !entry->refers) { /* it never changes: no look is needed */
            entry->due_us = CATALOG_NEVER_US;
            entry->error = (struct error){ 0 };
        }
    }
    schema_definition_done(&definition);
}
