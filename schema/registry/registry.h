/*
 * registry.h - the interface of schema registries, from which schema definitions are fetched.
 *
 * Implementations: registry_file.c, registry_glue.c.
 *
 * Threads: fetch() is called from several threads at a time; interrupt() from any, also during a
 * fetch().
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
    struct str text; /* owned; freed by schema_definition_done() */
    char version[REGISTRY_VERSION_SIZE];
    char uuid[REGISTRY_VERSION_SIZE]; /* another name of the version; "": none */
    char said[ERR_TEXT_SIZE];         /* of a failure: the service's message, for operators */
};

/** Which definition. */
struct registry_query {
    const char *registry;
    const char *schema;
    const char *version; /* number or UUID; NULL: the latest */
};

struct registry {
    /**
     * Get the definition. The caller owns it. The error's text is `details` of the answer to an
     * event that needs it: ERR_NOT_FOUND, ERR_INVALID, and others of the kind of registry.
     * Returns within a bounded time.
     */
    bool (*fetch)(void *self, const struct registry_query *query, struct schema_definition *out,
                  struct error *err);
    /** Call `visit` for each schema until it returns false; NULL: the registry cannot list them. */
    void (*list)(void *self, bool (*visit)(void *context, const struct registry_query *query),
                 void *context);
    /** Make fetch() fail at once from now on; NULL: it never takes long. */
    void (*interrupt)(void *self);
    void (*destroy)(void *self);
    void *self;
    bool is_glue; /* schemas are of draft 4, 6 or 7 */
};

/** Free the text. */
void schema_definition_done(struct schema_definition *definition);

/** Fail as for an event whose schema is not in the registry. Returns false. */
bool registry_fail_not_found(struct error *err, const char *registry, const char *schema);

/** Fail as for an event whose schema has an empty definition. Returns false. */
bool registry_fail_empty(struct error *err);

/**
 * Cut details for operators, such as paths, profiles and AWS's messages, off the text. What is left
 * is the kind of failure, which senders may see.
 */
void registry_cut_for_senders(struct error *err);

/** Is the text white space only? Then the caller calls registry_fail_empty(). */
bool registry_is_blank(struct str text);

/** Definitions in files: `<dir>/<registry>/<schema>.json`. `dir` must outlive it. */
struct registry registry_file(const char *dir);

/** Read a definition from a file. The error's text names the file, so it is for operators. */
NODISCARD bool registry_read_file(const char *path, struct schema_definition *out,
                                  struct error *err);

struct aws_session;

/**
 * Definitions in the AWS Glue Schema Registry. `session` must outlive it. At most `clients` calls
 * are under way at a time; others wait. ERR_CONFIG: there is no region, or the endpoint is not a
 * URL.
 */
NODISCARD bool registry_glue(struct aws_session *session, size_t clients, struct registry *out,
                             struct error *err);
