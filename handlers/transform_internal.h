/*
 * transform_internal.h - a loaded transform, for transform*.c alone.
 *
 * All that does not depend on the payload is prepared at loading: names and constants as JSON text,
 * compiled pointers, the paths for error texts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/flat.h"
#include "base/str.h"
#include "handlers/transform_as.h"

/** A place in the payload. */
struct transform_source {
    struct json_pointer *pointer;
    size_t depth;
    const struct str *paths;       /* its first 0 .. depth tokens joined with dots */
    struct json_pointer **parents; /* its first 0 .. depth-1 tokens; NULL where the next token may
                                      be the index of an array */
};

enum transform_kind { TRANSFORM_FROM, TRANSFORM_CONSTANT, TRANSFORM_NOW };

struct transform_field {
    struct str prefix; /* `"name":` */
    enum transform_kind kind;
    const struct transform_source *sources; /* the first one that is present counts */
    size_t source_count;
    struct str constant; /* JSON text of `value` or `default`; ptr NULL: none */
    struct str required; /* text of the error; ptr NULL: not required */
    enum transform_as as;
};

struct transform {
    struct arena *arena; /* holds everything below */
    const struct transform_field *fields;
    size_t field_count;
};
