/*
 * references.c - see references.h.
 *
 * A reference is first taken as a name: resolved against its document, then as written. Then it is
 * looked for as an `$id` in the schemas that the registry lists, or that routes name.
 */
#include "schema/registry/references.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/flat.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/uri.h"
#include "schema/registry/catalog_cache.h"

enum {
    DOCUMENTS_MAX = 100,
    DOCUMENT_DEPTH = 256,
    LISTED_MAX = 10000,
    DIGEST_BYTES = 4,
    NAMES_MAX = 64 * 1024,
};

struct references {
    struct references_options options;
    struct schema_finder finder;
    struct arena *arena;
    const char *base_uri;
    struct buf *seen; /* names and versions of what was found, and names of what was not */
    size_t found;
    bool any;
    struct error failure;
};

/* One search for an `$id`. */
struct search {
    struct references *references;
    struct str id;
    struct schema_resource found;
    size_t looked_at;
    bool failed;
};

static bool find(void *self, struct str uri, struct str reference, struct schema_resource *out,
                 struct error *err);

/* As a URI. Files are below "/", so that relative references work between them. */
static const char *name_of(const struct references *references, const struct registry_query *query)
{
    bool is_glue = references->options.registry->is_glue;

    return arena_printf(references->arena, is_glue ? "%s/%s" : "/%s/%s.json", query->registry,
                        query->schema)
        .ptr;
}

struct references *references_create(const struct references_options *options)
{
    struct references *references = mem_alloc(sizeof(*references));

    references->options = *options;
    references->finder = (struct schema_finder){ .find = find, .self = references };
    references->arena = arena_create();
    references->seen = arena_buf(references->arena, NAMES_MAX);
    references->base_uri = name_of(references, &options->from);
    return references;
}

void references_destroy(struct references *references)
{
    if (!references)
        return;
    arena_destroy(references->arena);
    mem_free(references);
}

const struct schema_finder *references_finder(const struct references *references)
{
    return &references->finder;
}

const char *references_base_uri(const struct references *references)
{
    return references->base_uri;
}

bool references_any(const struct references *references)
{
    return references->any;
}

bool references_failed(const struct references *references, struct error *err)
{
    if (references->failure.code != ERR_NONE)
        *err = references->failure;
    return references->failure.code != ERR_NONE;
}

struct str references_own_version(const char *version)
{
    const char *plus = strchr(version, '+');

    return (struct str){ version, plus ? (size_t)(plus - version) : strlen(version) };
}

void references_extend(const struct references *references, char version[REGISTRY_VERSION_SIZE])
{
    uint8_t digest[SECRET_DIGEST_SIZE];
    size_t len = references_own_version(version).len;

    version[len] = '\0';
    if (references->found == 0 || len + 2 + (size_t)2 * DIGEST_BYTES > REGISTRY_VERSION_SIZE)
        return;
    secret_digest(buf_str(references->seen), digest);
    version[len++] = '+';
    for (size_t i = 0; i < DIGEST_BYTES; i++, len += 2)
        (void)snprintf(version + len, 3, "%02x", digest[i]);
}

/* Definitions. */

static const char *pin_of(const struct references *references, const struct registry_query *query)
{
    for (size_t i = 0; i < references->options.routed_count; i++) {
        const struct registry_query *routed = &references->options.routed[i];

        if (strcmp(routed->registry, query->registry) == 0 &&
            strcmp(routed->schema, query->schema) == 0)
            return routed->version;
    }
    return NULL;
}

static bool is_routed(const struct references *references, const struct registry_query *query)
{
    for (size_t i = 0; i < references->options.routed_count; i++)
        if (strcmp(references->options.routed[i].registry, query->registry) == 0 &&
            strcmp(references->options.routed[i].schema, query->schema) == 0)
            return true;
    return false;
}

static struct catalog_place place_of(const struct references *references,
                                     const struct registry_query *query)
{
    return (struct catalog_place){ references->options.cache_dir, query->registry, query->schema };
}

static bool is_same_version(const struct schema_definition *a, const struct schema_definition *b)
{
    return str_equal(references_own_version(a->version), references_own_version(b->version)) &&
           strcmp(a->uuid, b->uuid) == 0;
}

