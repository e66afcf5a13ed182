/*
 * infer_internal.h - a shape, for infer*.c alone.
 */
#pragma once

#include <stdint.h>

#include "schema/format/format.h"
#include "server/cli/infer.h"

enum {
    SHAPE_KINDS = JSON_OBJECT + 1,
    SHAPE_MEMBERS_MAX = 500, /* an object with more names is a map */
    SHAPE_TEXTS_MAX = 5,     /* different texts that make an enum */
    SHAPE_TEXT_LEN_MAX = 40, /* bytes of such a text */
    SHAPE_FORMATS = 5,
};

struct shape_member {
    struct str name;
    struct shape *shape;
    size_t count; /* of the objects that have it */
};

struct shape {
    struct arena *arena;
    size_t count;
    size_t kinds[SHAPE_KINDS]; /* values of each kind */
    size_t longest;            /* elements of the longest array */

    struct shape_member *members;
    size_t member_count;
    size_t member_capacity;
    bool is_map; /* too many names */

    struct shape *items; /* of arrays; NULL: none seen */

    struct str texts[SHAPE_TEXTS_MAX]; /* the different strings */
    size_t text_count;
    bool has_many_texts;
    bool misses[SHAPE_FORMATS]; /* a string does not have the format */
};

/** Are all values of these two kinds (the second may be JSON_NULL)? */
bool shape_is(const struct shape *shape, enum json_kind kind, enum json_kind other);

/** The format of all its strings; NULL: none. */
const char *shape_format(const struct shape *shape);
