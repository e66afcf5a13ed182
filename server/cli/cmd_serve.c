/*
 * cmd_serve.c - `sluice serve`: the command line of serve.h.
 */
#include "server/serve.h"

#include "server/cli/cli.h"
#include "server/cli/commands.h"

static const char usage_text[] =
    "Usage: sluice [serve] [-c FILE]\n"
    "\n"
    "Receive events on POST /events until SIGTERM or SIGINT; then finish what is in flight\n"
    "and exit with 0. A second signal, a second later or more, ends it at once. SIGHUP reads\n"
    "the configuration again.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n"
    "\n"
    "Prints one JSON line per event of its own; the first, `ready`, names address and port.\n"
    "Exits with 3 when the configuration is bad, the store is in use, or the address cannot be\n"
    "listened on.\n";

int cmd_serve(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text, .needs_files = true };
    struct cli cli;
    struct config *config;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    if (serve(cli.config_path, config, &err))
        return COMMAND_OK;
    cli_complain("serve", err.text);
    return COMMAND_ENVIRONMENT;
}
