/*
 * transform.h - writes the normalized record of a payload, as a transform file describes it.
 *
 * The file is a list of fields, each with a name and the source of its value
 * (conf/transform.schema.json). The record is written as JSON text
 * from the slices of the payload's tree.
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

struct transform;

/**
 * Read the file at `path`. The caller owns the result. ERR_CONFIG with the first problem,
 * `FILE:LINE: KEY: ...`; ERR_SYSTEM when the file cannot be read.
 */
NODISCARD bool transform_load(const char *path, struct transform **out, struct error *err);

/** Report each problem of the file at `path` as a line. True: there is none. */
bool transform_check(const char *path, void (*report)(void *self, const char *line), void *self);

/** NULL is fine. */
void transform_destroy(struct transform *transform);

/**
 * Add the record of `payload` as compact JSON; `now_us` is the value of
 * `now: true`. ERR_INVALID, worded for the sender and without any of the payload's
 * values, when the payload does not hold what the record needs or the record does not fit `out`.
 */
NODISCARD bool transform_apply(const struct transform *transform, const struct flat *payload,
                               int64_t now_us, struct buf *out, struct error *err);
