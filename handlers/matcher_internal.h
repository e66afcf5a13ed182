/*
 * matcher_internal.h - a compiled matcher, for matcher*.c alone.
 */
#pragma once

#include "handlers/matcher.h"
#include "handlers/pattern.h"

struct matcher_value {
    const struct flat *source; /* a string, a number or a boolean */
    bool is_any;               /* the glob "*" */
    bool is_exact;             /* a text without * and ? */
};

struct matcher_key {
    struct str name;
    struct json_pointer *pointer; /* NULL: `name` is a top-level member */
    const struct flat *source;    /* its value in `match` */
    const struct matcher_value *values;
    size_t value_count;
    bool is_any; /* one of the values is */
};

/** The texts of which a top-level member must be one; `list` NULL: any text may match. */
struct matcher_texts {
    const struct str *list;
    size_t count;
};

struct matcher {
    struct arena *arena;
    const struct flat *match; /* NULL: none */
    struct matcher_key *keys;
    size_t key_count;
    const struct flat *source; /* of the pattern; NULL: none */
    struct pattern *pattern;   /* NULL: none */
    struct matcher_texts texts[MATCHER_MEMBERS];
    const struct matcher_key *indexed_keys[MATCHER_MEMBERS];     /* NULL: none */
    const struct pattern_field *indexed_fields[MATCHER_MEMBERS]; /* likewise */
};
