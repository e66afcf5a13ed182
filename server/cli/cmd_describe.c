/*
 * cmd_describe.c - `sluice describe`: the shipped configuration, every key with its description.
 */
#include <stdio.h>

#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/describe.h"

enum { OUTPUT_MAX = 1024 * 1024 };

int cmd_describe(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "Usage: sluice describe\n\n"
                 "Print a configuration file that says what every key means and defaults to.\n",
    };
    CLEANUP(buf_done) struct buf text;
    struct cli cli;
    int status;

    buf_init(&text, OUTPUT_MAX);
    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    config_describe(&text);
    (void)fwrite(text.ptr, 1, text.len, stdout);
    return COMMAND_OK;
}
