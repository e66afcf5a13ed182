/*
 * cli.h - what the commands have in common: reading the command line, --help, the configuration,
 * and printing.
 *
 * A command describes its options in one table, which both the reader and --help use.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "server/config/config.h"

/** An option of a command. Exactly one of `flag`, `text` and `read` is set. */
struct cli_option {
    const char *name;  /* without its dashes */
    char letter;       /* the short form; 0: none */
    const char *value; /* the name of its value in --help; NULL: it takes none */
    const char *help;  /* one line, or several with '\n' between them */
    bool *flag;        /* becomes true */
    const char **text; /* becomes the value */

    /** Read the value into `self`. On failure `err` says what the option wants. */
    bool (*read)(void *self, const char *value, struct error *err);
    void *self;
};

/** A command line, and its --help: usage, `about`, the options, `ending`. */
struct cli_spec {
    const char *usage;   /* without "Usage: "; several forms have '\n' between them */
    const char *about;   /* lines that end with '\n' */
    const char *ending;  /* likewise; NULL: none */
    const char *actions; /* what the first argument can be, with blanks between; NULL: anything */
    const struct cli_option *options; /* ends with a row without a name; NULL: none of its own */
    bool takes_config;                /* has -c, --config FILE */
    bool needs_files;                 /* cli_load_config() checks the files that serving needs */
    int max_arguments;
};

struct cli {
    const char *config_path; /* of -c, $SLUICE_CONFIG, or NULL: the built-in defaults */
    bool needs_files;        /* from the spec */
    char **arguments;        /* the words that are not options */
    int argument_count;
};

/**
 * Read the command line: the options of `spec`, -c where it takes one, and --help. False: the
 * command must return `*exit_status`; --help was printed, or what is wrong with the call.
 */
bool cli_parse(int argc, char **argv, const struct cli_spec *spec, struct cli *out,
               int *exit_status);

/** The options of a command, with those that the reader adds; they are valid during a visit. */
struct cli_options {
    const struct cli_option *list;
    size_t count;
};

/**
 * Until it is called with NULL, cli_parse() reads nothing: it passes the table of its command to
 * `visit`, prints nothing, and returns false with COMMAND_OK. For commands that describe commands.
 */
void cli_visit(void (*visit)(void *self, const struct cli_spec *spec, struct cli_options options),
               void *self);

/** Load the configuration; on failure print each of its problems to standard error. */
bool cli_load_config(const struct cli *cli, struct config **out);

/** Print to standard error how to name a configuration, if none was named. */
void cli_hint(const struct cli *cli);

/** Print to standard output; main() checks at the end whether that failed. */
void cli_print(struct str text);

/** Print `out` to standard output and free it. */
void cli_print_all(struct buf *out);

/** Print one line to standard error: `sluice <command>: <text>`. */
void cli_complain(const char *command, const char *text);

/** Like cli_complain(), plus a hint at --help. Returns COMMAND_USAGE. */
int cli_refuse(const char *command, const char *text);

/** The exit status for `err`: COMMAND_NO when something is missing or refused. */
int cli_status(const struct error *err);
