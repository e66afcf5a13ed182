/*
 * cmd_version.c - `sluice version`.
 */
#include <stdio.h>

#include "base/version.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

int cmd_version(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice version",
        .about = "Print the version: `sluice " SLUICE_VERSION "`.\n",
    };
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    (void)puts("sluice " SLUICE_VERSION);
    return COMMAND_OK;
}
