/*
 * cmd_console.c - `sluice console`: a link to the console of a running server.
 */
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/control_client.h"

static int print_link(const struct config *config)
{
    struct control_client *client =
        *config->store.path ? control_client_open(config->store.path) : NULL;
    struct error err = { 0 };
    struct buf url;
    int status = COMMAND_OK;

    buf_init(&url, SIZE_MAX);
    if (!client)
        (void)fail(&err, ERR_SYSTEM, "no server with this configuration's store runs here");
    if (client && control_client_console(client, &url, &err)) {
        buf_add_char(&url, '\n');
        cli_print(buf_str(&url));
    } else {
        cli_complain("console", err.text);
        status = err.code == ERR_INVALID ? COMMAND_NO : COMMAND_ENVIRONMENT;
    }
    buf_done(&url);
    control_client_close(client);
    return status;
}

int cmd_console(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice console [OPTION...]",
        .about = "Print a link that opens the console of a running server in a browser.\n"
                 "The server must have an address for operators (admin.listen). The link has a "
                 "token, which is\n"
                 "valid for 12 hours: who has the link sees events and can replay and discard "
                 "them.\n"
                 "The server is asked over the control socket of its store, as the same user or "
                 "root.\n",
        .ending = "Exits with 0 when the link was printed, 1 when the server has no such address, "
                  "3 when none runs.\n",
        .takes_config = true,
    };
    struct config *config;
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    status = print_link(config);
    config_destroy(config);
    return status;
}
