/*
 * main.c - the program's entry: finds the subcommand in a table and runs it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/version.h"
#include "server/cli/commands.h"

static void print_help(FILE *to)
{
    (void)fputs("sluice " SLUICE_VERSION " - validate, store and deliver events from Amazon "
                "EventBridge\n\nUsage: sluice [COMMAND] [OPTION...]\n\nCommands:\n",
                to);
    for (size_t i = 0; command_at(i); i++)
        (void)fprintf(to, "  %-11s %s\n", command_at(i)->name, command_at(i)->summary);
    (void)fputs(
        "\n`sluice COMMAND --help` describes a command. Exit status: 0 ok, 1 the answer is no\n"
        "(for example invalid or not found), 2 incorrect command line, 3 bad configuration\n"
        "or environment.\n",
        to);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int run(int argc, char **argv)
{
    static char serve[] = "serve";
    static char version[] = "version";

    if (argc < 2 || (argv[1][0] == '-' && !is_one_of(argv[1], "-h", "--help") &&
                     !is_one_of(argv[1], "-V", "--version"))) {
        argv[0] = serve;
        return cmd_serve(argc, argv);
    }
    if (is_one_of(argv[1], "-h", "--help")) {
        print_help(stdout);
        return COMMAND_OK;
    }
    if (is_one_of(argv[1], "-V", "--version"))
        argv[1] = version;

    const struct command *command = command_find(argv[1]);

    if (command)
        return command->run(argc - 1, argv + 1);
    (void)fprintf(stderr, "sluice: unknown command '%s'\n\n", argv[1]);
    print_help(stderr);
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    secret_forbid_dumps();

    int status = run(argc, argv);

    /* A result that could not be written is a failure. */
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    (void)fputs("sluice: cannot write to standard output\n", stderr);
    return COMMAND_ENVIRONMENT;
}
