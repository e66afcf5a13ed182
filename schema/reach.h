/*
 * reach.h - can a valid instance have a value at a place? For mistakes in what is written beside a
 * schema.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/flat.h"

/** A value that is looked for. */
struct schema_reach_value {
    enum json_kind kind;      /* of numbers either */
    const struct flat *value; /* NULL: any of this kind */
};

struct schema_reach_options {
    bool through_arrays; /* a name also looks into the elements of an array, as in event patterns */
    size_t exact;        /* ... but not among so many bytes of the pointer, at the beginning */
    const struct schema_reach_value *value; /* a scalar; NULL: any value */
};

/**
 * The beginning of the JSON Pointer that the schema `document` rules out: no valid instance has a
 * value there. In the pointer, 0 stands for any element of an array. ptr NULL: it can have one, or
 * that is not certain. The result is a slice of `pointer`.
 */
struct str schema_reach(const struct flat *document, struct str pointer,
                        const struct schema_reach_options *options);
