/*
 * cmd_schema.h - what the files of `sluice schema` share.
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
    struct arena *arena;         /* for texts, as long as the call */
    struct aws_session *session; /* NULL, as `glue`: schemas are files */
    struct glue *glue;
    const char *registry; /* the schema that is meant */
    const char *schema;
    const char *compatibility; /* of --compatibility, or NULL */
    bool json;
    bool yes; /* do not ask */
    char **arguments;
    int argument_count;
};

/** Reach Glue as the configuration says. ERR_CONFIG: no region, …; ERR_SYSTEM. */
NODISCARD bool schema_cli_connect(struct schema_cli *cli, struct error *err);

/** End that. */
void schema_cli_disconnect(struct schema_cli *cli);

/** Does an earlier route name the schema of route `index`? */
bool schema_cli_is_known(const struct config *config, size_t index);

/** The version's name: its number, or what stands for one. */
struct str schema_cli_version(const struct schema_cli *cli, const struct glue_version *version);

/** Say on standard error what went wrong; the exit status that is due. */
int schema_cli_complain(const struct error *err);

/** The version that a server would use: the pinned one, or NULL: the latest. */
const char *schema_cli_pin(const struct schema_cli *cli);

/** A version (number or UUID; NULL: the latest) of the schema that is meant. */
NODISCARD bool schema_cli_get(const struct schema_cli *cli, const char *version,
                              struct glue_version *out, struct error *err);

/** Does it compile, for this configuration? ERR_INVALID says why not. */
NODISCARD bool schema_cli_compile(const struct schema_cli *cli, struct str definition,
                                  struct error *err);

/* The commands: the exit status. */
int schema_cli_diff(const struct schema_cli *cli);
int schema_cli_register(const struct schema_cli *cli);
int schema_cli_create(const struct schema_cli *cli);
int schema_cli_open(const struct schema_cli *cli);
