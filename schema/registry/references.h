/*
 * references.h - the other schemas of the registry that a schema refers to.
 *
 * `$ref` names them by `<registry>/<schema>`, in the file registry also by a file name relative to
 * the file with the reference, or by their `$id`. The schemas found and their versions are part of
 * the version of the schema with the reference: "3" becomes "3+5f0c99ab". So a change of a schema
 * is a new version of every schema that refers to it.
 *
 * Each document found is kept in the cache. It is read from there when the registry does not have
 * it any more, or does not answer.
 *
 * Threads: belongs to one compilation.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "schema/registry/registry.h"
#include "schema/schema.h"

struct references;

struct references_options {
    const struct registry *registry;
    struct registry_query from; /* the schema with the references */
    const struct registry_query
        *routed;           /* all schemas that routes name, with their pins: when the */
    size_t routed_count;   /* registry cannot list, an `$id` is looked for in them */
    const char *cache_dir; /* "": no cache */
    bool cached_only;      /* do not ask the registry */
    bool keeps;            /* write the documents found to the cache */
};

/** `options` and what it points to must outlive it. The caller owns it. */
struct references *references_create(const struct references_options *options);

/** NULL is fine. Frees the documents found, too. */
void references_destroy(struct references *references);

/** For schema_compile(): its options `finder` and `base_uri`. */
const struct schema_finder *references_finder(const struct references *references);

const char *references_base_uri(const struct references *references);

/** Was there any reference to another schema, found or not? */
bool references_any(const struct references *references);

/** Extend `version` by the schemas found and their versions. */
void references_extend(const struct references *references, char version[REGISTRY_VERSION_SIZE]);

/** The part of a version that the registry knows: "3" of "3+5f0c99ab". */
struct str references_own_version(const char *version);

/** Did the search itself fail, so that a later compilation can succeed? Sets `*err`. */
bool references_failed(const struct references *references, struct error *err);
