/*
 * pattern_internal.h - a compiled pattern.
 *
 * A pattern is a tree of fields. A field with a list of conditions looks at the scalars of the
 * event at its path; any other field looks at objects and has fields of its own. Fields in branches
 * belong to `$or`: of each group of branches one must fit.
 */
#pragma once

#include "base/arena.h"
#include "base/flat.h"
#include "handlers/pattern.h"

enum pattern_test {
    PATTERN_TEXT,    /* the same string */
    PATTERN_NUMBER,  /* the same number */
    PATTERN_LITERAL, /* null, true or false */
    PATTERN_PREFIX,
    PATTERN_SUFFIX,
    PATTERN_EQUAL_FOLDED,  /* without regard to case */
    PATTERN_PREFIX_FOLDED, /* likewise */
    PATTERN_SUFFIX_FOLDED,
    PATTERN_WILDCARD,
    PATTERN_RANGE,
    PATTERN_CIDR,
    PATTERN_EXISTS,
    PATTERN_ABSENT,       /* tested at the field, not at a scalar */
    PATTERN_ANYTHING_BUT, /* none of the conditions of a list */
};

/** One code point of a text that is compared without regard to case. */
struct pattern_letter {
    struct str lower;
    struct str upper;
};

struct pattern_number {
    struct str text;
    double value;
    bool is_double; /* pattern_is_double() */
};

struct pattern_range {
    double from; /* -INFINITY: no bound */
    double to;
    bool from_included;
    bool to_included;
};

struct pattern_block { /* of addresses */
    unsigned char address[16];
    int family; /* AF_INET or AF_INET6 */
    unsigned bits;
};

struct pattern_condition {
    enum pattern_test test;
    union {
        struct str text; /* TEXT, PREFIX, SUFFIX */
        struct pattern_number number;
        struct {
            enum json_kind kind;
            bool is_true;
        } literal;
        struct {
            const struct pattern_letter *list;
            size_t count;
        } letters; /* ..._FOLDED */
        struct {
            const struct str *pieces; /* between the stars; the first and the last may be empty */
            size_t count;
        } wildcard;
        struct pattern_range range;
        struct pattern_block block;
        struct {
            const struct pattern_condition *list;
            size_t count;
        } but; /* ANYTHING_BUT */
    };
};

struct pattern_field {
    struct str key;    /* of the root: empty */
    struct str source; /* its list of conditions as JSON */

    const struct pattern_condition *conditions; /* NULL: it has fields */
    size_t condition_count;
    bool may_be_absent; /* a condition is `exists: false` */

    const struct pattern_field *fields;
    size_t field_count;
    const struct pattern_choice *choices;
    size_t choice_count;
};

/** `$or`: one branch must fit. A branch is a field with the key of the object that has the `$or`.
 */
struct pattern_choice {
    const struct pattern_field *branches;
    size_t count;
};

struct pattern {
    struct arena *arena;
    struct pattern_field root;
};

/** Compile one element of a field's list. ERR_INVALID: the reason, without the place. */
NODISCARD bool pattern_compile_condition(struct arena *arena, const struct flat *source,
                                         struct pattern_condition *out, struct error *err);

/** Does a scalar of the event meet the condition (any but `exists: false`)? */
bool pattern_meets(const struct pattern_condition *condition, const struct flat *value);

/** Is it the name of an operator, as "prefix"? */
bool pattern_is_operator(struct str name);
