/*
 * yaml.h - a YAML file as a JSON tree that still knows its lines.
 *
 * One document of YAML 1.2 under the core schema: only plain scalars are more than strings, and
 * `yes`, `no`, `on`, `off` are strings too. What makes a file mean other than it looks is refused
 * with its line: duplicate keys, anchors and aliases, keys that are not strings, tags beyond the
 * core schema, a second document, numbers that JSON has not. A fault of one value need not end the
 * reading (`keeps_faults`), so that all of them can be reported at once.
 *
 * Threads: immutable once read, but its tree is json-c's (json.h).
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
    const char *file; /* its name in error texts, and what yaml_load() opens */
    bool regular;     /* yaml_load() takes a regular file only (see file_read_regular()) */

    /**
     * Rewrite the text of a scalar that is a value; NULL: none. A plain scalar finds its type
     * afterwards, except that text which became empty is a string and not null.
     */
    bool (*expand)(void *self, struct str text, struct buf *out, struct error *err);
    void *self;

    /**
     * Go on after a fault of one value or key: the value reads as null, a duplicate key with its
     * value as if it were not there, and yaml_fault() lists it. Otherwise the first one is the
     * error.
     */
    bool keeps_faults;
};

/** What is wrong with one value or key. */
struct yaml_fault {
    struct str pointer; /* where: a JSON Pointer */
    size_t line;
    const char *text;
};

/**
 * Read `text`. The caller owns the result. ERR_CONFIG `FILE:LINE: ...`, with the dotted path of
 * the key where there is one.
 */
NODISCARD bool yaml_read(struct str text, const struct yaml_options *options, struct yaml **out,
                         struct error *err);

/** yaml_read() of the file that the options name. ERR_SYSTEM or ERR_CONFIG when it cannot be read.
 */
NODISCARD bool yaml_load(const struct yaml_options *options, struct yaml **out, struct error *err);

/** NULL is fine. */
void yaml_destroy(struct yaml *yaml);

/** The tree, which the document owns; NULL for an empty or null document. */
struct json_object *yaml_root(const struct yaml *yaml);

/** The first faults, in the order of their discovery; they live as long as the document. */
size_t yaml_fault_count(const struct yaml *yaml);
const struct yaml_fault *yaml_fault(const struct yaml *yaml, size_t index);

/** The line (from 1) of the value at this JSON Pointer, else of its nearest parent. */
size_t yaml_line(const struct yaml *yaml, struct str pointer);
