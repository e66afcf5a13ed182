/*
 * route_index.c - see route_index.h.
 */
#include "handlers/route_index.h"

#include <string.h>

#include "base/memory.h"

struct route_texts {
    struct str text;
    struct route_list list;
};

void route_list_add(struct route_list *list, const struct rule *rule)
{
    list->rules = mem_grow((void *)list->rules, list->count, &list->capacity, sizeof(void *));
    list->rules[list->count++] = rule;
}

/* As memcmp(): below 0, 0 or above. */
static int compare(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least > 0 ? memcmp(a.ptr, b.ptr, least) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where the text is, or belongs. */
static size_t place_of(const struct route_index *index, struct str text)
{
    size_t from = 0;
    size_t to = index->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (compare(index->texts[middle].text, text) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool has_text_at(const struct route_index *index, size_t place, struct str text)
{
    return place < index->count && str_equal(index->texts[place].text, text);
}

static void add_text(struct route_index *index, const struct rule *rule, struct str text)
{
    size_t place = place_of(index, text);

    if (!has_text_at(index, place, text)) {
        index->texts =
            mem_grow(index->texts, index->count, &index->capacity, sizeof(*index->texts));
        memmove(&index->texts[place + 1], &index->texts[place],
                (index->count - place) * sizeof(*index->texts));
        index->texts[place] = (struct route_texts){ .text = text };
        index->count++;
    }

    struct route_list *list = &index->texts[place].list;

    if (list->count == 0 || list->rules[list->count - 1] != rule) /* a text may come twice */
        route_list_add(list, rule);
}

void route_index_add(struct route_index *index, const struct rule *rule, const struct str *texts,
                     size_t count)
{
    if (!texts)
        route_list_add(&index->others, rule);
    for (size_t i = 0; texts && i < count; i++)
        add_text(index, rule, texts[i]);
}

struct route_list route_index_find(const struct route_index *index, struct str text)
{
    size_t place = place_of(index, text);

    return has_text_at(index, place, text) ? index->texts[place].list : (struct route_list){ 0 };
}

void route_index_done(struct route_index *index)
{
    for (size_t i = 0; i < index->count; i++)
        mem_free((void *)index->texts[i].list.rules);
    mem_free(index->texts);
    mem_free((void *)index->others.rules);
}
