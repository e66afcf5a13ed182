/*
 * library_resolve.c - resolve references.
 *
 * A JSON Pointer can refer to a value that is not in a keyword with subschemas, such as a value
 * below an unknown keyword. The reference makes this value a subschema. A pointer may also cross
 * into an embedded resource; then its target belongs to the innermost resource.
 */
#include "base/memory.h"
#include "base/uri.h"
#include "schema/library.h"
#include "schema/metaschema.h"

/* Add documents. */

static bool library_add_resource(struct library *library, size_t number, struct error *err)
{
    const struct schema_resource *resource = &library->options->resources[number];
    uint32_t root;

    library->added[number] = true;
    if (!library_add(library, resource->document, str_from_c(resource->uri), &root, err))
        return fail_within(err, resource->uri);
    return true;
}

static bool library_add_named(struct library *library, struct str uri, struct error *err)
{
    for (size_t i = 0; i < library->options->resource_count; i++) {
        struct str name;
        struct str fragment;

        uri_split_fragment(str_from_c(library->options->resources[i].uri), &name, &fragment);
        if (!library->added[i] && str_equal(name, uri))
            return library_add_resource(library, i, err);
    }
    return true;
}

static bool library_add_bundled(struct library *library, struct str uri, struct error *err)
{
    const struct flat *document;
    struct str text;
    uint32_t root;

    if (!metaschema_find(uri, &text))
        return true;
    if (!flat_read(library->arena, text, NULL, &document, err) ||
        !library_add(library, document, uri, &root, err))
        return false;
    library->documents[library->document_count - 1].bundled = true;
    return true;
}

static bool library_add_all(struct library *library, struct error *err)
{
    for (size_t i = 0; i < library->options->resource_count; i++) {
        if (!library->added[i] && !library_add_resource(library, i, err))
            return false;
    }
    return true;
}

/* Add the document that the finder finds. `*out` stays UINT32_MAX when it finds none. */
static bool library_add_found(struct library *library, struct str uri, struct str reference,
                              uint32_t *out, struct error *err)
{
    const struct schema_finder *finder = library->options->finder;
    struct schema_resource found = { 0 };
    uint32_t root;

    if (!finder)
        return true;
    if (!finder->find(finder->self, uri, reference, &found, err))
        return false;
    if (!found.document)
        return true;
    *out = library_resource(library, str_from_c(found.uri));
    if (*out == UINT32_MAX) {
        if (!library_add(library, found.document, str_from_c(found.uri), &root, err))
            return fail_within(err, found.uri);
        *out = library->locations[root].resource;
    }
    if (library_resource(library, uri) == UINT32_MAX)
        library_alias(library, uri, *out);
    return true;
}

/*
 * The resource with the URI `uri`; UINT32_MAX: there is none. If no document added so far has it,
 * adds documents: the one with this URI in the options, or the bundled one; then all documents of
 * the options; then the one that the finder finds.
 */
static bool get_resource(struct library *library, struct str uri, struct str reference,
                         uint32_t *out, struct error *err)
{
    bool (*const sources[])(struct library *, struct str, struct error *) = { library_add_named,
                                                                              library_add_bundled };

    *out = library_resource(library, uri);
    for (size_t i = 0; i < COUNT_OF(sources) && *out == UINT32_MAX; i++) {
        if (!sources[i](library, uri, err))
            return false;
        *out = library_resource(library, uri);
    }
    if (*out == UINT32_MAX) {
        if (!library_add_all(library, err))
            return false;
        *out = library_resource(library, uri);
    }
    return *out != UINT32_MAX || library_add_found(library, uri, reference, out, err);
}

/* Pointers. */

/* NULL: there is no such value. */
static const struct flat *follow_token(const struct flat *value, struct str token)
{
    if (flat_is_object(value))
        return flat_find(value, token);
    return flat_is_array(value) ? flat_at(value, json_pointer_index(token)) : NULL;
}

/*
 * The value that `pointer` refers to, relative to the location `*nearest`; NULL: none. Sets
 * `*nearest` to the last location on the path, and `*rest` to the part of the pointer below it.
 */
static const struct flat *follow_pointer(const struct library *library, struct str pointer,
                                         uint32_t *nearest, struct str *rest)
{
    const struct flat *value = library->locations[*nearest].value;

    *rest = pointer;
    while (pointer.len > 0) {
        value = follow_token(value, json_pointer_take(&pointer, library->arena));
        if (!value)
            return NULL;

        uint32_t location = library_find(library, value);

        if (location != NO_LOCATION) {
            *nearest = location;
            *rest = pointer;
        }
    }
    return value;
}

static bool find_pointer(struct library *library, uint32_t resource, struct str pointer,
                         uint32_t *out, struct error *err)
{
    uint32_t nearest = library->resources[resource].location;
    struct str rest;
    const struct flat *value = follow_pointer(library, pointer, &nearest, &rest);

    *out = NO_LOCATION;
    if (!value)
        return true;
    if (rest.len == 0) {
        *out = nearest;
        return true;
    }

    struct location where = {
        .value = value,
        .key = arena_copy(library->arena, rest),
        .index = -1,
        .parent = nearest,
        .resource = library->locations[nearest].resource,
    };

    if (!library_walk(library, &where, false, out, err))
        return false;
    return true;
}

static bool find_fragment(struct library *library, uint32_t resource, struct str fragment,
                          struct reference *out, struct error *err)
{
    struct str decoded = uri_decode(library->arena, fragment);

    *out = (struct reference){ .location = NO_LOCATION };
    if (decoded.len == 0) {
        out->location = library->resources[resource].location;
        return true;
    }
    if (decoded.ptr[0] == '/')
        return find_pointer(library, resource, decoded, &out->location, err);
    out->anchor = library_anchor(library, resource, decoded);
    if (out->anchor)
        out->location = out->anchor->location;
    return true;
}

bool library_resolve(struct library *library, uint32_t from, struct str reference,
                     struct reference *out, struct error *err)
{
    uint32_t resource = library->locations[from].resource;
    struct reference found = { .location = NO_LOCATION };
    struct str absolute;
    struct str fragment;

    uri_split_fragment(reference, &absolute, &fragment);
    if (absolute.len > 0) {
        struct str uri;

        if (!uri_resolve(library->arena, library->resources[resource].uri, absolute, &uri))
            resource = UINT32_MAX;
        else if (!get_resource(library, uri, absolute, &resource, err))
            return false;
    }
    if (resource != UINT32_MAX && !find_fragment(library, resource, fragment, &found, err))
        return false;
    *out = found;
    return true;
}

/* Printing. */

static void print_token(struct buf *out, struct str token)
{
    buf_add_char(out, '/');
    json_write_pointer_token(out, token);
}

static void print_path(const struct library *library, uint32_t number, struct buf *out)
{
    const struct location *location = &library->locations[number];

    if (location->parent == number)
        return;
    print_path(library, location->parent, out);
    if (!location->keyword) {
        buf_add(out, location->key);
        return;
    }
    print_token(out, str_from_c(location->keyword));
    if (location->key.ptr)
        print_token(out, location->key);
    else if (location->index >= 0)
        buf_printf(out, "/%d", location->index);
}

void library_print(const struct library *library, uint32_t location, struct buf *out)
{
    uint32_t document = library->resources[library->locations[location].resource].document;

    if (document != 0) {
        uint32_t resource = library->documents[document].resource;

        buf_add(out, library->resources[resource].uri);
        buf_add_char(out, '#');
    }
    print_path(library, location, out);
}
