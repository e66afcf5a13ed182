/*
 * references.h - the other schemas of the registry that a schema refers to.
 *
 * `$ref` names them by `<registry>/<schema>`, in the file registry also by a file name relative to
 * the file that refers, or by their `$id`. What was found, and in which versions, is part of the
 * version of the schema that refers: "3" becomes "3+5f0c99ab", so that a change of a schema that is
 * referred to is a new version of all that refer to it.
 *
 * Each document that was found is kept in the cache, where it is taken from when the registry has
 * it no more or does not answer.
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
    struct registry_query from;          /* the schema that refers */
    const struct registry_query *routed; /* all schemas that routes name, with their pins; */
    size_t routed_count;                 /* where a registry cannot list, an `$id` may be theirs */
    const char *cache_dir;               /* "": nothing is kept */
    bool cached_only;                    /* do not ask the registry */
    bool keeps;                          /* write what was found to the cache */
};

/** `options` and what it points to must outlive it. The caller owns it. */
struct references *references_create(const struct references_options *options);

/** NULL is fine. The documents that were found go with it. */
void references_destroy(struct references *references);

/** What schema_compile() needs to find them; `base_uri` is to be its option of that name. */
const struct schema_finder *references_finder(const struct references *references);

const char *references_base_uri(const struct references *references);

/** Was there any reference to another schema, found or not? */
bool references_any(const struct references *references);

/** Make `version` the one of the schema together with all that was found. */
void references_extend(const struct references *references, char version[REGISTRY_VERSION_SIZE]);

/** The part of a version that the registry knows: "3" of "3+5f0c99ab". */
struct str references_own_version(const char *version);

/** Did the search itself fail, so that the schema may yet compile later? Then `*err` says why. */
bool references_failed(const struct references *references, struct error *err);
