/*
 * yaml.h - a YAML file as a JSON tree, with the line of each value.
 *
 * One document of YAML 1.2 under the core schema: only plain scalars can be more than strings, and
 * `yes`, `no`, `on` and `off` are strings. Constructs that mislead a reader are refused: duplicate
 * keys, anchors and aliases, keys that are not strings, tags outside the core schema, a second
 * document, numbers that JSON cannot hold. A fault of one value or key does not end the reading, so
 * that all of them can be reported at once.
 *
 * Threads: immutable once read; its tree belongs to one thread at a time (json.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

enum { YAML_MAX_BYTES = 1024 * 1024 };

struct yaml;

struct yaml_options {
    const char *file; /* its name in error texts; yaml_load() opens it */
    bool regular;     /* yaml_load() reads a regular file only (see file_read_regular()) */

    /**
     * Rewrite the text of a scalar that is a value, not a key; NULL: leave it. The type of a plain
     * scalar follows from the new text, except that a text that became empty is a string, not null.
     */
    bool (*expand)(void *self, struct str text, struct buf *out, struct error *err);
    void *self;
};

/**
 * What is wrong with one value or key. The tree has null for a value with a fault, and lacks a
 * duplicate key.
 */
struct yaml_fault {
    struct str pointer; /* where: a JSON Pointer */
    size_t line;
    const char *text;
};

/** Read `text`. The caller owns the result. ERR_CONFIG `FILE:LINE: ...` when it is not YAML. */
NODISCARD bool yaml_read(struct str text, const struct yaml_options *options, struct yaml **out,
                         struct error *err);

/** yaml_read() of the file that the options name. ERR_SYSTEM or ERR_CONFIG when it cannot be read.
 */
NODISCARD bool yaml_load(const struct yaml_options *options, struct yaml **out, struct error *err);

/** NULL is fine. */
void yaml_destroy(struct yaml *yaml);

/** The tree, which the document owns; NULL for an empty or null document. */
struct json_object *yaml_root(const struct yaml *yaml);

/** The first 200 faults, in the file's order; they live as long as the document. */
size_t yaml_fault_count(const struct yaml *yaml);
const struct yaml_fault *yaml_fault(const struct yaml *yaml, size_t index);

/**
 * The line (from 1) of the value at this JSON Pointer, else of its nearest parent; 0 when `yaml` is
 * NULL. Adds the place in the form for people, `http.listen` or `routes[0].match`, to `path`.
 */
size_t yaml_locate(const struct yaml *yaml, struct str pointer, struct buf *path);
