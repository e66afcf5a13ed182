/*
 * transform.h - writes the normalized record of an event, as a transform file describes it.
 *
 * The file is a list of fields, each with a name and the source of its value
 * (conf/transform.schema.json, docs/transforms.md). It is compiled once. The record is written as
 * JSON text from the slices of the event's tree.
 *
 * Threads: immutable once loaded; shared.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/flat.h"
#include "schema/schema.h"

struct pattern_need;
struct transform;

/**
 * Read the file at `path`. The caller owns the result. ERR_CONFIG with the first problem,
 * `FILE:LINE: KEY: ...`; ERR_SYSTEM when the file cannot be read.
 */
NODISCARD bool transform_load(const char *path, struct transform **out, struct error *err);

/** What transform_check() reports to. */
struct transform_lint {
    /** A line for each problem, as in transform_load(). */
    void (*report)(void *self, const char *line);
    /**
     * Why no payload can have a value at this JSON Pointer, in which 0 stands for any element of an
     * array; NULL: it can. The function is NULL when nothing is known of payloads.
     */
    const char *(*fault)(void *self, struct str pointer);
    /**
     * Why no payload meets this need of a pattern whose keys start at the JSON Pointer `base`;
     * otherwise as `fault`.
     */
    const char *(*misfit)(void *self, struct str base, const struct pattern_need *need);
    /** A file with a secret that the transform reads. NULL: these are not reported. */
    void (*file)(void *self, const char *path);
    void *self;
};

/** Report each problem of the file at `path`. True: there is none. */
bool transform_check(const char *path, const struct transform_lint *lint);

/** NULL is fine. */
void transform_destroy(struct transform *transform);

/** The members of `meta:`. */
enum transform_meta {
    TRANSFORM_META_KEY,
    TRANSFORM_META_ROUTE,
    TRANSFORM_META_REGISTRY,
    TRANSFORM_META_SCHEMA,
    TRANSFORM_META_SCHEMA_VERSION,
    TRANSFORM_META_REQUEST_ID,
    TRANSFORM_META_TRACE_ID,
    TRANSFORM_META_COUNT,
    TRANSFORM_META_RECEIVED_AT = TRANSFORM_META_COUNT, /* made from `now_us` */
};

/** For `sluice explain`: where each field of the record comes from. */
struct transform_observer {
    /** `field` is as in `items[0].sku`; `from` is a pointer as the file has it, or a key of it. */
    void (*field)(void *self, struct str field, struct str from);
    void *self;
};

/** What a record is made of; borrowed. */
struct transform_input {
    const struct flat *payload;
    const struct flat *event;                  /* the whole event */
    struct str meta[TRANSFORM_META_COUNT];     /* ptr NULL: null */
    int64_t now_us;                            /* the value of `now: true` */
    struct schema_budget *budget;              /* for the time; NULL: no limit */
    const struct transform_observer *observer; /* NULL: none */
};

/** Does `drop_when` of the file fit the payload? */
bool transform_drops(const struct transform *transform, const struct flat *payload);

/**
 * Add the record as compact JSON. ERR_INVALID, worded for the sender and without any of the event's
 * values, when the event does not hold what the record needs or the record does not fit `out`;
 * ERR_TOO_EXPENSIVE when the budget is used up. `out` is unchanged then.
 */
NODISCARD bool transform_apply(const struct transform *transform,
                               const struct transform_input *input, struct buf *out,
                               struct error *err);
