/*
 * cmd_status_map.c - `sluice status-map`: the table in force from outcome to status.
 */
#include <stdio.h>

#include "handlers/status.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

enum { OUTPUT_MAX = 64 * 1024 };

static const char usage_text[] =
    "Usage: sluice status-map [-c FILE]\n"
    "\n"
    "Print as JSON what each outcome of POST /events is answered with, under the configured\n"
    "status_map.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n";

int cmd_status_map(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text };
    CLEANUP(buf_done) struct buf text;
    struct cli cli;
    struct config *config;
    int status;

    buf_init(&text, OUTPUT_MAX);
    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    status_write_map(&text, config->status_map == CONFIG_STATUS_EVENTBRIDGE ? STATUS_MAP_EVENTBRIDGE
                                                                            : STATUS_MAP_TUTORIAL);
    (void)printf("%.*s\n", STR_ARG(buf_str(&text)));
    config_destroy(config);
    return COMMAND_OK;
}
