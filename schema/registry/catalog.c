/*
 * catalog.c - see catalog.h: the entries, their readers and their status. Other parts are in
 * catalog_work.c (threads and schedule), catalog_look.c, catalog_compile.c, catalog_guard.c (the
 * steps of a look), catalog_keep.c (files), catalog_texts.c and catalog_shadow.c.
 */
#include "schema/registry/catalog.h"

#include "base/clock.h"
#include "base/epoch.h"
#include "base/memory.h"
#include "schema/registry/catalog_internal.h"

/* Room for about 50,000 property names; names beyond are compared by their bytes. */
enum { SYMBOLS_MAX_BYTES = 2 << 20 };

/* Names of routes for a line of the log; of many, the first are enough. */
enum { ROUTES_MAX_BYTES = 500 };

struct catalog *catalog_create(const struct catalog_options *options)
{
    struct catalog *catalog = mem_alloc(sizeof(*catalog));

    catalog->options = *options;
    if (!catalog->options.cache_dir)
        catalog->options.cache_dir = "";
    catalog->symbols = json_symbols_create(SYMBOLS_MAX_BYTES);
    for (size_t i = 0; i < options->key_count; i++)
        (void)json_symbols_add(catalog->symbols, options->keys[i]);
    catalog->random = (uint64_t)clock_now_us();
    (void)pthread_mutex_init(&catalog->mutex, NULL);
    clock_init_condition(&catalog->wake);
    return catalog;
}

static void live_destroy(struct live_schema *live)
{
    schema_destroy(live->schema);
    mem_free(live);
}

static void entry_destroy(struct catalog_entry *entry)
{
    live_destroy(atomic_load(&entry->live));
    schema_definition_done(&entry->definition);
    schema_definition_done(&entry->inherited);
    samples_destroy(entry->samples);
    catalog_destroy_shadow(entry);
    catalog_free_texts(entry);
    mem_free((void *)entry->routes.ptr);
    mem_free((void *)entry->place.registry);
    mem_free((void *)entry->place.schema);
    mem_free(entry);
}

void catalog_destroy(struct catalog *catalog)
{
    if (!catalog)
        return;
    catalog_stop(catalog);
    while (catalog->entries) {
        struct catalog_entry *entry = catalog->entries;

        catalog->entries = entry->next;
        entry_destroy(entry);
    }
    json_symbols_destroy(catalog->symbols);
    catalog->options.registry.destroy(catalog->options.registry.self);
    (void)pthread_cond_destroy(&catalog->wake);
    (void)pthread_mutex_destroy(&catalog->mutex);
    mem_free(catalog);
}

/* The version that "<registry>/<schema>" is pinned to, or NULL. */
static const char *find_pin(const struct catalog *catalog, const char *registry, const char *schema)
{
    size_t len = strlen(registry);

    for (size_t i = 0; i < catalog->options.pin_count; i++) {
        const struct catalog_pin *pin = &catalog->options.pins[i];

        if (strncmp(pin->schema, registry, len) == 0 && pin->schema[len] == '/' &&
            strcmp(pin->schema + len + 1, schema) == 0)
            return pin->version;
    }
    return NULL;
}

struct catalog_entry *catalog_create_entry(const char *registry, const char *schema)
{
    struct catalog_entry *entry = mem_alloc(sizeof(*entry));
    struct live_schema *live = mem_alloc(sizeof(*live));

    entry->place = (struct catalog_place){
        .dir = "",
        .registry = mem_copy_string(registry),
        .schema = mem_copy_string(schema),
    };
    (void)fail(&live->error, ERR_UNAVAILABLE, "the schema registry has not answered yet");
    entry->error = live->error;
    atomic_store(&entry->live, live);
    return entry;
}

static struct catalog_entry *create_live_entry(struct catalog *catalog, const char *registry,
                                               const char *schema)
{
    struct catalog_entry *entry = catalog_create_entry(registry, schema);

    entry->place.dir = catalog->options.cache_dir;
    entry->pin = find_pin(catalog, registry, schema);
    if (catalog->options.guard != CATALOG_GUARD_OFF && catalog->options.guard_samples > 0 &&
        !entry->pin)
        entry->samples = samples_create(catalog->options.guard_samples);
    return entry;
}

struct catalog_entry *catalog_add(struct catalog *catalog, const char *registry, const char *schema)
{
    struct catalog_entry **last = &catalog->entries;
    struct catalog_entry *entry;

    for (; *last && !(*last)->shadow; last = &(*last)->next)
        if (strcmp((*last)->place.registry, registry) == 0 &&
            strcmp((*last)->place.schema, schema) == 0)
            return *last;
    entry = create_live_entry(catalog, registry, schema);
    entry->next = *last;
    *last = entry;
    catalog->count++;
    atomic_fetch_add(&catalog->unready, 1);
    return entry;
}

void catalog_name_route(struct catalog *catalog, struct catalog_entry *entry, const char *route)
{
    CLEANUP(buf_done) struct buf names = { 0 };

    if (catalog->running || entry->routes.len > ROUTES_MAX_BYTES)
        return;
    buf_init(&names, SIZE_MAX);
    buf_add(&names, entry->routes);
    buf_add(&names, entry->routes.len ? STR(",") : STR(""));
    buf_add(&names, str_from_c(route));
    mem_free((void *)entry->routes.ptr);
    entry->routes = (struct str){ mem_copy(names.ptr, names.len), names.len };
}

