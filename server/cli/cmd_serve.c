/*
 * cmd_serve.c - `sluice serve`: the command line of serve.h.
 */
#include "server/serve.h"

#include "server/cli/cli.h"
#include "server/cli/commands.h"

int cmd_serve(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice [serve] [-c FILE]",
        .about = "Receive events on POST /events until SIGTERM or SIGINT; then answer what is in "
                 "flight and\n"
                 "exit with 0. A second signal, at least a second later, ends it at once. SIGHUP "
                 "reloads the\n"
                 "configuration.\n",
        .ending = "Logs JSON lines to standard output; `ready` has the address and the port.\n"
                  "Exits with 3 when the configuration is bad, the store is in use, or the "
                  "address cannot be\n"
                  "listened on.\n",
        .takes_config = true,
        .needs_files = true,
    };
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
