/*
 * library_walk.c - find the subschemas, resources and anchors of a document.
 *
 * In drafts 4 to 7 an `$id` next to a `$ref` is ignored, and an `$id` that is only a fragment is an
 * anchor.
 */
#include "base/memory.h"
#include "base/uri.h"
#include "schema/library.h"
#include "schema/program.h"

static uint32_t hash_address(const struct flat *value)
{
    uint64_t mixed = (uint64_t)(uintptr_t)value * UINT64_C(0x9E3779B97F4A7C15);

    return (uint32_t)(mixed >> 32);
}

uint32_t library_find(const struct library *library, const struct flat *value)
{
    struct lookup_walk walk = lookup_walk(&library->by_value, hash_address(value));
    uint32_t found = lookup_next(&walk);

    while (found != NO_LOCATION && library->locations[found].value != value)
        found = lookup_next(&walk);
    return found;
}

static uint32_t add_location(struct library *library, const struct location *where)
{
    uint32_t number = library->location_count;

    /* If a document is added twice, library_find() returns its first locations. */
    if (library_find(library, where->value) == NO_LOCATION)
        lookup_add(&library->by_value, library->arena, hash_address(where->value), number);
    library->locations =
        mem_grow(library->locations, number, &library->location_capacity, sizeof(struct location));
    library->locations[number] = *where;
    library->locations[number].node = NO_NODE;
    library->location_count++;
    return number;
}

/* Anchors. */

static uint32_t hash_anchor(uint32_t resource, struct str name)
{
    return lookup_hash(name) ^ resource * 0x9E3779B9U;
}

const struct anchor *library_anchor(const struct library *library, uint32_t resource,
                                    struct str name)
{
    struct lookup_walk walk = lookup_walk(&library->anchor_names, hash_anchor(resource, name));

    for (uint32_t i = lookup_next(&walk); i != LOOKUP_NONE; i = lookup_next(&walk)) {
        const struct anchor *anchor = &library->anchors[i];

        if (anchor->resource == resource && str_equal(anchor->name, name))
            return anchor;
    }
    return NULL;
}

static void add_anchor(struct library *library, uint32_t location, struct str name, bool dynamic)
{
    uint32_t resource = library->locations[location].resource;

    if (!library_anchor(library, resource, name))
        lookup_add(&library->anchor_names, library->arena, hash_anchor(resource, name),
                   library->anchor_count);
    library->anchors = mem_grow(library->anchors, library->anchor_count, &library->anchor_capacity,
                                sizeof(struct anchor));
    library->anchors[library->anchor_count++] = (struct anchor){
        .name = name,
        .resource = resource,
        .location = location,
        .dynamic = dynamic,
    };
}

/* Resources. */

static uint32_t find_named(const struct library *library, struct str uri)
{
    struct lookup_walk walk = lookup_walk(&library->resource_uris, lookup_hash(uri));

    for (uint32_t i = lookup_next(&walk); i != LOOKUP_NONE; i = lookup_next(&walk)) {
        if (str_equal(library->resources[i].uri, uri))
            return i;
    }
    return UINT32_MAX;
}

uint32_t library_resource(const struct library *library, struct str uri)
{
    uint32_t named = find_named(library, uri);

    if (named != UINT32_MAX)
        return named;
    for (uint32_t i = 0; i < library->alias_count; i++) {
        if (str_equal(library->aliases[i].uri, uri))
            return library->aliases[i].resource;
    }
    return UINT32_MAX;
}

void library_name(struct library *library, uint32_t resource)
{
    struct str uri = library->resources[resource].uri;

    if (find_named(library, uri) == UINT32_MAX)
        lookup_add(&library->resource_uris, library->arena, lookup_hash(uri), resource);
}

void library_alias(struct library *library, struct str uri, uint32_t resource)
{
    library->aliases = mem_grow(library->aliases, library->alias_count, &library->alias_capacity,
                                sizeof(struct alias));
    library->aliases[library->alias_count++] = (struct alias){ uri, resource };
}

