/*
 * catalog_shadow.c - shadows: schemas that are tried on events beside the live ones.
 *
 * A shadow is an entry like the others, so it is fetched, compiled and replaced as they are. It has
 * no pin of the configuration, no samples and no files, and the catalog is ready without it.
 */
#include <string.h>

#include "base/member.h"
#include "base/memory.h"
#include "schema/registry/catalog_internal.h"

static char *name_version(const char *version)
{
    CLEANUP(buf_done) struct buf name;

    buf_init(&name, SIZE_MAX);
    buf_printf(&name, "version %s", version);
    return mem_copy(name.ptr, name.len);
}

static struct catalog_entry *create_shadow(const struct catalog_shadow *from)
{
    struct catalog_entry *entry = catalog_create_entry(from->registry, from->schema);

    entry->shadow = shadow_create();
    if (*from->version) {
        entry->pin = mem_copy_string(from->version);
        entry->shadow_name = name_version(from->version);
    } else {
        entry->shadow_file = mem_copy_string(from->file);
        entry->shadow_name = mem_copy_string(from->file);
    }
    entry->routes = (struct str){ mem_copy_string(from->route), strlen(from->route) };
    return entry;
}

void catalog_destroy_shadow(struct catalog_entry *entry)
{
    if (!entry->shadow)
        return;
    shadow_destroy(entry->shadow);
    mem_free((void *)entry->pin);
    mem_free((void *)entry->shadow_file);
    mem_free((void *)entry->shadow_name);
}

static struct catalog_entry *find_shadow(const struct catalog *catalog, struct str route)
{
    struct catalog_entry *entry = catalog_entry_at(catalog, catalog->count);

    while (entry && !str_equal(entry->routes, route))
        entry = entry->next;
    return entry;
}

struct catalog_entry *catalog_add_shadow(struct catalog *catalog,
                                         const struct catalog_shadow *shadow)
{
    struct catalog_entry **last = &catalog->entries;
    struct catalog_entry *entry = find_shadow(catalog, str_from_c(shadow->route));

    if (entry)
        return entry;
    while (*last)
        last = &(*last)->next;
    *last = create_shadow(shadow);
    catalog->shadow_count++;
    return *last;
}

void catalog_continue_shadows(struct catalog *catalog, const struct catalog *predecessor)
{
    for (size_t i = 0; i < predecessor->shadow_count; i++) {
        const struct catalog_entry *other = catalog_entry_at(predecessor, predecessor->count + i);
        struct catalog_entry *entry = find_shadow(catalog, other->routes);

        if (!entry)
            continue;
        shadow_destroy(entry->shadow);
        entry->shadow = shadow_share(other->shadow);
    }
}

/* Between catalog_enter() and catalog_leave(). */
static enum shadow_verdict compare(const struct schema *schema, const struct catalog_trial *trial,
                                   struct schema_budget *budget, struct guard_place *place)
{
    enum schema_verdict verdict;

    if (!schema)
        return SHADOW_UNAVAILABLE;
    verdict = schema_check(schema, trial->payload, budget);
    if (verdict != SCHEMA_VALID && verdict != SCHEMA_INVALID)
        return SHADOW_SKIPPED;
    if ((verdict == SCHEMA_INVALID) == (trial->refusal != NULL))
        return SHADOW_AGREES;
    if (verdict == SCHEMA_VALID)
        return SHADOW_WOULD_ACCEPT;
    guard_find_place(schema, trial->payload, budget, place);
    return SHADOW_WOULD_REFUSE;
}

/* The place at which the live schema, of any version, refuses the event. */
static void set_live_place(const struct catalog_entry *live, const struct catalog_trial *trial,
                           struct guard_place *place)
{
    const struct live_schema *now = catalog_enter(live);

    if (now->schema)
        guard_set_place(now->schema, trial->payload, trial->refusal, place);
    catalog_leave();
}

void catalog_try_shadow(struct catalog_entry *shadow, const struct catalog_entry *live,
                        const struct catalog_trial *trial, struct schema_budget *budget,
                        struct shadow_word *out)
{
    const struct live_schema *now = catalog_enter(shadow);
    char version[REGISTRY_VERSION_SIZE];

    *out = (struct shadow_word){ 0 };
    memcpy(version, now->version, sizeof(version));
    out->verdict = compare(now->schema, trial, budget, &out->place);
    catalog_leave();
    if (out->verdict == SHADOW_WOULD_ACCEPT)
        set_live_place(live, trial, &out->place);
    if (!trial->is_only_shown)
        shadow_note(shadow->shadow, &(struct shadow_pair){ trial->version, version }, out,
                    trial->now_us);
}

const char *catalog_shadow_name(const struct catalog_entry *shadow)
{
    return shadow->shadow_name;
}

size_t catalog_shadow_count(const struct catalog *catalog)
{
    return catalog->shadow_count;
}

void catalog_shadow_status(struct catalog *catalog, size_t index, struct catalog_shadow_status *out)
{
    const struct catalog_entry *entry = catalog_entry_at(catalog, catalog->count + index);

    *out = (struct catalog_shadow_status){ .route = entry->routes.ptr, .name = entry->shadow_name };
    catalog_fill_status(catalog, entry, &out->status);
    for (enum shadow_verdict i = 0; i < SHADOW_VERDICTS; i++)
        out->totals[i] = shadow_total(entry->shadow, i);
}

static void write_entry(struct catalog *catalog, const struct catalog_entry *entry, struct buf *out)
{
    struct catalog_status status;

    catalog_fill_status(catalog, entry, &status);
    buf_add_char(out, '{');
    member_text(out, "route", entry->routes);
    member_text(out, "registry", str_from_c(status.registry));
    member_text(out, "schema", str_from_c(status.schema));
    member_text(out, "shadow", str_from_c(entry->shadow_name));
    member_bool(out, "usable", status.usable);
    member_text(out, "error", str_from_c(status.error.text));
    shadow_write(entry->shadow, out);
    buf_add_char(out, '}');
}

bool catalog_write_shadow(struct catalog *catalog, struct str route, struct buf *out,
                          struct error *err)
{
    const struct catalog_entry *entry = find_shadow(catalog, route);

    if (!entry)
        return fail(err, ERR_NOT_FOUND, "no route with a shadow has this name");
    write_entry(catalog, entry, out);
    return true;
}

void catalog_write_shadows(struct catalog *catalog, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < catalog->shadow_count; i++) {
        buf_add(out, i > 0 ? STR(",") : STR(""));
        write_entry(catalog, catalog_entry_at(catalog, catalog->count + i), out);
    }
    buf_add_char(out, ']');
}
