/*
 * registry.h - where schema definitions come from, behind one small interface.
 *
 * A registry is asked for a definition of one schema. Implementations: registry_file.c,
 * registry_glue.c.
 *
 * Threads: fetch() is called from several threads; interrupt() from any, also meanwhile.
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
    char uuid[REGISTRY_VERSION_SIZE]; /* another name of the same version; "": it has none */
    char said[ERR_TEXT_SIZE]; /* when there is none: the service's own words, for operators */
};

/** Which definition. */
struct registry_query {
    const char *registry;
    const char *schema;
    const char *version; /* number or UUID; NULL: the latest */
};

struct registry {
    /**
     * The definition that is asked for. The caller owns it. Failures carry the exact `details` of
     * the answer to an event that needed it: ERR_NOT_FOUND, ERR_INVALID, and what
     * the kind of registry adds. Takes a bounded time.
     */
    bool (*fetch)(void *self, const struct registry_query *query, struct schema_definition *out,
                  struct error *err);
    /** Show `see` each schema there is, until it returns false; NULL: it cannot list them. */
    void (*list)(void *self, bool (*see)(void *seer, const struct registry_query *query),
                 void *seer);
    /** Make fetch() fail at once from now on; NULL where it never takes long. */
    void (*interrupt)(void *self);
    void (*destroy)(void *self);
    void *self;
    bool is_glue; /* its schemas are of draft 4, 6 or 7 */
};

/** Free the text. */
void schema_definition_done(struct schema_definition *definition);

/** Set `err` to what an event is told when the registry has no such schema. Returns false. */
bool registry_fail_not_found(struct error *err, const char *registry, const char *schema);

/** Set `err` to what an event is told when the definition has no bytes. Returns false. */
bool registry_fail_empty(struct error *err);

/**
 * Cut off what is for operators only, such as paths, profiles and AWS's own words: the rest is the
 * kind of failure, which senders and strangers may know.
 */
void registry_cut_for_senders(struct error *err);

/** Is there nothing but white space? Then registry_fail_empty() is due. */
bool registry_is_blank(struct str text);

/** Definitions in files: `<dir>/<registry>/<schema>.json`. `dir` must outlive it. */
struct registry registry_file(const char *dir);

struct aws_session;

/**
 * Definitions in the AWS Glue Schema Registry, as `session` (which outlives it) may see them.
 * `clients` calls can be under way at once; more wait. ERR_CONFIG: there is no region, or the
 * endpoint is no URL.
 */
NODISCARD bool registry_glue(struct aws_session *session, size_t clients, struct registry *out,
                             struct error *err);