void catalog_retire(struct catalog *catalog)
{
    atomic_store(&catalog->is_retired, true);
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

bool catalog_is_whole(const struct catalog *catalog)
{
    return atomic_load_explicit(&catalog->unready, memory_order_acquire) == 0;
}

void catalog_accepted(struct catalog_entry *entry, const struct flat *payload, int64_t now_us)
{
    if (entry->samples)
        samples_offer(entry->samples, payload, now_us);
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

struct catalog_entry *catalog_entry_at(const struct catalog *catalog, size_t index)
{
    struct catalog_entry *entry = catalog->entries;

    while (index-- > 0)
        entry = entry->next;
    return entry;
}

void catalog_warnings(const struct catalog *catalog, size_t index,
                      void (*visit)(void *self, struct str warning), void *self)
{
    const struct live_schema *live = catalog_enter(catalog_entry_at(catalog, index));
    size_t count = 0;
    const struct str *warnings = live->schema ? schema_warnings(live->schema, &count) : NULL;

    for (size_t i = 0; i < count; i++)
        visit(self, warnings[i]);
    catalog_leave();
}

struct str catalog_definition(struct catalog *catalog, const struct catalog_entry *entry)
{
    struct str text;

    (void)pthread_mutex_lock(&catalog->mutex);
    text = entry->definition.text;
    text.ptr = mem_copy(text.len ? text.ptr : "", text.len);
    (void)pthread_mutex_unlock(&catalog->mutex);
    return text;
}

static void copy_live(const struct catalog_entry *entry, struct catalog_status *out)
{
    const struct live_schema *live = catalog_enter(entry);

    out->usable = live->schema != NULL;
    memcpy(out->version, live->version, sizeof(out->version));
    catalog_leave();
}

/* Only the latest version ages: a pinned one never changes. */
static int64_t age_us(const struct catalog_entry *entry)
{
    return entry->confirmed_us && !entry->pin ? clock_monotonic_us() - entry->confirmed_us : 0;
}

void catalog_fill_status(struct catalog *catalog, const struct catalog_entry *entry,
                         struct catalog_status *out)
{
    *out = (struct catalog_status){
        .registry = entry->place.registry,
        .schema = entry->place.schema,
    };
    copy_live(entry, out);
    (void)pthread_mutex_lock(&catalog->mutex);
    out->error = entry->error;
    out->age_us = age_us(entry);
    out->since_us = out->usable ? entry->since_us : 0;
    out->looked_ago_us = entry->looked_us ? clock_monotonic_us() - entry->looked_us : -1;
    out->refreshed = entry->refreshed;
    out->failed = entry->failed;
    out->held = entry->held;
    out->guard_refusals = entry->guard_refusals;
    memcpy(out->suspect, entry->suspect, sizeof(out->suspect));
    out->finding = entry->finding;
    (void)pthread_mutex_unlock(&catalog->mutex);
    out->suspect_is_live = out->suspect[0] && strcmp(out->suspect, out->version) == 0;
}

void catalog_status(struct catalog *catalog, size_t index, struct catalog_status *out)
{
    catalog_fill_status(catalog, catalog_entry_at(catalog, index), out);
}

static struct catalog_entry *find_entry(struct catalog *catalog,
                                        const struct catalog_status *wanted)
{
    struct catalog_entry *entry = catalog->entries;

    while (entry && !entry->shadow &&
           (strcmp(entry->place.registry, wanted->registry) != 0 ||
            strcmp(entry->place.schema, wanted->schema) != 0))
        entry = entry->next;
    return entry && !entry->shadow ? entry : NULL;
}

static void inherit_samples(struct catalog_entry *entry, const struct catalog_entry *other)
{
    samples_destroy(entry->samples);
    entry->samples = samples_share(other->samples);
}

static void inherit_counts(struct catalog_entry *entry, const struct catalog_status *other)
{
    entry->refreshed += other->refreshed;
    entry->failed += other->failed;
    entry->held += other->held;
    entry->guard_refusals += other->guard_refusals;
}

static void inherit_suspect(struct catalog_entry *entry, const struct catalog_status *other)
{
    memcpy(entry->suspect, other->suspect, sizeof(entry->suspect));
    entry->finding = other->finding;
}

void catalog_continue(struct catalog *catalog, struct catalog *predecessor, bool same_registry)
{
    const struct catalog_options *now = &catalog->options;
    const struct catalog_options *before = &predecessor->options;
    const struct catalog_entry *other = predecessor->entries;

    for (size_t i = 0; i < predecessor->count; i++, other = other->next) {
        struct catalog_status status;
        struct catalog_entry *entry;

        catalog_status(predecessor, i, &status);
        entry = find_entry(catalog, &status);
        if (!entry)
            continue;
        inherit_counts(entry, &status);
        if (same_registry)
            catalog_inherit_texts(predecessor, other, entry);
        if (!entry->samples || !other->samples)
            continue;
        if (now->guard_samples == before->guard_samples)
            inherit_samples(entry, other);
        if (same_registry && now->guard == before->guard)
            inherit_suspect(entry, &status);
    }
    catalog_continue_shadows(catalog, predecessor);
}
