/*
 * commands.h - the subcommands, and the table of them.
 *
 * cmd_NAME() is in server/cli/cmd_NAME.c. It gets the name as argv[0], writes results to standard
 * output and diagnostics to standard error, and returns the exit status of the process.
 */
#pragma once

#include <stddef.h>

enum {
    COMMAND_OK = 0,
    COMMAND_NO = 1,          /* the answer is no: invalid, not found, refused */
    COMMAND_USAGE = 2,       /* incorrect command line */
    COMMAND_ENVIRONMENT = 3, /* bad configuration, address in use, unreadable file, ... */
};

int cmd_serve(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_infer(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_status_map(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_health(int argc, char **argv);
int cmd_rejected(int argc, char **argv);
int cmd_dead(int argc, char **argv);
int cmd_outbox(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_rehearse(int argc, char **argv);
int cmd_redrive(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_man(int argc, char **argv);

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

/** The command `index`, in the order of --help; NULL: there are no more. */
const struct command *command_at(size_t index);

/** The command with that name; NULL: there is none. */
const struct command *command_find(const char *name);
