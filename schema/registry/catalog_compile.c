/*
 * catalog_compile.c - compile a definition and those that it refers to.
 */
#include "base/memory.h"
#include "schema/registry/catalog_internal.h"
#include "schema/registry/references.h"

enum { SCHEMA_MAX_DEPTH = 256 };

/* The schemas that routes name: references to them use their pins. The caller owns the list. */
static struct registry_query *list_routed(const struct catalog *catalog)
{
    struct registry_query *list = mem_alloc_array(catalog->count + 1, sizeof(*list));
    size_t count = 0;

    for (const struct catalog_entry *entry = catalog->entries; count < catalog->count;
         entry = entry->next)
        list[count++] =
            (struct registry_query){ entry->place.registry, entry->place.schema, entry->pin };
    return list;
}

static bool compile_document(const struct catalog *catalog, const struct references *references,
                             const struct flat *document, struct schema **out, struct error *err)
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

bool catalog_compile(const struct catalog *catalog, struct catalog_entry *entry,
                     struct schema_definition *definition, struct schema **out, struct error *err)
{
    const struct flat_options reading = { .max_depth = SCHEMA_MAX_DEPTH };
    struct arena *arena = arena_create();
    const struct flat *document = NULL;

    if (!flat_read(arena, definition->text, &reading, &document, err)) {
        arena_destroy(arena);
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
        .keeps = !entry->loading && !entry->shadow && !atomic_load(&catalog->is_retired),
    };
    struct references *references = references_create(&options);
    bool ok = compile_document(catalog, references, document, out, err);

    entry->refers = references_any(references);
    if (ok)
        references_extend(references, definition->version);
    references_destroy(references);
    mem_free(routed);
    arena_destroy(arena);
    return ok;
}