/*
 * Make the location the root of a resource with this URI. A document's root has its resource from
 * library_add(); it gets the URI.
 */
static void begin_resource(struct library *library, uint32_t location,
                           const struct dialect *dialect, struct str uri, bool is_root)
{
    uint32_t outer = library->locations[location].resource;
    struct resource *resource = &library->resources[outer];

    if (is_root) {
        if (!str_equal(resource->uri, uri))
            library_alias(library, resource->uri, outer);
        resource->uri = uri;
        library_name(library, outer);
        return;
    }

    uint32_t document = resource->document;

    if (resource->dialect.draft != dialect->draft || resource->dialect.metaschema ||
        dialect->metaschema)
        library->documents[document].mixed = true;
    library->resources = mem_grow(library->resources, library->resource_count,
                                  &library->resource_capacity, sizeof(struct resource));
    library->resources[library->resource_count] = (struct resource){
        .uri = uri, .dialect = *dialect, .location = location, .document = document
    };
    library->locations[location].resource = library->resource_count++;
    library_name(library, library->resource_count - 1);
}

static bool read_id(struct library *library, uint32_t location, const struct dialect *dialect,
                    bool is_root, struct error *err)
{
    const struct location *at = &library->locations[location];
    struct str base = library->resources[at->resource].uri;
    struct str id = flat_find_str(at->value, dialect_id(dialect));
    struct str absolute;
    struct str fragment;
    struct str uri;

    if (id.len == 0 || (dialect_ref_hides(dialect) && flat_find(at->value, STR("$ref"))))
        return true;
    uri_split_fragment(id, &absolute, &fragment);
    if (absolute.len > 0) {
        if (!uri_resolve(library->arena, base, absolute, &uri))
            return fail(err, ERR_MALFORMED, "%s \"%.*s\" is relative to \"%.*s\"",
                        dialect_id(dialect).ptr, STR_ARG(id), STR_ARG(base));
        begin_resource(library, location, dialect, uri, is_root);
    }
    if (fragment.len > 0 && dialect_ref_hides(dialect))
        add_anchor(library, location, uri_decode(library->arena, fragment), false);
    return true;
}

static void read_anchors(struct library *library, uint32_t location)
{
    const struct flat *value = library->locations[location].value;
    struct resource *resource = &library->resources[library->locations[location].resource];
    enum schema_draft draft = resource->dialect.draft;
    struct str name = flat_find_str(value, STR("$anchor"));
    const struct flat *recursive = flat_find(value, STR("$recursiveAnchor"));

    if (draft > SCHEMA_DRAFT_2019_09)
        return;
    if (name.len > 0)
        add_anchor(library, location, name, false);
    name = flat_find_str(value, STR("$dynamicAnchor"));
    if (draft == SCHEMA_DRAFT_2020_12 && name.len > 0)
        add_anchor(library, location, name, true);
    if (draft == SCHEMA_DRAFT_2019_09 && resource->location == location && recursive)
        resource->recursive = flat_is_true(recursive);
}

static bool identify(struct library *library, uint32_t location, bool is_root, struct error *err)
{
    const struct flat *value = library->locations[location].value;
    struct dialect dialect = library->resources[library->locations[location].resource].dialect;
    struct str schema = flat_find_str(value, STR("$schema"));

    if (!is_root && schema.len > 0 && !library_dialect(library, schema, &dialect, &dialect, err))
        return false;
    if (!read_id(library, location, &dialect, is_root, err))
        return false;
    read_anchors(library, location);
    return true;
}

static bool fail_at(const struct library *library, uint32_t location, struct error *err)
{
    char place[ERR_TEXT_SIZE / 2] = "at ";
    struct buf buf;

    buf_init(&buf, sizeof(place) - 4);
    library_print(library, location, &buf);
    if (buf.len == 0)
        return false;
    memcpy(place + 3, buf.ptr, buf.len);
    place[3 + buf.len] = '\0';
    buf_done(&buf);
    return fail_within(err, place);
}

