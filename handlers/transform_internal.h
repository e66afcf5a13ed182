/*
 * transform_internal.h - a compiled transform, for transform*.c alone.
 *
 * All that does not depend on the event is prepared at loading: names and constants as JSON text,
 * pointers, patterns, regular expressions. The fields are one array in the order of the file, in
 * which the inner fields of a field follow it; each knows how many fields it spans.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/flat.h"
#include "base/regex.h"
#include "base/str.h"
#include "handlers/pattern.h"
#include "handlers/transform.h"

enum {
    TRANSFORM_EACH_MAX = 8,        /* levels of `each` */
    TRANSFORM_NEST_MAX = 16,       /* levels of `fields` and `each` */
    TRANSFORM_ITEMS_MAX = 10000,   /* of an array that `each` goes through, and parts of `split` */
    TRANSFORM_BYTES_PER_STEP = 16, /* of the budget */
};

/* Where a value is. */

enum transform_root {
    TRANSFORM_HERE, /* the payload; inside `each` the element */
    TRANSFORM_PARENT,
    TRANSFORM_PAYLOAD,
    TRANSFORM_EVENT,
    TRANSFORM_META,
};

struct transform_source {
    enum transform_root root;
    enum transform_meta meta; /* of TRANSFORM_META */
    struct str text;          /* as in the file, `event:/id` */
    struct str prefix;        /* of it, `event:` */
    struct json_pointer *pointer;
    size_t depth;
};

/** What counts as absent, beside what is not there. */
enum transform_skip { TRANSFORM_SKIP_ABSENT, TRANSFORM_SKIP_NULL, TRANSFORM_SKIP_EMPTY };

/* Conversions. */

struct transform_run;
struct transform_step;

enum transform_made {
    TRANSFORM_MADE,
    TRANSFORM_NOTHING,    /* the value counts as absent */
    TRANSFORM_IMPOSSIBLE, /* run->why, or run->err is set */
};

/** A piece of the replacement of `replace`: text, or what a group captured. */
struct transform_piece {
    struct str text;
    int group; /* -1: none */
};

struct transform_step {
    enum transform_made (*convert)(struct transform_run *run, const struct transform_step *step,
                                   const struct flat **value);
    struct str text; /* of split, join, hmac_sha256 */
    struct regex *regex;
    const struct transform_piece *pieces;
    size_t piece_count;
    int64_t from; /* of slice; of shift: the exponent; of mask: what stays */
    int64_t to;
};

/** The conversion with this name: what it takes as its argument, and what runs. */
struct transform_conversion {
    const char *name;
    enum transform_argument {
        TRANSFORM_NO_ARGUMENT,
        TRANSFORM_TEXT,
        TRANSFORM_REGEX,
        TRANSFORM_REGEX_AND_TEXT,
        TRANSFORM_RANGE,
        TRANSFORM_INTEGER,
        TRANSFORM_SECRET,
    } argument;
    enum transform_made (*convert)(struct transform_run *run, const struct transform_step *step,
                                   const struct flat **value);
};

extern const struct transform_conversion transform_conversions[];
extern const size_t transform_conversion_count;

/** A text between the pointers of `text`, or a pointer (`source` not NULL). */
struct transform_part {
    struct str text;
    const struct transform_source *source;
};

/** `map`: a key and what replaces it, as JSON. */
struct transform_entry {
    struct flat key; /* a string, or a number that a key's text stands for */
    struct str value;
    size_t at; /* its place in the file */
};

struct transform_map {
    const struct transform_entry *texts; /* in the order of their bytes */
    size_t text_count;
    const struct transform_entry *numbers; /* keys that are numbers, in the order of their values */
    size_t number_count;
};

/** What `without` takes out: a tree of the pointers' tokens. */
struct transform_cut {
    struct str token;
    bool whole; /* the value itself goes */
    const struct transform_cut *inner;
    size_t inner_count;
};

/* Fields. */

enum transform_kind {
    TRANSFORM_FROM,
    TRANSFORM_VALUE,
    TRANSFORM_NOW,
    TRANSFORM_TEMPLATE,
    TRANSFORM_OBJECT,
    TRANSFORM_EACH,
    TRANSFORM_COPY,
};

struct transform_field {
    enum transform_kind kind;
    uint32_t size;     /* it and its inner fields */
    struct str prefix; /* `"name":` */
    struct str name;
    const struct transform_source *sources; /* the first one that is present counts */
    size_t source_count;
    struct str constant; /* JSON text of `value` or `default`; ptr NULL: none */
    struct str required; /* text of the error; ptr NULL: not required */
    enum transform_skip skip;
    bool is_plain;  /* it is under no condition */
    bool is_direct; /* and repeats one value of the payload or element, if that is there */
    bool keep;      /* an empty object stays */
    bool copies;    /* has inner fields, and one of them is a `copy` */

    const struct transform_step *steps;
    size_t step_count;
    const struct transform_map *map; /* NULL: none */
    struct str otherwise;            /* ptr NULL: none */

    const struct transform_part *parts; /* of TRANSFORM_TEMPLATE */
    size_t part_count;

    const struct pattern *when;          /* NULL: always */
    const struct pattern *where;         /* of TRANSFORM_EACH; NULL: all */
    const struct transform_source *item; /* of TRANSFORM_EACH with values; NULL: with objects */
    const struct transform_cut *cut;     /* of TRANSFORM_COPY; NULL: nothing */
    uint32_t rivals;                     /* fields of one name have one number; 0: it is alone */
};

