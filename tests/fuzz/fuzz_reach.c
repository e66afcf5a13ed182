/*
 * fuzz_reach.c - where a valid instance has a value, schema_reach() does not rule it out.
 *
 * The input is a schema, a newline, an instance.
 */
#include <assert.h>
#include <stdint.h>

#include "schema/reach.h"
#include "schema/schema.h"

struct walk {
    const struct flat *document;
    struct arena *arena;
};

static bool is_possible(const struct walk *walk, struct str pointer,
                        const struct schema_reach_options *options)
{
    return !schema_reach(walk->document, pointer, options).ptr;
}

/* The place of a value: an exact pointer, and as names that look through arrays. */
struct place {
    struct str pointer;
    struct str names;
};

static void check_place(const struct walk *walk, const struct place *place,
                        const struct flat *value)
{
    const struct schema_reach_value exact = { flat_kind(value), value };
    const struct schema_reach_value any = { flat_kind(value), NULL };
    struct schema_reach_options options = { .through_arrays = true };

    assert(is_possible(walk, place->pointer, NULL));
    assert(is_possible(walk, place->names, &options));
    if (flat_is_object(value) || flat_is_array(value))
        return;
    options.value = &exact;
    assert(is_possible(walk, place->names, &options));
    options.value = &any;
    assert(is_possible(walk, place->names, &options));
    options.exact = place->pointer.len;
    assert(is_possible(walk, place->pointer, &options));
}

/* Recurses as deep as values are nested, at most JSON_MAX_DEPTH. */
static void check_values(const struct walk *walk, const struct place *place,
                         const struct flat *value)
{
    check_place(walk, place, value);
    if (!flat_is_object(value) && !flat_is_array(value))
        return;
    for (FLAT_EACH(child, value)) {
        struct buf *pointer = arena_buf(walk->arena, SIZE_MAX);
        struct buf *names = arena_buf(walk->arena, SIZE_MAX);

        buf_add(pointer, place->pointer);
        buf_add(names, place->names);
        if (flat_is_object(value)) {
            buf_add_char(pointer, '/');
            json_write_pointer_token(pointer, flat_key(child));
            buf_add_char(names, '/');
            json_write_pointer_token(names, flat_key(child));
        } else {
            buf_add(pointer, STR("/0"));
        }
        check_values(walk, &(struct place){ buf_str(pointer), buf_str(names) }, child);
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    struct str text = { (const char *)data, newline ? (size_t)(newline - (const char *)data) : 0 };
    struct str rest = newline ? (struct str){ newline + 1, size - text.len - 1 } : STR("");
    struct walk walk = { .arena = arena_create() };
    const struct flat *instance = NULL;
    struct schema *schema = NULL;
    struct error err;

    if (flat_read(walk.arena, text, NULL, &walk.document, &err) &&
        flat_read(walk.arena, rest, NULL, &instance, &err) &&
        schema_compile(walk.document, NULL, &schema, &err) &&
        schema_check(schema, instance, NULL) == SCHEMA_VALID)
        check_values(&walk, &(struct place){ STR(""), STR("") }, instance);
    schema_destroy(schema);
    arena_destroy(walk.arena);
    return 0;
}
