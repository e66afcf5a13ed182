/*
 * glue.h - the operations of the AWS Glue Schema Registry, one function each.
 *
 * Error texts are for senders of events (`details` in docs/status.md): ERR_NOT_FOUND,
 * ERR_DENIED, ERR_UNREACHABLE, ERR_THROTTLED (Glue asks to come back later), ERR_UNAVAILABLE (no
 * answer in time) and ERR_INTERNAL (anything else).
 *
 * Threads: a struct glue belongs to one thread at a time, except in glue_interrupt().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "schema/registry/registry.h"

struct glue;

/** A client of `session`, which outlives it. The caller owns it. ERR_CONFIG: no region, … */
NODISCARD bool glue_create(struct aws_session *session, struct glue **out, struct error *err);

/** NULL is fine. */
void glue_destroy(struct glue *glue);

/** Make the call that is under way and all later ones fail at once. From any thread. */
void glue_interrupt(struct glue *glue);

/** From now on error texts are for operators: the operation and AWS's message. */
void glue_use_operator_texts(struct glue *glue);

/** The operation and AWS's message of the last call that failed; "": there is none. */
const char *glue_said(const struct glue *glue);

/** The URL that calls are sent to; lives as long as `glue`. */
const char *glue_endpoint(const struct glue *glue);

/** Seconds by which our clock is behind AWS's, from the dates of answers. */
int64_t glue_clock_skew(const struct glue *glue);

/** A version as in Glue's answer; texts in the arena. */
struct glue_version {
    struct str uuid;
    int64_t number;        /* 0: not in the answer */
    struct str status;     /* "AVAILABLE", "PENDING", "FAILURE", "DELETING" */
    struct str format;     /* "JSON", "AVRO", "PROTOBUF" */
    struct str definition; /* as stored */
    struct str created;    /* "": not in the answer */
};

/** GetSchemaVersion. */
NODISCARD bool glue_get_version(struct glue *glue, const struct registry_query *query,
                                struct arena *arena, struct glue_version *out, struct error *err);

/** Which schema. */
struct glue_schema {
    const char *registry;
    const char *schema;
};

struct glue_versions {
    struct glue_version *list; /* newest first, without definitions and formats */
    size_t count;
};

/** ListSchemaVersions, all pages; the list in the arena. */
NODISCARD bool glue_list_versions(struct glue *glue, const struct glue_schema *schema,
                                  struct arena *arena, struct glue_versions *out,
                                  struct error *err);

/** CheckSchemaVersionValidity. ERR_INVALID, with Glue's reason: it is not valid. */
NODISCARD bool glue_check_definition(struct glue *glue, struct str definition, struct error *err);

/** What to register or create. */
struct glue_registration {
    struct glue_schema schema;
    struct str definition;     /* empty: none */
    const char *compatibility; /* of a new schema:  "NONE", "BACKWARD", ... */
};

/** RegisterSchemaVersion: the version of the definition, with uuid, number and status. */
NODISCARD bool glue_register_version(struct glue *glue,
                                     const struct glue_registration *registration,
                                     struct arena *arena, struct glue_version *out,
                                     struct error *err);

/** GetSchema's Compatibility: "NONE", "BACKWARD", ... */
NODISCARD bool glue_get_compatibility(struct glue *glue, const struct glue_schema *schema,
                                      struct arena *arena, struct str *out, struct error *err);

/** CreateRegistry; `*existed`: it was there already. */
NODISCARD bool glue_create_registry(struct glue *glue, const char *registry, bool *existed,
                                    struct error *err);

/** CreateSchema, with a definition as its first version. `*existed`: it was there already and is
 * not changed. */
NODISCARD bool glue_create_schema(struct glue *glue, const struct glue_registration *registration,
                                  bool *existed, struct error *err);

/** Is it a UUID, the form of a version's id? */
bool glue_is_uuid(struct str text);

/** Is it a version number, 1 to 999999999? Sets `*number`. */
bool glue_is_number(struct str text, int64_t *number);
