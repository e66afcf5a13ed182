/*
 * infer_shape.c - what values have in common.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as the values, at most JSON_DEPTH_LIMIT */
#include "server/cli/infer_internal.h"

/* The formats that are looked for. */
static const char *const shape_formats[SHAPE_FORMATS] = { "date-time", "date", "uuid", "email",
                                                          "uri" };

struct shape *shape_create(struct arena *arena)
{
    struct shape *shape = arena_alloc(arena, sizeof(*shape));

    shape->arena = arena;
    return shape;
}

static void shape_add_string(struct shape *shape, struct str text)
{
    for (size_t i = 0; i < SHAPE_FORMATS; i++)
        if (!shape->misses[i])
            shape->misses[i] = !format_check(format_find(str_from_c(shape_formats[i])), text);
    for (size_t i = 0; i < shape->text_count; i++)
        if (str_equal(shape->texts[i], text))
            return;
    if (shape->text_count == SHAPE_TEXTS_MAX || text.len > SHAPE_TEXT_LEN_MAX)
        shape->has_many_texts = true;
    else
        shape->texts[shape->text_count++] = arena_copy(shape->arena, text);
}

/* The member with this name, added if it is new; NULL: there are too many. */
static struct shape_member *member_of(struct shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->member_count; i++)
        if (str_equal(shape->members[i].name, name))
            return &shape->members[i];
    if (shape->member_count == SHAPE_MEMBERS_MAX)
        return NULL;
    if (!shape->members)
        shape->members = arena_alloc(shape->arena, SHAPE_MEMBERS_MAX * sizeof(*shape->members));
    shape->members[shape->member_count] =
        (struct shape_member){ .name = arena_copy(shape->arena, name),
                               .shape = shape_create(shape->arena) };
    return &shape->members[shape->member_count++];
}

static void shape_add_object(struct shape *shape, const struct flat *object)
{
    for (FLAT_EACH(value, object)) {
        struct shape_member *member = member_of(shape, flat_key(value));

        if (!member) {
            shape->is_map = true;
            return;
        }
        member->count++;
        shape_add(member->shape, value);
    }
}

static void shape_add_array(struct shape *shape, const struct flat *array)
{
    if (flat_count(array) > shape->longest)
        shape->longest = flat_count(array);
    for (FLAT_EACH(element, array)) {
        if (!shape->items)
            shape->items = shape_create(shape->arena);
        shape_add(shape->items, element);
    }
}

void shape_add(struct shape *shape, const struct flat *value)
{
    shape->count++;
    shape->kinds[flat_kind(value)]++;
    if (flat_is_string(value))
        shape_add_string(shape, flat_str(value));
    else if (flat_is_object(value) && !shape->is_map)
        shape_add_object(shape, value);
    else if (flat_is_array(value))
        shape_add_array(shape, value);
}

bool shape_is(const struct shape *shape, enum json_kind kind, enum json_kind other)
{
    size_t count = shape->kinds[kind] + (other == kind ? 0 : shape->kinds[other]);

    return shape->kinds[kind] > 0 && count == shape->count;
}

const char *shape_format(const struct shape *shape)
{
    for (size_t i = 0; shape->kinds[JSON_STRING] > 0 && i < SHAPE_FORMATS; i++)
        if (!shape->misses[i])
            return shape_formats[i];
    return NULL;
}
/* NOLINTEND(misc-no-recursion) */
