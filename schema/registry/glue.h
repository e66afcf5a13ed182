/*
 * glue.h - the operations of the AWS Glue Schema Registry that this program needs, one call each.
 *
 * Failures are worded for whoever sent an event (the status table's `details`):
 * ERR_NOT_FOUND, ERR_DENIED, ERR_UNREACHABLE, ERR_THROTTLED
 * (asked to come back later), ERR_UNAVAILABLE (no answer in time) and ERR_INTERNAL (anything else).
 *
 * Threads: a struct glue belongs to one thread at a time, but for glue_interrupt().
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

/** From now on failures are worded for who runs the server: the operation and AWS's own words. */
void glue_speak_to_operator(struct glue *glue);

/** The operation and what AWS said when the last call failed; "": nothing. */
const char *glue_said(const struct glue *glue);

/** Where calls are sent; lives as long as it. */
const char *glue_endpoint(const struct glue *glue);

/** Seconds by which our clock is behind AWS's, as far as answers have told. */
int64_t glue_clock_skew(const struct glue *glue);

/** A version as Glue tells of it; texts in the arena. */
struct glue_version {
    struct str uuid;
    int64_t number;        /* 0: not told */
    struct str status;     /* "AVAILABLE", "PENDING", "FAILURE", "DELETING" */
    struct str format;     /* "JSON", "AVRO", "PROTOBUF" */
    struct str definition; /* as stored */
    struct str created;    /* "" when not told */
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

/** What is to be there. */
struct glue_wish {
    struct glue_schema schema;
    struct str definition;     /* empty: none yet */
    const char *compatibility; /* of a schema that is made: "NONE", "BACKWARD", ... */
};

/** RegisterSchemaVersion: the version it has now, with uuid, number and status. */
NODISCARD bool glue_register_version(struct glue *glue, const struct glue_wish *wish,
                                     struct arena *arena, struct glue_version *out,
                                     struct error *err);

/** GetSchema's Compatibility: "NONE", "BACKWARD", ... */
NODISCARD bool glue_get_compatibility(struct glue *glue, const struct glue_schema *schema,
                                      struct arena *arena, struct str *out, struct error *err);

/** CreateRegistry; `*existed` tells that it was there already. */
NODISCARD bool glue_create_registry(struct glue *glue, const char *registry, bool *existed,
                                    struct error *err);

/** CreateSchema; a definition is its first version. `*existed`: it was there already, nothing was
 * done. */
NODISCARD bool glue_create_schema(struct glue *glue, const struct glue_wish *wish, bool *existed,
                                  struct error *err);

/** Is it a UUID, as versions have one? */
bool glue_is_uuid(struct str text);

/** Is it a version number, 1 to 999999999? Then `*number` is it. */
bool glue_is_number(struct str text, int64_t *number);
