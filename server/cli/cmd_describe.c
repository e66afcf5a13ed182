/*
 * cmd_describe.c - `sluice describe`: print conf/sluice.yaml, which `make describe` writes from its
 * schema.
 */
#include "base/embed.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

EMBED(described, "conf/sluice.yaml");

int cmd_describe(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice describe",
        .about = "Print the default configuration, with a description of each key.\n",
    };
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    cli_print(EMBEDDED(described));
    return COMMAND_OK;
}
