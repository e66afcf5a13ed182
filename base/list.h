/*
 * list.h - an intrusive doubly linked list: the link is a member of the element.
 *
 * The list is circular and holds its own link, so adding and removing need no branch. An element is
 * in at most one list through the same link; CONTAINER_OF() leads from the link to the element.
 * A list does not own its elements. It must not be moved or copied.
 *
 * Threads: a list and its elements belong to one thread at a time, or to one mutex.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list_link {
    struct list_link *previous;
    struct list_link *next;
};

struct list {
    struct list_link ends; /* `next` is the first link, `previous` the last one */
};

/** Make an empty list. */
static inline void list_init(struct list *list)
{
    list->ends = (struct list_link){ &list->ends, &list->ends };
}

static inline bool list_is_empty(const struct list *list)
{
    return list->ends.next == &list->ends;
}

/** The first link; NULL: the list is empty. */
static inline struct list_link *list_first(const struct list *list)
{
    return list_is_empty(list) ? NULL : list->ends.next;
}

/** The link after `link`; NULL: `link` is the last one. */
static inline struct list_link *list_next(const struct list *list, const struct list_link *link)
{
    return link->next == &list->ends ? NULL : link->next;
}

/** The link before `link`; NULL: `link` is the first one. */
static inline struct list_link *list_previous(const struct list *list, const struct list_link *link)
{
    return link->previous == &list->ends ? NULL : link->previous;
}

/** Add `link`, which is in no list, after `place`: a link in a list, or `&list->ends` (first). */
static inline void list_insert_after(struct list_link *place, struct list_link *link)
{
    *link = (struct list_link){ place, place->next };
    place->next->previous = link;
    place->next = link;
}

/** Add `link`, which is in no list, as the last one. */
static inline void list_append(struct list *list, struct list_link *link)
{
    list_insert_after(list->ends.previous, link);
}

/** Take `link` out of the list that it is in. */
static inline void list_remove(struct list_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}
