/*
 * server_place.c - see server_place.h.
 */
#include "server/cli/server_place.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/http/networks.h"

enum { TIMEOUT_US = 2 * US_PER_S, BODY_MAX = 64 * 1024, OK = 200 };

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

struct server_place server_place_of(const struct config *config, const struct control_where *where)
{
    const char *host = reachable_host(where->host);
    bool ipv6 = strchr(host, ':') != NULL;
    struct server_place place = { .wants_proxy_header = config->http.proxy_protocol &&
                                                        is_trusted_proxy(config, host) };

    (void)snprintf(place.url, sizeof(place.url), "%s://%s%s%s:%u", where->tls ? "https" : "http",
                   ipv6 ? "[" : "", host, ipv6 ? "]" : "", (unsigned)where->port);
    return place;
}

/* `*is_own`: the answer is this program's. */
static bool ask_place(struct fetch_client *client, const struct server_place *place, bool *is_own,
                      struct error *err)
{
    struct fetch_answer answer;
    struct str trimmed = str_from_c(place->url);
    char url[SERVER_PLACE_URL_SIZE];

    if (str_ends_with(trimmed, STR("/")))
        trimmed.len--;
    (void)snprintf(url, sizeof(url), "%.*s/healthz", STR_ARG(trimmed));
    fetch_answer_init(&answer, BODY_MAX);

    const struct fetch_request request = { .url = url,
                                           .timeout_us = TIMEOUT_US,
                                           .any_certificate = true,
                                           .proxy_header = place->wants_proxy_header };
    bool ok = fetch_client_run(client, &request, &answer, err);

    *is_own = ok && str_equal(buf_str(&answer.body), STR("{\"status\":\"ok\"}"));
    fetch_answer_done(&answer);
    if (ok && answer.status != OK)
        return fail(err, ERR_UNAVAILABLE, "%s answered %d", url, answer.status);
    return ok || fail_within(err, url);
}

bool server_place_ask(struct fetch_client *client, const struct server_place *place,
                      struct error *err)
{
    bool is_own;

    return ask_place(client, place, &is_own, err);
}

bool server_place_is_own(struct fetch_client *client, const struct server_place *place)
{
    bool is_own = false;
    struct error err;

    return ask_place(client, place, &is_own, &err) && is_own;
}
