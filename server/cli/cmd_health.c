/*
 * cmd_health.c - `sluice health`: is the server of this configuration alive? For containers without
 * curl.
 *
 * The configured address is asked first. When nothing answers there (port 0, or a socket that a
 * service manager has opened), the store's control socket returns the server's address.
 * Certificates are not verified: they are for the name that senders use, and an expired certificate
 * does not make the process unhealthy.
 */
#include <signal.h>
#include <stdio.h>

#include "base/fetch.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/control_client.h"
#include "server/cli/server_place.h"

/* Where the server listens, by its own answer. False: no server has the store open. */
static bool find_server(const struct config *config, struct control_where *out)
{
    struct control_client *server =
        *config->store.path ? control_client_open(config->store.path) : NULL;
    struct error err;
    bool found = server && control_client_where(server, out, &err);

    control_client_close(server);
    return found;
}

static bool ask_configured(struct fetch_client *client, const struct config *config,
                           struct error *err)
{
    const struct config_address *listen = &config->http.listen;
    struct control_where where = { .port = listen->port, .tls = *config->http.tls.cert_file };
    struct server_place place;

    (void)snprintf(where.host, sizeof(where.host), "%s", listen->host);
    place = server_place_of(config, &where);
    if (listen->port != 0 && server_place_ask(client, &place, err))
        return true;
    if (find_server(config, &where)) {
        place = server_place_of(config, &where);
        return server_place_ask(client, &place, err);
    }
    if (listen->port == 0)
        return fail(err, ERR_CONFIG,
                    "http.listen has port 0 and no server has the store open: use --url");
    return false;
}

/* `url` NULL: the server of `config`. */
static bool check_health(const char *url, const struct config *config, struct error *err)
{
    struct fetch_client *client;
    struct server_place named = { 0 };

    if (!fetch_init(err))
        return false;
    client = fetch_client_create();
    if (url)
        (void)snprintf(named.url, sizeof(named.url), "%s", url);

    bool ok = url ? server_place_ask(client, &named, err) : ask_configured(client, config, err);

    fetch_client_destroy(client);
    return ok;
}

int cmd_health(int argc, char **argv)
{
    const char *url = NULL;
    const struct cli_option options[] = {
        { "url", 0, "URL", "ask this server, as https://[::1]:8443; no configuration is read",
          .text = &url },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice health [-c FILE | --url URL]",
        .about = "Ask /healthz of the server that the configuration describes, on this machine, "
                 "over HTTP or\n"
                 "HTTPS. A server on port 0, or on a service manager's socket, is found through "
                 "its store; without\n"
                 "a store, name its address with --url. The certificate is not verified.\n",
        .ending = "Exits with 0 when it answers 200, 1 when it does not, 3 when the configuration "
                  "is bad.\n",
        .options = options,
        .takes_config = true,
    };
    struct cli cli;
    struct config *config = NULL;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!url && !cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    (void)signal(SIGPIPE, SIG_IGN); /* of connections */

    bool ok = check_health(url, config, &err);

    if (!ok)
        cli_complain("health", err.text);
    config_destroy(config);
    return ok ? COMMAND_OK : COMMAND_NO;
}
