/*
 * number_set.h - a set of numbers, each with a count: a number is in it as often as it was added.
 *
 * Open addressing with linear probing; a removal moves later entries back, so there are no marks
 * of deleted ones. Numbers are hashed with a random key, since senders choose some of them.
 *
 * Threads: a set belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_set {
    struct number_set_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;    /* of different numbers */
    uint64_t key;
};

void number_set_init(struct number_set *set);
void number_set_done(struct number_set *set);

/** Add `number` once more. */
void number_set_add(struct number_set *set, uint64_t number);

/** Remove it once; it must be in the set. */
void number_set_remove(struct number_set *set, uint64_t number);

bool number_set_has(const struct number_set *set, uint64_t number);
