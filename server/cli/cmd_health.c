/*
 * cmd_health.c - `sluice health`: is the server of this configuration alive? For containers without
 * curl.
 *
 * The configured address is asked first. When nothing answers there (port 0, or a socket that a
 * service manager has opened), the store's control socket returns the server's address.
 * Certificates are not verified: they are for the name that senders use, and an expired certificate
 * does not make the process unhealthy.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/control_client.h"
#include "server/http/networks.h"

enum { TIMEOUT_US = 2 * US_PER_S, BODY_MAX = 64 * 1024, OK = 200, URL_SIZE = 2048 };

/* A server, as the caller reaches it. */
struct place {
    char url[URL_SIZE];
    bool wants_proxy_header; /* from this machine */
};

/* A server that listens on every address is asked on loopback. */
static const char *reachable_host(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1 && v4.s_addr == htonl(INADDR_ANY))
        return "127.0.0.1";
    if (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6))
        return "::1";
    return host;
}

/* A connection to an address of this machine comes from the same address. */
static bool is_trusted_proxy(const struct config *config, const char *host)
{
    const struct config_strings *proxies = &config->http.trusted_proxies;
    struct http_network self;
    struct http_network network;

    if (!http_network_read(str_from_c(host), &self))
        return false;
    for (size_t i = 0; i < proxies->count; i++)
        if (http_network_read(str_from_c(proxies->list[i]), &network) &&
            http_network_has(&network, self.bytes))
            return true;
    return false;
}

static struct place place_of(const struct config *config, const struct control_where *where)
{
    const char *host = reachable_host(where->host);
    bool ipv6 = strchr(host, ':') != NULL;
    struct place place = { .wants_proxy_header =
                               config->http.proxy_protocol && is_trusted_proxy(config, host) };

    (void)snprintf(place.url, sizeof(place.url), "%s://%s%s%s:%u", where->tls ? "https" : "http",
                   ipv6 ? "[" : "", host, ipv6 ? "]" : "", (unsigned)where->port);
    return place;
}

static bool ask_place(struct fetch_client *client, const struct place *place, struct error *err)
{
    struct fetch_answer answer;
    struct str trimmed = str_from_c(place->url);
    char url[URL_SIZE];

    if (str_ends_with(trimmed, STR("/")))
        trimmed.len--;
    (void)snprintf(url, sizeof(url), "%.*s/healthz", STR_ARG(trimmed));
    fetch_answer_init(&answer, BODY_MAX);

    const struct fetch_request request = { .url = url,
                                           .timeout_us = TIMEOUT_US,
                                           .any_certificate = true,
                                           .proxy_header = place->wants_proxy_header };
    bool ok = fetch_client_run(client, &request, &answer, err);

    fetch_answer_done(&answer);
    if (ok && answer.status != OK)
        return fail(err, ERR_UNAVAILABLE, "%s answered %d", url, answer.status);
    return ok || fail_within(err, url);
}

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
    struct place place;

    (void)snprintf(where.host, sizeof(where.host), "%s", listen->host);
    place = place_of(config, &where);
    if (listen->port != 0 && ask_place(client, &place, err))
        return true;
    if (find_server(config, &where)) {
        place = place_of(config, &where);
        return ask_place(client, &place, err);
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
    struct place named = { 0 };

    if (!fetch_init(err))
        return false;
    client = fetch_client_create();
    if (url)
        (void)snprintf(named.url, sizeof(named.url), "%s", url);

    bool ok = url ? ask_place(client, &named, err) : ask_configured(client, config, err);

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
