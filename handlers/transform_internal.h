/*
 * transform_internal.h - a loaded transform, for transform*.c alone.
 *
 * Everything that does not depend on the payload is worked out at loading: names and constants are
 * JSON text, pointers are compiled, the paths of error texts are joined.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "handlers/transform_as.h"

/** One place in the payload. */
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
    const struct transform_source *sources; /* the first that is present is taken */
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
