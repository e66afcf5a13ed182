/*
 * cmd_status_map.c - `sluice status-map`: the configured table from outcome to HTTP status.
 */
#include "handlers/status.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

enum { OUTPUT_MAX = 64 * 1024 };

int cmd_status_map(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice status-map [-c FILE]",
        .about = "Print as JSON how POST /events answers each outcome under the configured "
                 "status_map.\n",
        .takes_config = true,
    };
    struct buf text;
    struct cli cli;
    struct config *config;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    buf_init(&text, OUTPUT_MAX);
    status_write_map(&text, config->status_map);
    buf_add_char(&text, '\n');
    cli_print_all(&text);
    config_destroy(config);
    return COMMAND_OK;
}
