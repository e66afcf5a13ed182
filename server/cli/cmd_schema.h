/*
 * cmd_schema.h - what the files of `sluice schema` and `sluice doctor` share.
 */
#pragma once

#include <stdbool.h>

#include "aws/session.h"
#include "base/arena.h"
#include "base/error.h"
#include "schema/registry/glue.h"
#include "schema/registry/registry.h"
#include "server/cli/cli.h"

/** One call of `sluice schema`. */
struct schema_cli {
    const struct config *config;
    struct arena *arena;         /* for texts; lives as long as the call */
    struct aws_session *session; /* NULL, like `glue`: schemas are files */
    struct glue *glue;
    const char *registry; /* with `schema`: the selected schema */
    const char *schema;
    const char *compatibility; /* of --compatibility, or NULL */
    bool json;
    bool yes; /* do not ask */
    char **arguments;
    int argument_count;
};

/** Create the session with Glue. ERR_CONFIG: no region, for example; ERR_SYSTEM. */
NODISCARD bool schema_cli_connect(struct schema_cli *cli, struct error *err);

/** Free the session. */
void schema_cli_disconnect(struct schema_cli *cli);

/** Does an earlier route name the schema of route `index`? */
bool schema_cli_is_known(const struct config *config, size_t index);

/** The version's number, or of a file its digest. */
struct str schema_cli_version(const struct schema_cli *cli, const struct glue_version *version);

/** Print the error to standard error. Returns the exit status. */
int schema_cli_complain(const struct error *err);

/** The pinned version of the selected schema; NULL: the latest is used. */
const char *schema_cli_pin(const struct schema_cli *cli);

/** A version (number or UUID; NULL: the latest) of the selected schema. */
NODISCARD bool schema_cli_get(const struct schema_cli *cli, const char *version,
                              struct glue_version *out, struct error *err);

/** Does the definition compile under this configuration? ERR_INVALID: why not. */
NODISCARD bool schema_cli_compile(const struct schema_cli *cli, struct str definition,
                                  struct error *err);

/* The commands of cmd_schema_change.c. Each returns the exit status. */
int schema_cli_diff(const struct schema_cli *cli);
int schema_cli_register(const struct schema_cli *cli);
int schema_cli_create(const struct schema_cli *cli);
int schema_cli_open(const struct schema_cli *cli);

/** cmd_schema_shadow.c: `sluice schema shadow`. Returns the exit status. */
int schema_cli_shadow(const struct schema_cli *cli);
