/*
 * route_index.h - the routes that an event's `source` or `detail-type` leaves to be tried.
 *
 * Most routes want one of a few texts there. Such a route is found by its text; the others are in
 * one list. Both lists are in the order of the routes.
 *
 * Threads: as the routes; finding changes nothing.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct rule;

/** Rules in the order in which they were added. */
struct route_list {
    const struct rule **rules;
    size_t count;
    size_t capacity;
};

struct route_texts; /* the rules of one text */

struct route_index {
    struct route_texts *texts; /* sorted by text */
    size_t count;
    size_t capacity;
    struct route_list others; /* rules that any text may match */
};

void route_list_add(struct route_list *list, const struct rule *rule);

/** Add a rule that wants one of the texts, which must outlive the index; `texts` NULL: any. */
void route_index_add(struct route_index *index, const struct rule *rule, const struct str *texts,
                     size_t count);

/** The rules that want this text, apart from `index->others`. */
struct route_list route_index_find(const struct route_index *index, struct str text);

void route_index_done(struct route_index *index);
