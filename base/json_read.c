/*
 * json_read.c - json-c's trees from texts, and flat trees from json-c's; see json.h.
 *
 * 64-bit integers become json-c's. Any other number is a json-c double with its text as user data
 * and a serializer that writes it, so that 30 digits, 1e400 and -0 are written as they were read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

/* Bytes that json-c and malloc() use for a value, about, on a 64-bit system. */
enum {
    OBJECT_MEMORY = 800, /* the smallest table has 16 slots */
    MEMBER_MEMORY = 80,  /* its part of a larger table, and the allocation of its key */
    ARRAY_MEMORY = 192,
    ELEMENT_MEMORY = 16,
    SCALAR_MEMORY = 64,
};

static size_t memory_of(const struct flat *value)
{
    size_t key = value->key ? MEMBER_MEMORY + value->key_len : 0;

    switch (flat_kind(value)) {
    case JSON_NULL:
        return key;
    case JSON_BOOLEAN:
        return key + SCALAR_MEMORY;
    case JSON_ARRAY:
        return key + ARRAY_MEMORY + flat_count(value) * ELEMENT_MEMORY;
    case JSON_OBJECT:
        return key + OBJECT_MEMORY;
    default:
        return key + SCALAR_MEMORY + value->len;
    }
}

static bool check_memory(const struct flat *root, size_t max, struct error *err)
{
    size_t memory = 0;

    for (uint32_t i = 0; i < root->size; i++)
        memory += memory_of(&root[i]);
    return max == 0 || memory <= max ||
           fail(err, ERR_TOO_EXPENSIVE, "the values would take too much memory");
}

/* Numbers. */

static int write_source(struct json_object *number, struct printbuf *out, int level, int flags)
{
    const struct json_source *source = json_source(number);

    (void)level;
    (void)flags;
    return printbuf_memappend(out, source->text, (int)source->len);
}

static void free_source(struct json_object *number, void *source)
{
    (void)number;
    mem_free(source);
}

static struct json_object *build_with_source(const struct flat *number)
{
    struct json_source *source = mem_realloc(NULL, sizeof(*source) + number->len);
    struct json_object *made = json_made(json_object_new_double(flat_double(number)));

    source->integer = number->kind == JSON_INTEGER;
    source->len = number->len;
    memcpy(source->text, number->text, number->len);
    json_object_set_serializer(made, write_source, source, free_source);
    return made;
}

static struct json_object *build_number(const struct flat *number)
{
    struct flat_numeric exact;

    if (number->kind != JSON_INTEGER)
        return build_with_source(number);
    exact = flat_numeric(number);
    if (exact.kind == NUMERIC_BIG)
        return build_with_source(number);
    if (exact.negative)
        return exact.magnitude <= (uint64_t)INT64_MAX + 1
                   ? json_made(json_object_new_int64((int64_t)-exact.magnitude))
                   : build_with_source(number);
    if (number->text[0] == '-') /* -0 must be written as -0 */
        return build_with_source(number);
    return json_made(exact.magnitude <= INT64_MAX ? json_object_new_int64((int64_t)exact.magnitude)
                                                  : json_object_new_uint64(exact.magnitude));
}

/* Trees. */

static struct json_object *build_value(const struct flat *value);

static struct json_object *build_array(const struct flat *array)
{
    struct json_object *made = json_made(json_object_new_array_ext((int)flat_count(array) + 1));

    for (FLAT_EACH(element, array))
        if (json_object_array_add(made, build_value(element)) != 0)
            abort();
    return made;
}

static struct json_object *build_object(const struct flat *object)
{
    struct json_object *made = json_made(json_object_new_object());

    for (FLAT_EACH(member, object)) {
        char *key = mem_copy(member->key, member->key_len);

        /* The reader has refused duplicate keys. */
        if (json_object_object_add_ex(made, key, build_value(member),
                                      JSON_C_OBJECT_ADD_KEY_IS_NEW) != 0)
            abort();
        mem_free(key);
    }
    return made;
}

static struct json_object *build_value(const struct flat *value)
{
    switch (flat_kind(value)) {
    case JSON_BOOLEAN:
        return json_made(json_object_new_boolean(flat_is_true(value)));
    case JSON_INTEGER:
    case JSON_NUMBER:
        return build_number(value);
    case JSON_STRING:
        return json_made(json_object_new_string_len(value->text, (int)value->len));
    case JSON_ARRAY:
        return build_array(value);
    case JSON_OBJECT:
        return build_object(value);
    case JSON_NULL:
        break;
    }
    return NULL;
}

bool json_read(struct str text, const struct json_read_options *options, struct json_object **out,
               struct error *err)
{
    const struct flat_options reading = { .max_depth = options ? options->max_depth : 0 };
    struct arena *arena = arena_create();
    const struct flat *root = NULL;
    bool ok = flat_read(arena, text, &reading, &root, err) &&
              check_memory(root, options ? options->max_memory : 0, err);

    if (ok)
        *out = build_value(root);
    arena_destroy(arena);
    return ok;
}

bool json_read_in(struct arena *arena, struct str text, const struct json_read_options *options,
                  struct json_object **out, struct error *err)
{
    struct json_object *tree = NULL;

    if (!json_read(text, options, &tree, err))
        return false;
    if (tree)
        arena_own(arena, tree, json_release);
    *out = tree;
    return true;
}

const struct flat *json_flatten(struct arena *arena, struct json_object *value)
{
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    const struct flat *tree = NULL;
    struct error err;

    if (!flat_read(arena, json_text(arena, value), &options, &tree, &err))
        abort();
    return tree;
}

void json_release(void *tree)
{
    json_object_put((struct json_object *)tree);
}

void json_cleanup(struct json_object **tree)
{
    json_release(*tree);
}
