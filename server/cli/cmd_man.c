/*
 * cmd_man.c - `sluice man`: print the manual page of a command, made from the table that --help is
 * made from.
 */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/version.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

/* Text for roff. A control character at the start of a line is text, and so is a backslash. */
static void man_print(const char *text)
{
    bool at_start = true;

    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\''))
            (void)fputs("\\&", stdout);
        if (*text == '\\')
            (void)fputs("\\e", stdout);
        else if (*text == '-')
            (void)fputs("\\-", stdout);
        else
            (void)putchar(*text);
        at_start = *text == '\n';
    }
}

/* Lines as they are. */
static void man_print_lines(const char *section, const char *lines)
{
    (void)printf(".SH %s\n.nf\n", section);
    man_print(lines);
    (void)fputs(lines[strlen(lines) - 1] == '\n' ? ".fi\n" : "\n.fi\n", stdout);
}

static void man_print_option(const struct cli_option *option)
{
    (void)fputs(".TP\n", stdout);
    if (option->letter)
        (void)printf("\\fB\\-%c\\fR, ", option->letter);
    (void)fputs("\\fB\\-\\-", stdout);
    man_print(option->name);
    (void)fputs("\\fR", stdout);
    if (option->value)
        (void)printf(" \\fI%s\\fR", option->value);
    (void)putchar('\n');
    man_print(option->help);
    (void)putchar('\n');
}

static void man_print_page(void *self, const struct cli_spec *spec, struct cli_options options)
{
    const struct command *command = self;

    (void)fputs(".TH \"SLUICE\\-", stdout);
    for (const char *c = command->name; *c; c++)
        (void)putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    (void)fputs("\" 1 \"\" \"sluice " SLUICE_VERSION "\" \"User Commands\"\n.SH NAME\nsluice\\-",
                stdout);
    man_print(command->name);
    (void)fputs(" \\- ", stdout);
    man_print(command->summary);
    (void)putchar('\n');
    man_print_lines("SYNOPSIS", spec->usage);
    man_print_lines("DESCRIPTION", spec->about);
    (void)fputs(".SH OPTIONS\n", stdout);
    for (size_t i = 0; i < options.count; i++)
        man_print_option(&options.list[i]);
    if (spec->ending)
        man_print_lines("NOTES", spec->ending);
    (void)fputs(".SH SEE ALSO\n.BR sluice (1)\n", stdout);
}

int cmd_man(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice man [COMMAND]",
        .about = "Print the manual page of a command as roff, for example for man(1): sluice man "
                 "check | man -l -.\n"
                 "Without COMMAND, print the names of all commands.\n",
        .max_arguments = 1,
    };
    const struct command *command;
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (cli.argument_count == 0) {
        for (size_t i = 0; command_at(i); i++)
            (void)puts(command_at(i)->name);
        return COMMAND_OK;
    }
    command = command_find(cli.arguments[0]);
    if (!command)
        return cli_refuse("man", "there is no such command");
    cli_visit(man_print_page, (void *)command);
    status = command->run(1, (char *[]){ cli.arguments[0], NULL });
    cli_visit(NULL, NULL);
    return status;
}
