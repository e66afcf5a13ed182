/*
 * catalog_guard.c - decide whether a new version may replace the live one, from the finding of the
 * guard (guard.h) and from what an operator has accepted.
 *
 * A version is a suspect of its entry when the guard found that it refuses accepted events, or has
 * too few of them to tell. What the guard refused and what an operator accepted is noted in the
 * cache, so that a restart does not forget it.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "schema/registry/catalog_internal.h"

/* A version that waits because there were no accepted events is released after so many. */
enum { TRIED_ENOUGH = 10 };

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
    LOG_EVENT(LOG_WARN, "schema_guard", LOG_ENTRY(entry), LOG_STR("version", str_from_c(version)),
              LOG_BOOL("held", held),
              LOG_STR("live_version", str_from_c(entry->definition.version)),
              LOG_INT("tried", finding->tried), LOG_INT("refused", finding->refused),
              LOG_STR("instance_location", str_from_c(finding->place.instance_location)),
              LOG_STR("keyword_location", str_from_c(finding->place.keyword_location)));
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
        catalog_log_cache_failure(entry, "schema_cache_failed", &err);
}

/* Did the guard find, before a restart, that it refuses accepted events? */
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

/* No accepted event is refused. Were there enough of them? Otherwise the version waits for more. */
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

bool catalog_guard_permits(struct catalog *catalog, struct catalog_entry *entry,
                           const struct schema *next, const struct schema_definition *definition)
{
    bool enforces = catalog->options.guard == CATALOG_GUARD_ENFORCE;
    const struct live_schema *now = atomic_load(&entry->live);
    struct guard_finding finding = { 0 };

    if (catalog->options.guard == CATALOG_GUARD_OFF || entry->pin || entry->shadow ||
        is_accepted(entry, definition))
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

bool catalog_guard_holds(const struct catalog *catalog, const struct catalog_entry *entry,
                         const struct schema_definition *definition)
{
    return catalog->options.guard == CATALOG_GUARD_ENFORCE && is_suspect(entry, definition) &&
           !is_accepted(entry, definition) &&
           (entry->finding.refused > 0 || is_noted_as_refused(entry, definition));
}

void catalog_guard_review(struct catalog *catalog, struct catalog_entry *entry,
                          const struct schema_definition *latest)
{
    if (entry->suspect[0] &&
        (strcmp(entry->suspect, latest->version) != 0 || is_accepted(entry, latest)))
        set_suspect(catalog, entry, "", NULL, false);
}
