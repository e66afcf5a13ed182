/*
 * infer.h - the shape that values have in common, and a JSON Schema and a transform made from it.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/flat.h"

struct shape;

/** The shape of no value yet; in the arena, with all that is added. */
struct shape *shape_create(struct arena *arena);

/** Add a value, whose text must outlive the shape. */
void shape_add(struct shape *shape, const struct flat *value);

/** Write a JSON Schema, indented, that accepts every value of the shape. */
void infer_write_schema(struct buf *out, const struct shape *shape);

/** Write a transform with comments that makes a record of every value of the shape. */
void infer_write_transform(struct buf *out, const struct shape *shape);