static bool walk_array(struct library *library, struct location *child, const struct flat *array,
                       struct error *err)
{
    for (FLAT_EACH(element, array)) {
        child->value = element;
        child->index = (int32_t)element->index;
        if (!library_walk(library, child, false, NULL, err))
            return false;
    }
    return true;
}

static bool walk_map(struct library *library, struct location *child, const struct flat *map,
                     struct error *err)
{
    for (FLAT_EACH(member, map)) {
        child->value = member;
        child->key = flat_key(member);
        if (!library_walk(library, child, false, NULL, err))
            return false;
    }
    return true;
}

static bool walk_keyword(struct library *library, uint32_t parent, const struct keyword *keyword,
                         const struct flat *value, struct error *err)
{
    struct location child = {
        .value = value,
        .keyword = keyword->name,
        .index = -1,
        .parent = parent,
        .resource = library->locations[parent].resource,
    };

    if (keyword->holds == HOLDS_MAP)
        return !flat_is_object(value) || walk_map(library, &child, value, err);
    if (flat_is_array(value))
        return walk_array(library, &child, value, err);
    return library_walk(library, &child, false, NULL, err);
}

/* Can this member identify the subschema, or change its dialect? A cheap test: few can. */
static bool may_identify(struct str key)
{
    return str_starts_with(key, STR("$")) || str_equal(key, STR("id"));
}

/*
 * Store the keyword of each member, and set `refers` and `nests`. Returns whether one of the
 * members can identify the subschema.
 */
static bool note_keywords(struct library *library, uint32_t number)
{
    struct location *location = &library->locations[number];
    const struct dialect *dialect = &library->resources[location->resource].dialect;
    bool named = false;

    location->keywords = library->keyword_count;
    for (FLAT_EACH(member, location->value)) {
        struct str key = flat_key(member);
        const struct keyword *keyword = dialect_keyword(dialect, key);

        library->keywords = mem_grow((void *)library->keywords, library->keyword_count,
                                     &library->keyword_capacity, sizeof(struct keyword *));
        library->keywords[library->keyword_count++] = keyword;
        location->nests = location->nests || (keyword && keyword->holds != HOLDS_NOTHING);
        if (keyword && keyword->id == KEYWORD_REF)
            location->refers = true;
        else
            named = named || may_identify(key);
    }
    return named;
}

/* The same, and read `$schema`, `$id` and anchors; then again, as the dialect may have changed. */
static bool note_all(struct library *library, uint32_t number, bool is_root, struct error *err)
{
    if (!note_keywords(library, number))
        return true;
    if (!identify(library, number, is_root, err))
        return fail_at(library, number, err);
    library->keyword_count = library->locations[number].keywords;
    (void)note_keywords(library, number);
    return true;
}

static bool walk_keywords(struct library *library, uint32_t number, struct error *err)
{
    uint32_t next = library->locations[number].keywords;

    for (FLAT_EACH(member, library->locations[number].value)) {
        const struct keyword *keyword = library->keywords[next++];

        if (keyword && keyword->holds != HOLDS_NOTHING &&
            !walk_keyword(library, number, keyword, member, err))
            return false;
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the reader limits the depth of documents */
bool library_walk(struct library *library, const struct location *where, bool is_root,
                  uint32_t *out, struct error *err)
{
    bool object = flat_is_object(where->value);

    if (!object && !flat_is_boolean(where->value))
        return is_root ? fail(err, ERR_MALFORMED, "a schema is an object or a boolean") : true;

    uint32_t location = add_location(library, where);

    if (out)
        *out = location;
    if (!object)
        return true;
    if (!note_all(library, location, is_root, err))
        return false;

    return !library->locations[location].nests || walk_keywords(library, location, err);
}