/* A schema that a route names is in the cache through its own entry. */
static void references_keep(const struct references *references, const struct registry_query *query,
                            const struct schema_definition *definition)
{
    const struct catalog_place place = place_of(references, query);
    struct schema_definition kept = { 0 };
    struct error err = { 0 };

    if (!references->options.keeps || is_routed(references, query))
        return;

    bool is_kept = catalog_cache_read(&place, &kept, &err) && is_same_version(&kept, definition);

    schema_definition_done(&kept);
    if (!is_kept && !catalog_cache_write(&place, definition, &err))
        LOG_EVENT(LOG_WARN, "schema_cache_failed", LOG_STR("registry", str_from_c(query->registry)),
                  LOG_STR("schema", str_from_c(query->schema)),
                  LOG_STR("error", str_from_c(err.text)));
}

/* Can the registry still have it? */
static bool is_passing(enum err_code code)
{
    return code == ERR_UNREACHABLE || code == ERR_THROTTLED || code == ERR_UNAVAILABLE;
}

/* From the registry, else from the cache. False and `err` not set: there is none. */
static bool references_fetch(const struct references *references, struct registry_query query,
                             struct schema_definition *out, struct error *err)
{
    const struct registry *registry = references->options.registry;
    const struct catalog_place place = place_of(references, &query);
    struct error why = { .code = ERR_UNREACHABLE, .text = "it is not in the cache" };
    struct error ignored = { 0 };

    query.version = pin_of(references, &query);
    if (!references->options.cached_only) {
        if (registry->fetch(registry->self, &query, out, &why)) {
            references_keep(references, &query, out);
            return true;
        }
        *out = (struct schema_definition){ 0 };
    }
    if (catalog_cache_read(&place, out, &ignored))
        return true;
    if (is_passing(why.code))
        *err = why;
    return false;
}

static const struct flat *read_document(const struct references *references, struct str text,
                                        struct error *err)
{
    const struct flat_options reading = { .max_depth = DOCUMENT_DEPTH };
    const struct flat *document = NULL;

    /* The caller's text ends before the compilation. */
    return flat_read(references->arena, arena_copy(references->arena, text), &reading, &document,
                     err)
               ? document
               : NULL;
}

static bool fail_document(const struct registry_query *query, struct error *err)
{
    char place[ERR_TEXT_SIZE / 2];

    (void)snprintf(place, sizeof(place), "%s/%s", query->registry, query->schema);
    return fail_within(err, place);
}

/* The definition is a document that `$ref` reaches. */
static bool references_take(struct references *references, const struct registry_query *query,
                            const struct schema_definition *definition, struct schema_resource *out,
                            struct error *err)
{
    struct str version = references_own_version(definition->version);

    if (++references->found > DOCUMENTS_MAX)
        return fail(err, ERR_MALFORMED, "refers to more than %d schemas", DOCUMENTS_MAX);
    buf_printf(references->seen, "%s/%s=%.*s %s\n", query->registry, query->schema,
               STR_ARG(version), definition->uuid);
    out->document = read_document(references, definition->text, err);
    out->uri = name_of(references, query);
    return out->document || fail_document(query, err);
}

/* By name. */

/* "R/a/S.json" is the schema "a/S" of the registry "R". False: it cannot be a name. */
static bool split_name(const struct references *references, struct str name,
                       struct registry_query *out)
{
    bool is_glue = references->options.registry->is_glue;
    const char *slash;

    if (str_starts_with(name, STR("/")))
        name = str_from(name, 1);
    if (str_ends_with(name, STR(".json")))
        name.len -= strlen(".json");
    slash = name.len > 0 ? memchr(name.ptr, '/', name.len) : NULL;
    if (!slash || slash == name.ptr || memchr(name.ptr, ':', name.len) ||
        memchr(name.ptr, '\0', name.len))
        return false;

    struct str schema = str_from(name, (size_t)(slash - name.ptr) + 1);

    if (schema.len == 0 || (is_glue && memchr(schema.ptr, '/', schema.len)))
        return false;
    out->registry =
        arena_copy(references->arena, (struct str){ name.ptr, name.len - schema.len - 1 }).ptr;
    out->schema = arena_copy(references->arena, schema).ptr;
    return true;
}

