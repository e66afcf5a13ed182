/*
 * commands.h - the subcommands. Each lives in server/cli/cmd_<name>.c; main.c holds their table.
 *
 * A command gets its own name as argv[0], writes results to standard output and diagnostics to
 * standard error, and returns the process's exit status.
 */
#pragma once

enum {
    COMMAND_OK = 0,
    COMMAND_NO = 1,          /* the answer is no */
    COMMAND_USAGE = 2,       /* called wrongly */
    COMMAND_ENVIRONMENT = 3, /* bad configuration, port busy, unreadable file, ... */
};

int cmd_serve(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_status_map(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_health(int argc, char **argv);
int cmd_rejected(int argc, char **argv);
int cmd_dead(int argc, char **argv);
int cmd_outbox(int argc, char **argv);
int cmd_version(int argc, char **argv);
