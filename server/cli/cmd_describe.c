/*
 * cmd_describe.c - `sluice describe`: print conf/sluice.yaml, which is written from its schema by
 * `make describe`.
 */
#include "base/embed.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

EMBED(described, "conf/sluice.yaml");

int cmd_describe(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "Usage: sluice describe\n\n"
                 "Print a configuration file that says what every key means and defaults to.\n",
    };
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    cli_print(EMBEDDED(described));
    return COMMAND_OK;
}
