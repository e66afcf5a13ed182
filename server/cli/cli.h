/*
 * cli.h - what the subcommands' command lines have in common.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "server/config/config.h"

struct cli_spec {
    const char *usage;  /* the whole help text, shown for --help */
    bool takes_json;    /* knows --json */
    bool takes_offline; /* knows --offline */
    bool takes_url;     /* knows --url URL */
    bool needs_files;   /* the files that serving needs must be there */
    int max_arguments;  /* that are no options */
};

struct cli {
    const char *config_path; /* of -c, $SLUICE_CONFIG, or NULL: the built-in defaults */
    bool json;
    bool offline;
    const char *url;  /* of --url, or NULL */
    bool needs_files; /* of the spec */
    char **arguments;
    int argument_count;
};

/**
 * Read the command line: -c FILE, --help, the options that `spec` takes, and arguments. False:
 * `*exit_status` is what the command must return (help was shown, or the usage was wrong and said
 * so).
 */
bool cli_parse(int argc, char **argv, const struct cli_spec *spec, struct cli *out,
               int *exit_status);

/** Load the configuration; on failure every problem of it goes to standard error. */
bool cli_load_config(const struct cli *cli, struct config **out);

/** After a failure with the built-in defaults: how to name a configuration, on standard error. */
void cli_hint(const struct cli *cli);

/** Print results to standard output; main() finds out when that fails. */
void cli_print(struct str text);

/** Print one line to standard error: `sluice <command>: <text>`. */
void cli_complain(const char *command, const char *text);

/** The exit status for `err`: COMMAND_NO for what is not there or refused, else
 * COMMAND_ENVIRONMENT. */
int cli_status(const struct error *err);
