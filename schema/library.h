/*
 * library.h - the documents of a schema: indexes their subschemas, resources and anchors, and
 * resolves references.
 *
 * A document is walked once when it is added, through the keywords that contain subschemas. An
 * `$id` elsewhere (in `const`, in an unknown keyword) has no effect. The documents in
 * schema_options.resources are added when a reference needs them. Documents are borrowed until the
 * compilation ends.
 *
 * Threads: belongs to one compilation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/flat.h"
#include "schema/dialect.h"
#include "schema/lookup.h"
#include "schema/schema.h"

/** A subschema, and its path from the parent: the subschema that contains it. */
struct location {
    const struct flat *value;
    const char *keyword; /* NULL: `key` is a JSON Pointer from the parent, to a value that is not in
                            a keyword with subschemas */
    struct str key;      /* below the keyword: a member's name; ptr NULL: none */
    int32_t index;       /* below the keyword: an element's index; -1: none */
    uint32_t parent;     /* a document's root is its own parent */
    uint32_t resource;
    uint32_t node;     /* NO_NODE: no node was created for it */
    uint32_t keywords; /* library.keywords of its members begin here; only if it is an object */
    bool refers;       /* it has a `$ref` */
    bool nests;        /* it has a keyword that can contain subschemas */
};

struct resource {
    struct str uri; /* without fragment; may be empty or relative */
    struct dialect dialect;
    uint32_t location; /* its root */
    uint32_t document;
    bool recursive; /* it has `$recursiveAnchor: true` */
    bool entered;   /* set by the compiler: a node of it exists, so it can be in scope */
};

struct anchor {
    struct str name;
    uint32_t resource;
    uint32_t location;
    bool dynamic;
};

struct document {
    const struct flat *root;
    uint32_t resource; /* that of its root */
    bool bundled;      /* trusted: its metaschema is not checked */
    bool mixed;        /* it has resources of several dialects, so no metaschema fits all of it */
};

/** The URI by which a resource was found, if its `$id` is different. */
struct alias {
    struct str uri;
    uint32_t resource;
};

struct library {
    struct arena *arena; /* for bundled documents and names */
    const struct schema_options *options;
    struct location *locations;
    struct resource *resources;
    struct anchor *anchors;
    struct document *documents;
    struct alias *aliases;
    const struct keyword **keywords; /* of each member of each location; NULL: not a keyword */
    bool *added;                     /* for each of options->resources: is its document added? */
    uint32_t location_count, resource_count, anchor_count;
    uint32_t document_count, alias_count, keyword_count;
    size_t location_capacity, resource_capacity, anchor_capacity;
    size_t document_capacity, alias_capacity, keyword_capacity;
    struct lookup by_value; /* locations by the addresses of their values */
    struct lookup anchor_names;
    struct lookup resource_uris; /* by the current URI; a URI before `$id` is an alias */
};

#define NO_LOCATION UINT32_MAX

/** `options` and what it points to are borrowed until library_done(). */
void library_init(struct library *library, const struct schema_options *options);

void library_done(struct library *library);

/** Add a document, with the base URI `uri` unless it has an `$id`. `*root`: its root's location. */
NODISCARD bool library_add(struct library *library, const struct flat *document, struct str uri,
                           uint32_t *root, struct error *err);

/** The location of a subschema, by the address of its value; or NO_LOCATION. */
uint32_t library_find(const struct library *library, const struct flat *value);

/** The target of a reference. */
struct reference {
    uint32_t location;           /* NO_LOCATION: there is no target */
    const struct anchor *anchor; /* NULL: the fragment is not the name of an anchor */
};

/**
 * Resolve `reference` in the subschema `from`. ERR_MALFORMED when the document that it refers to is
 * not a schema.
 */
NODISCARD bool library_resolve(struct library *library, uint32_t from, struct str reference,
                               struct reference *out, struct error *err);

/** The anchor `name` of a resource, or NULL. */
const struct anchor *library_anchor(const struct library *library, uint32_t resource,
                                    struct str name);

/** Append a location's JSON Pointer; except in the first document, after its URI and `#`. */
void library_print(const struct library *library, uint32_t location, struct buf *out);

/** The dialect of the `$schema` `uri`; if that is unknown, `*fallback` with `unknown` set. */
NODISCARD bool library_dialect(struct library *library, struct str uri,
                               const struct dialect *fallback, struct dialect *out,
                               struct error *err);

/* library_walk.c; used in library*.c only. */

/**
 * Add the location `where` and those of all subschemas in its value, with their resources and
 * anchors. `*out` (may be NULL): its number. `is_root`: it is a document's root.
 */
NODISCARD bool library_walk(struct library *library, const struct location *where, bool is_root,
                            uint32_t *out, struct error *err);

/** Make library_resource() find a resource by its URI. */
void library_name(struct library *library, uint32_t resource);

/** Make library_resource() find a resource by the URI `uri`, too. */
void library_alias(struct library *library, struct str uri, uint32_t resource);

/** The resource with this URI, among the documents added so far; or UINT32_MAX. */
uint32_t library_resource(const struct library *library, struct str uri);
