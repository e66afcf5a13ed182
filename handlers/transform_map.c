/*
 * transform_map.c - `map`: look-up of texts, and of numbers by their value.
 *
 * A key that is written like a number also stands for numbers of its value. Of several such keys
 * the first in the file counts.
 */
#include <stdlib.h>

#include "handlers/transform_internal.h"

static int compare_texts(const void *a, const void *b)
{
    const struct transform_entry *left = a;
    const struct transform_entry *right = b;

    return str_compare(flat_str(&left->key), flat_str(&right->key));
}

static int compare_numbers(const void *a, const void *b)
{
    const struct transform_entry *left = a;
    const struct transform_entry *right = b;
    int order = flat_compare_numbers(&left->key, &right->key);

    return order ? order : (left->at > right->at) - (left->at < right->at);
}

/* The number that the key is written like. */
static const struct flat *number_of(struct arena *arena, struct str key)
{
    const struct flat *number = NULL;
    struct error ignored;

    if (!flat_read(arena, key, NULL, &number, &ignored) || !flat_is_number(number) ||
        number->len != key.len)
        return NULL;
    return number;
}

const struct transform_map *transform_map_create(struct arena *arena, const struct flat *object)
{
    size_t most = flat_count(object) + 1;
    struct transform_map *map = arena_alloc(arena, sizeof(*map));
    struct transform_entry *texts = arena_alloc(arena, most * sizeof(*texts));
    struct transform_entry *numbers = arena_alloc(arena, most * sizeof(*numbers));

    for (FLAT_EACH(member, object)) {
        struct str value = flat_text(arena, member);
        const struct flat *number = number_of(arena, flat_key(member));

        texts[map->text_count++] =
            (struct transform_entry){ flat_of_key(member), value, member->index };
        if (number)
            numbers[map->number_count++] =
                (struct transform_entry){ *number, value, member->index };
    }
    qsort(texts, map->text_count, sizeof(*texts), compare_texts);
    qsort(numbers, map->number_count, sizeof(*numbers), compare_numbers);
    map->texts = texts;
    map->numbers = numbers;
    return map;
}

/* The first of the numbers that is not below `value`. */
static struct str find_number(const struct transform_map *map, const struct flat *value)
{
    size_t from = 0;
    size_t to = map->number_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (flat_compare_numbers(&map->numbers[middle].key, value) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    if (from < map->number_count && flat_compare_numbers(&map->numbers[from].key, value) == 0)
        return map->numbers[from].value;
    return STR_NONE;
}

static struct str find_text(const struct transform_map *map, struct str text)
{
    const struct transform_entry wanted = { .key = { .text = text.ptr,
                                                     .len = (uint32_t)text.len } };
    const struct transform_entry *found =
        bsearch(&wanted, map->texts, map->text_count, sizeof(wanted), compare_texts);

    return found ? found->value : STR_NONE;
}

struct str transform_map_find(const struct transform_map *map, const struct flat *value)
{
    if (flat_is_string(value))
        return find_text(map, flat_str(value));
    if (flat_is_number(value))
        return find_number(map, value);
    if (flat_is_boolean(value))
        return find_text(map, flat_is_true(value) ? STR("true") : STR("false"));
    return STR_NONE;
}