struct transform {
    struct arena *arena;                  /* holds everything below */
    const struct transform_field *fields; /* the first is an object, the record */
    size_t field_count;
    uint32_t rival_count; /* numbers in use */
    const struct pattern *drop_when;
};

/* A run. */

/** What `each` goes through at the moment. */
struct transform_scope {
    const struct flat *here; /* the element, or the payload */
    const struct transform_scope *outer;
    uint64_t pattern_steps; /* that a pattern spends on it; 0: not known yet */
};

/** The field that is written; for its name. */
struct transform_place {
    const struct transform_field *field;
    size_t index; /* of the element; SIZE_MAX: none */
    struct transform_place *outer;
};

/** Where a member of an object with `copy` is in the record. */
struct transform_member {
    size_t start;
    size_t key_len;
    size_t end;
};

struct transform_run {
    const struct transform *transform;
    const struct transform_input *input;
    struct buf *out;
    struct error *err;
    struct transform_scope *scope;
    struct transform_place *place;
    const struct transform_source *source; /* of the value at hand; NULL: none */
    const char *why;                       /* a conversion is impossible */
    struct arena *made;                    /* values that were made; NULL: none yet */
    size_t made_bytes;                     /* for the field at hand */
    struct buf work;
    struct flat meta; /* the value of a source of TRANSFORM_META */
    char received_at[CLOCK_TEXT_SIZE];
    uint32_t *applied; /* for each number of rivals: the object in which one has applied */
    uint32_t object;   /* the number of the object at hand */
    struct transform_member *members; /* of the objects with `copy` that are being written */
    size_t member_count;
    size_t member_capacity;
};

/* transform_source.c */

/** Compile a pointer with its prefix. */
NODISCARD bool transform_source_init(struct arena *arena, struct str text,
                                     struct transform_source *out, struct error *err);

/**
 * The first of the sources that is present; `*value` NULL: none is. run->source is the last one
 * looked at. ERR_INVALID: the way to the value leads through something else than an object.
 */
NODISCARD bool transform_find(struct transform_run *run, const struct transform_source *sources,
                              size_t count, enum transform_skip skip, const struct flat **value);

/** The name of a field, as in `items[0].sku`. */
struct str transform_name(struct arena *arena, const struct transform_place *place);

/** ERR_INVALID: what is wrong with the value of run->source. Returns false. */
bool transform_refuse(struct transform_run *run, const char *what);

/* transform.c */

/** Count `steps` against the budget. False: run->err is set. */
NODISCARD bool transform_spend(struct transform_run *run, uint64_t steps);

/** Add a value as text: a string as it is, anything else as compact JSON. */
void transform_add_text(struct buf *out, const struct flat *value);

/* transform_as.c */

/** Take the steps of `as`. */
enum transform_made transform_convert_value(struct transform_run *run,
                                            const struct transform_field *field,
                                            const struct flat **value);

/** Where values are made: emptied after each field. */
struct arena *transform_made_arena(struct transform_run *run);

/** A value with this text, which must live as long. */
enum transform_made transform_slice_of(struct transform_run *run, enum json_kind kind,
                                       struct str text, const struct flat **value);

/** The same of a copy of the text. */
enum transform_made transform_make(struct transform_run *run, enum json_kind kind, struct str text,
                                   const struct flat **value);

/** Make the string in run->work, unless it is too long. */
enum transform_made transform_make_work(struct transform_run *run, const struct flat **value);

/** Set run->why. */
enum transform_made transform_cannot(struct transform_run *run, const char *why);

/* transform_map.c */

/** Compile `map`, an object. */
const struct transform_map *transform_map_create(struct arena *arena, const struct flat *object);

/** What the map has for the value, as JSON; ptr NULL: nothing. */
struct str transform_map_find(const struct transform_map *map, const struct flat *value);

/* transform_copy.c */

/** Write the members of an object without what `cut` takes out (NULL: nothing). */
void transform_copy(struct transform_run *run, const struct flat *object,
                    const struct transform_cut *cut);

/** Add a member, written from `start` on, to run->members. */
void transform_note_member(struct transform_run *run, size_t start, size_t key_len);

/** Of members with one name keep the last one, at the place of the first. */
NODISCARD bool transform_merge(struct transform_run *run, size_t first, size_t start);

/* Conversions: transform_text.c, transform_number.c, transform_time.c. */

#define TRANSFORM_CONVERT(name)                                                                    \
    enum transform_made name(struct transform_run *run, const struct transform_step *step,         \
                             const struct flat **value)

TRANSFORM_CONVERT(transform_lower);
TRANSFORM_CONVERT(transform_upper);
TRANSFORM_CONVERT(transform_trim);
TRANSFORM_CONVERT(transform_sha256);
TRANSFORM_CONVERT(transform_hmac);
TRANSFORM_CONVERT(transform_mask);
TRANSFORM_CONVERT(transform_slice);
TRANSFORM_CONVERT(transform_split);
TRANSFORM_CONVERT(transform_join);
TRANSFORM_CONVERT(transform_extract);
TRANSFORM_CONVERT(transform_replace);
TRANSFORM_CONVERT(transform_number);
TRANSFORM_CONVERT(transform_integer);
TRANSFORM_CONVERT(transform_shift);
TRANSFORM_CONVERT(transform_epoch_s);
TRANSFORM_CONVERT(transform_epoch_ms);
TRANSFORM_CONVERT(transform_utc);
TRANSFORM_CONVERT(transform_date);