/* Does it leave the registry's folder? */
static bool climbs(struct str name)
{
    struct str rest = name;

    while (rest.len > 0) {
        const char *slash = memchr(rest.ptr, '/', rest.len);
        size_t len = slash ? (size_t)(slash - rest.ptr) : rest.len;

        if (str_equal((struct str){ rest.ptr, len }, STR("..")))
            return true;
        rest = str_from(rest, slash ? len + 1 : len);
    }
    return false;
}

static bool find_named(struct references *references, struct str uri, struct schema_resource *out,
                       struct error *err)
{
    struct str name = uri_decode(references->arena, uri);
    struct schema_definition definition = { 0 };
    struct registry_query query = { 0 };
    bool ok = true;

    if (climbs(name) || !split_name(references, name, &query))
        return true;
    if (references_fetch(references, query, &definition, err))
        ok = references_take(references, &query, &definition, out, err);
    else
        ok = err->code == ERR_NONE;
    schema_definition_done(&definition);
    return ok;
}

/* By `$id`. */

static bool has_id(const struct flat *document, struct str id)
{
    const struct str keys[] = { STR("$id"), STR("id") };

    for (size_t i = 0; i < COUNT_OF(keys) && document && flat_is_object(document); i++) {
        struct str own = flat_find_str(document, keys[i]);

        if (str_ends_with(own, STR("#")))
            own.len--;
        if (own.len > 0 && str_equal(own, id))
            return true;
    }
    return false;
}

/* False ends the listing. */
static bool look_at(void *self, const struct registry_query *query)
{
    struct search *search = self;
    struct references *references = search->references;
    struct schema_definition definition = { 0 };
    struct error *err = &references->failure;
    struct error ignored;

    if (++search->looked_at > LISTED_MAX)
        return false;
    if (strcmp(query->registry, references->options.from.registry) == 0 &&
        strcmp(query->schema, references->options.from.schema) == 0)
        return true;
    if (!references_fetch(references, *query, &definition, err)) {
        search->failed = err->code != ERR_NONE;
        return !search->failed;
    }
    /* Most texts do not contain it. */
    if (memmem(definition.text.ptr, definition.text.len, search->id.ptr, search->id.len) &&
        has_id(read_document(references, definition.text, &ignored), search->id))
        search->failed = !references_take(references, query, &definition, &search->found, err);
    schema_definition_done(&definition);
    return !search->failed && !search->found.document;
}

static bool find_id(struct references *references, struct str uri, struct schema_resource *out,
                    struct error *err)
{
    const struct registry *registry = references->options.registry;
    struct search search = { .references = references, .id = uri };
    bool goes_on = uri.len > 0;

    if (registry->list && goes_on) {
        registry->list(registry->self, look_at, &search);
        goes_on = false;
    }
    for (size_t i = 0; i < references->options.routed_count && goes_on; i++)
        goes_on = look_at(&search, &references->options.routed[i]);
    if (search.failed)
        *err = references->failure;
    else
        *out = search.found;
    return !search.failed;
}

/* As resolved; relative to the schema with the reference, whatever its `$id`; as written. */
static bool find_by_names(struct references *references, struct str uri, struct str reference,
                          struct schema_resource *out)
{
    struct str names[] = { uri, STR_NONE, reference };

    (void)uri_resolve(references->arena, str_from_c(references->base_uri), reference, &names[1]);
    for (size_t i = 0; i < COUNT_OF(names) && !out->document; i++)
        if ((i == 0 || !str_equal(names[i], uri)) &&
            !find_named(references, names[i], out, &references->failure))
            return false;
    return true;
}

static bool find(void *self, struct str uri, struct str reference, struct schema_resource *out,
                 struct error *err)
{
    struct references *references = self;
    struct error *failure = &references->failure;

    references->any = true;
    *out = (struct schema_resource){ 0 };
    if (!find_by_names(references, uri, reference, out) ||
        (!out->document && !find_id(references, uri, out, failure))) {
        *err = *failure;
        return false;
    }
    if (!out->document)
        buf_printf(references->seen, "-%.*s\n", STR_ARG(uri));
    return true;
}
