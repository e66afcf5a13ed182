/*
 * library.c - add documents, and determine their dialects; see library.h.
 */
#include "schema/library.h"

#include "base/memory.h"
#include "base/uri.h"

/* The longest chain of custom metaschemas by `$schema`. A cycle of them has no draft. */
enum { METASCHEMA_CHAIN_MAX = 8 };

void library_init(struct library *library, const struct schema_options *options)
{
    *library = (struct library){ .arena = arena_create(), .options = options };
    library->added = mem_alloc_array(options->resource_count + 1, sizeof(bool));
}

void library_done(struct library *library)
{
    mem_free(library->locations);
    mem_free(library->resources);
    mem_free(library->anchors);
    mem_free(library->documents);
    mem_free(library->aliases);
    mem_free(library->keywords);
    mem_free(library->added);
    arena_destroy(library->arena);
}

bool library_add(struct library *library, const struct flat *document, struct str uri,
                 uint32_t *root, struct error *err)
{
    struct dialect dialect = dialect_of(library->options->draft);
    uint32_t resource = library->resource_count;
    uint32_t number = library->document_count;
    struct str fragment;

    uri_split_fragment(uri, &uri, &fragment);
    if (flat_is_object(document)) {
        struct str name = flat_find_str(document, STR("$schema"));

        if (name.len > 0 && !library_dialect(library, name, &dialect, &dialect, err))
            return false;
    }
    library->resources = mem_grow(library->resources, resource, &library->resource_capacity,
                                  sizeof(struct resource));
    library->resources[library->resource_count++] = (struct resource){
        .uri = uri,
        .dialect = dialect,
        .location = library->location_count,
        .document = number,
    };
    library_name(library, resource);
    library->documents =
        mem_grow(library->documents, number, &library->document_capacity, sizeof(struct document));
    library->documents[library->document_count++] =
        (struct document){ .root = document, .resource = resource };

    struct location where = {
        .value = document, .parent = library->location_count, .resource = resource, .index = -1
    };

    if (!library_walk(library, &where, true, root, err))
        return false;
    return true;
}

/* Dialects. */

static const struct flat *find_metaschema(const struct library *library, struct str uri)
{
    struct str fragment;
    uint32_t resource;

    uri_split_fragment(uri, &uri, &fragment);
    for (size_t i = 0; i < library->options->resource_count; i++) {
        struct str candidate = str_from_c(library->options->resources[i].uri);

        uri_split_fragment(candidate, &candidate, &fragment);
        if (str_equal(candidate, uri))
            return library->options->resources[i].document;
    }
    resource = library_resource(library, uri);
    if (resource == UINT32_MAX)
        return NULL;
    return library->locations[library->resources[resource].location].value;
}

static bool read_vocabularies(const struct flat *metaschema, struct dialect *dialect,
                              struct error *err)
{
    const struct flat *object = flat_find(metaschema, STR("$vocabulary"));
    unsigned bits = VOCABULARY_CORE;

    if (dialect->draft > SCHEMA_DRAFT_2019_09 || !object || !flat_is_object(object))
        return true;
    for (FLAT_EACH(member, object)) {
        unsigned bit = dialect_vocabulary(flat_key(member), &dialect->assert_formats);

        if (bit == 0 && flat_is_true(member))
            return fail(err, ERR_MALFORMED,
                        "$schema: the metaschema requires the unknown "
                        "vocabulary %.*s",
                        STR_ARG(flat_key(member)));
        bits |= bit;
    }
    dialect->vocabularies = bits;
    return true;
}

bool library_dialect(struct library *library, struct str uri, const struct dialect *fallback,
                     struct dialect *out, struct error *err)
{
    const struct flat *first = find_metaschema(library, uri);
    struct str name = uri;
    enum schema_draft draft;

    for (int i = 0; !dialect_draft(name, &draft); i++) {
        const struct flat *metaschema = find_metaschema(library, name);

        if (!metaschema || !flat_is_object(metaschema) || i == METASCHEMA_CHAIN_MAX) {
            *out = *fallback;
            out->unknown = true;
            return true;
        }
        name = flat_find_str(metaschema, STR("$schema"));
    }

    struct dialect dialect = dialect_of(draft);

    if (str_equal(name, uri)) {
        *out = dialect;
        return true;
    }
    dialect.metaschema = first;
    dialect.metaschema_uri = uri;
    if (!read_vocabularies(first, &dialect, err))
        return false;
    *out = dialect;
    return true;
}
