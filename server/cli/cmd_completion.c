/*
 * cmd_completion.c - `sluice completion`: the completions of bash, zsh and fish, made from the
 * tables that --help is made from.
 *
 * A value is completed with file names when its name in --help is FILE, else not at all.
 */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

static bool takes_file(const struct cli_option *option)
{
    return option->value && strcmp(option->value, "FILE") == 0;
}

/* Call `print` with the table of each command. */
static void completion_for_each(void (*print)(void *self, const struct cli_spec *spec,
                                              struct cli_options options))
{
    for (size_t i = 0; command_at(i); i++) {
        const struct command *command = command_at(i);

        cli_visit(print, (void *)command);
        (void)command->run(1, (char *[]){ (char *)command->name, NULL });
    }
    cli_visit(NULL, NULL);
}

/* The first line of `text`, with a backslash before each character of `special`; a single quote
 * as `quote`. */
static void print_quoted(const char *text, const char *special, const char *quote)
{
    for (; *text && *text != '\n'; text++) {
        if (*text == '\'') {
            (void)fputs(quote, stdout);
            continue;
        }
        if (strchr(special, *text))
            (void)putchar('\\');
        (void)putchar(*text);
    }
}

/* Bash. */

enum bash_list { BASH_ALL, BASH_FILES, BASH_VALUES };

static bool belongs(const struct cli_option *option, enum bash_list list)
{
    if (list == BASH_FILES)
        return takes_file(option);
    return list == BASH_ALL || (option->value && !takes_file(option));
}

static void bash_print_options(const char *name, struct cli_options options, enum bash_list list)
{
    (void)printf(" %s='", name);
    for (size_t i = 0; i < options.count; i++) {
        const struct cli_option *option = &options.list[i];

        if (!belongs(option, list))
            continue;
        (void)printf(" --%s", option->name);
        if (option->letter)
            (void)printf(" -%c", option->letter);
    }
    (void)fputs(" '", stdout);
}

static void bash_print_command(void *self, const struct cli_spec *spec, struct cli_options options)
{
    const struct command *command = self;

    (void)printf("    %s)", command->name);
    bash_print_options("options", options, BASH_ALL);
    bash_print_options("files", options, BASH_FILES);
    bash_print_options("values", options, BASH_VALUES);
    (void)printf(" actions='%s' ;;\n", spec->actions ? spec->actions : "");
}

static void bash_print(void)
{
    (void)fputs("# bash completion for sluice(1)\n"
                "_sluice() {\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local options='' files='' values='' actions='' words=''\n"
                "    COMPREPLY=()\n"
                "    case ${COMP_WORDS[1]} in\n",
                stdout);
    completion_for_each(bash_print_command);
    (void)fputs("    esac\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        words='",
                stdout);
    for (size_t i = 0; command_at(i); i++)
        (void)printf("%s ", command_at(i)->name);
    (void)fputs("--help --version'\n"
                "    elif [[ $files == *\" $prev \"* ]]; then\n"
                "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                "        return\n"
                "    elif [[ $values == *\" $prev \"* ]]; then\n"
                "        return\n"
                "    elif [[ $cur == -* ]]; then\n"
                "        words=$options\n"
                "    elif [ \"$COMP_CWORD\" -eq 2 ] && [ -n \"$actions\" ]; then\n"
                "        words=$actions\n"
                "    else\n"
                "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                "        return\n"
                "    fi\n"
                "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                "}\n"
                "complete -o filenames -F _sluice sluice\n",
                stdout);
}

/* Zsh. */

#define ZSH_SPECIAL "[]:\\"
#define ZSH_QUOTE   "'\\''"

static void zsh_print_option(const struct cli_option *option)
{
    if (option->letter)
        (void)printf(" '(-%c --%s)'{-%c,--%s}'[", option->letter, option->name, option->letter,
                     option->name);
    else
        (void)printf(" '--%s[", option->name);
    print_quoted(option->help, ZSH_SPECIAL, ZSH_QUOTE);
    (void)putchar(']');
    if (option->value)
        (void)printf(":%s:%s", option->value, takes_file(option) ? "_files" : "");
    (void)putchar('\'');
}

static void zsh_print_command(void *self, const struct cli_spec *spec, struct cli_options options)
{
    const struct command *command = self;

    (void)printf("%s) _arguments", command->name);
    for (size_t i = 0; i < options.count; i++)
        zsh_print_option(&options.list[i]);
    if (spec->actions)
        (void)printf(" '1:action:(%s)'", spec->actions);
    (void)fputs(" '*:file:_files' ;;\n", stdout);
}

static void zsh_print(void)
{
    (void)fputs("#compdef sluice\n"
                "local -a commands=(\n",
                stdout);
    for (size_t i = 0; command_at(i); i++) {
        (void)printf("'%s:", command_at(i)->name);
        print_quoted(command_at(i)->summary, ZSH_SPECIAL, ZSH_QUOTE);
        (void)fputs("'\n", stdout);
    }
    (void)fputs(")\n"
                "if (( CURRENT == 2 )); then\n"
                "    _describe command commands\n"
                "    return\n"
                "fi\n"
                "shift words\n"
                "(( CURRENT-- ))\n"
                "case $words[1] in\n",
                stdout);
    completion_for_each(zsh_print_command);
    (void)fputs("esac\n", stdout);
}

/* Fish. */

static void fish_print_help(const char *help)
{
    (void)fputs(" -d '", stdout);
    print_quoted(help, "\\", "\\'");
    (void)fputs("'\n", stdout);
}

static void fish_print_command(void *self, const struct cli_spec *spec, struct cli_options options)
{
    const struct command *command = self;

    (void)printf("complete -c sluice -n __fish_use_subcommand -f -a %s", command->name);
    fish_print_help(command->summary);
    for (size_t i = 0; i < options.count; i++) {
        const struct cli_option *option = &options.list[i];

        (void)printf("complete -c sluice -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                     option->name);
        if (option->letter)
            (void)printf(" -s %c", option->letter);
        if (option->value)
            (void)fputs(takes_file(option) ? " -r -F" : " -x", stdout);
        fish_print_help(option->help);
    }
    if (spec->actions)
        (void)printf("complete -c sluice -n '__fish_seen_subcommand_from %s; and not "
                     "__fish_seen_subcommand_from %s' -f -a '%s'\n",
                     command->name, spec->actions, spec->actions);
}

static void fish_print(void)
{
    completion_for_each(fish_print_command);
}

int cmd_completion(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice completion bash|zsh|fish",
        .about = "Print the completions of a shell. `make install` puts them where the shells look "
                 "for them.\n"
                 "For one session of bash: source <(sluice completion bash)\n",
        .actions = "bash zsh fish",
        .max_arguments = 1,
    };
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = { { "bash", bash_print }, { "zsh", zsh_print }, { "fish", fish_print } };
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    for (size_t i = 0; cli.argument_count == 1 && i < COUNT_OF(shells); i++)
        if (strcmp(cli.arguments[0], shells[i].name) == 0) {
            shells[i].print();
            return COMMAND_OK;
        }
    return cli_refuse("completion", "say bash, zsh or fish");
}
