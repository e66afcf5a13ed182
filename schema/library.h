/*
 * library.h - the documents that a schema is made of: where its subschemas, resources and anchors
 * are, and what a reference means.
 *
 * A document is walked once, along the keywords that hold subschemas; an `$id` elsewhere (in
 * `const`, in an unknown keyword) names nothing. Documents handed over are taken up when a
 * reference asks for them. All are borrowed: what outlives the compilation is copied.
 *
 * Threads: belongs to one compilation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "schema/dialect.h"
#include "schema/lookup.h"
#include "schema/schema.h"

/** One subschema and how it is reached from the one around it. */
struct location {
    struct json_object *value;
    const char *keyword; /* NULL: `key` is a pointer from the parent, to a place no keyword holds */
    const char *key;     /* below the keyword: a member's name, or NULL */
    int32_t index;       /* below the keyword: an element, or -1 */
    uint32_t parent;     /* itself for a document's root */
    uint32_t resource;
    uint32_t node;     /* NO_NODE: not compiled */
    uint32_t keywords; /* of its members, one after the other; only an object has them */
    bool refers;       /* one of them is `$ref` */
    bool nests;        /* one of them may hold subschemas */
};

struct resource {
    struct str uri; /* without fragment; may be empty or relative */
    struct dialect dialect;
    uint32_t location; /* its root */
    uint32_t document;
    bool recursive; /* $recursiveAnchor: true */
    bool entered;   /* the compiler's: a node of it is compiled */
};

struct anchor {
    struct str name;
    uint32_t resource;
    uint32_t location;
    bool dynamic;
};

struct document {
    struct json_object *root;
    uint32_t resource;
    bool bundled; /* known to be right */
    bool mixed;   /* holds resources of another dialect: no one metaschema fits it */
};

/** A URI by which a resource was handed over, when its `$id` says another. */
struct alias {
    struct str uri;
    uint32_t resource;
};

struct library {
    struct arena *arena; /* bundled documents and names */
    const struct schema_options *options;
    struct location *locations;
    struct resource *resources;
    struct anchor *anchors;
    struct document *documents;
    struct alias *aliases;
    const struct keyword **keywords; /* NULL for a member that is none */
    bool *taken;                     /* which of options->resources */
    uint32_t location_count, resource_count, anchor_count;
    uint32_t document_count, alias_count, keyword_count;
    size_t location_capacity, resource_capacity, anchor_capacity;
    size_t document_capacity, alias_capacity, keyword_capacity;
    struct lookup by_value; /* locations by the addresses of their values */
    struct lookup anchor_names;
    struct lookup resource_uris; /* those that a resource had before are no longer its own */
};

#define NO_LOCATION UINT32_MAX

/** `options` and what it points to are borrowed until library_done(). */
void library_init(struct library *library, const struct schema_options *options);

void library_done(struct library *library);

/**
 * Walk a document; its root is the resource `uri` unless its `$id` says another. Its location in
 * `*root`.
 */
NODISCARD bool library_add(struct library *library, struct json_object *document, struct str uri,
                           uint32_t *root, struct error *err);
/** The location whose value this is, or NO_LOCATION. */
uint32_t library_find(const struct library *library, struct json_object *value);

/** What `$ref` found. */
struct reference {
    uint32_t location;           /* NO_LOCATION: there is no such place */
    const struct anchor *anchor; /* the fragment was its name; NULL: a pointer, or none */
};

/** What `reference` means at `from`. ERR_MALFORMED when the document it leads to is no schema. */
NODISCARD bool library_resolve(struct library *library, uint32_t from, struct str reference,
                               struct reference *out, struct error *err);

/** The anchor of a resource, or NULL. */
const struct anchor *library_anchor(const struct library *library, uint32_t resource,
                                    struct str name);

/** Add the JSON Pointer of a location, behind its document's URI and `#` if that is not "". */
void library_print(const struct library *library, uint32_t location, struct buf *out);

/** The dialect that a `$schema` names, or `fallback` when it is unknown. */
NODISCARD bool library_dialect(struct library *library, struct str uri,
                               const struct dialect *fallback, struct dialect *out,
                               struct error *err);

/* library_walk.c, for library*.c. */

/** Register the subschemas of `where->value`, which is at `where`. */
NODISCARD bool library_walk(struct library *library, const struct location *where, bool is_root,
                            uint32_t *out, struct error *err);

/** Let library_resource() know this resource's URI. */
void library_name(struct library *library, uint32_t resource);

/** Let library_resource() know this resource by another URI, too. */
void library_alias(struct library *library, struct str uri, uint32_t resource);

/** A resource with this URI, or UINT32_MAX. Nothing is loaded. */
uint32_t library_resource(const struct library *library, struct str uri);
