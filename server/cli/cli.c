/*
 * cli.c - see cli.h.
 */
#include "server/cli/cli.h"

#include <getopt.h>
#include <stdio.h>

#include "server/cli/commands.h"

void cli_print(struct str text)
{
    if (text.len > 0)
        (void)fwrite(text.ptr, 1, text.len, stdout);
}

void cli_complain(const char *command, const char *text)
{
    (void)fprintf(stderr, "sluice %s: %s\n", command, text);
}

int cli_status(const struct error *err)
{
    bool is_no = err->code == ERR_NOT_FOUND || err->code == ERR_INVALID;

    return is_no ? COMMAND_NO : COMMAND_ENVIRONMENT;
}

static bool refuse(const char *command, const char *text, const char *word, int *exit_status)
{
    (void)fprintf(stderr, "sluice %s: %s%s%s\n", command, text, *word ? ": " : "", word);
    (void)fprintf(stderr, "Try: sluice %s --help\n", command);
    *exit_status = COMMAND_USAGE;
    return false;
}

bool cli_parse(int argc, char **argv, const struct cli_spec *spec, struct cli *out,
               int *exit_status)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
        { "offline", no_argument, NULL, 'o' },      { "url", required_argument, NULL, 'u' },
        { "help", no_argument, NULL, 'h' },         { 0 },
    };
    struct cli cli = { .needs_files = spec->needs_files };
    const char *config = NULL;
    int option;

    optind = 0; /* getopt's state is the process's; begin anew */
    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (option == 'c') {
            config = optarg;
        } else if (option == 'j' && spec->takes_json) {
            cli.json = true;
        } else if (option == 'o' && spec->takes_offline) {
            cli.offline = true;
        } else if (option == 'u' && spec->takes_url) {
            cli.url = optarg;
        } else if (option == 'h') {
            (void)fputs(spec->usage, stdout);
            *exit_status = COMMAND_OK;
            return false;
        } else {
            return refuse(argv[0], "unknown option, or one without its value", argv[optind - 1],
                          exit_status);
        }
    }
    cli.arguments = argv + optind;
    cli.argument_count = argc - optind;
    if (cli.argument_count > spec->max_arguments)
        return refuse(argv[0], "too many arguments", cli.arguments[spec->max_arguments],
                      exit_status);
    cli.config_path = config_path(config);
    *out = cli;
    return true;
}

void cli_hint(const struct cli *cli)
{
    if (!cli->config_path)
        (void)fputs("No configuration file was named, and the built-in defaults look for conf/ and "
                    "var/ in the working\ndirectory. Name one with -c FILE, as -c "
                    "/etc/sluice/sluice.yaml, or in SLUICE_CONFIG.\n",
                    stderr);
}

bool cli_load_config(const struct cli *cli, struct config **out)
{
    struct config_review *review;
    struct error err = { 0 };

    if (!config_review_open(cli->config_path, &review, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return false;
    }
    if (cli->needs_files)
        config_review_files(review, CONFIG_FILES_NEEDED);
    for (size_t i = 0; i < config_review_count(review); i++)
        (void)fprintf(stderr, "%s\n", config_review_line(review, i));

    bool ok = config_review_take(review, out);

    config_review_close(review);
    if (!ok)
        cli_hint(cli);
    return ok;
}
