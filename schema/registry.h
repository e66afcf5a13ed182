/*
 * registry.h - where schema definitions come from, behind one small interface.
 *
 * A registry is asked for the live definition of one schema. Implementations: registry_file.c.
 *
 * Threads: fetch() is called by one thread at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum {
    REGISTRY_DEFINITION_MAX = 4 * 1024 * 1024, /* bytes; Glue's own limit is 170 KB */
    REGISTRY_VERSION_SIZE = 40,                /* a version's name: a number or a UUID, and NUL */
};

struct schema_definition {
    struct str text; /* owned by whoever has the struct; see schema_definition_done() */
    char version[REGISTRY_VERSION_SIZE];
};

struct registry {
    /**
     * The live definition of `schema` in `registry`. The caller owns it. Failures carry the exact
     * `details` of the answer to an event that needed it: ERR_SCHEMA_NOT_FOUND,
     * ERR_SCHEMA_UNUSABLE, and what the kind of registry adds.
     */
    bool (*fetch)(void *self, const char *registry, const char *schema,
                  struct schema_definition *out, struct error *err);
    void (*destroy)(void *self);
    void *self;
};

/** Free the text. */
void schema_definition_done(struct schema_definition *definition);

/** Set `err` to what an event is told when the registry has no such schema. Returns false. */
bool registry_fail_not_found(struct error *err, const char *registry, const char *schema);

/** Set `err` to what an event is told when the definition has no bytes. Returns false. */
bool registry_fail_empty(struct error *err);

/** Definitions in files: `<dir>/<registry>/<schema>.json`. `dir` must outlive it. */
struct registry registry_file(const char *dir);
