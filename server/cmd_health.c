/*
 * cmd_health.c - `sluice health`: is the server of this configuration alive? For containers, which
 * have no curl.
 */
#include <stdio.h>
#include <string.h>

#include "base/fetch.h"
#include "server/cli.h"
#include "server/commands.h"

enum { TIMEOUT_US = 2000000, BODY_MAX = 64 * 1024, OK = 200 };

static const char usage_text[] =
    "Usage: sluice health [-c FILE]\n"
    "\n"
    "Ask /healthz of the server that the configuration describes, on this machine.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n"
    "\n"
    "Exits with 0 when it answers 200, else with 1.\n";

/* Who listens everywhere is asked on loopback. */
static const char *reachable_host(const struct config_address *listen)
{
    if (strcmp(listen->host, "0.0.0.0") == 0)
        return "127.0.0.1";
    if (strcmp(listen->host, "::") == 0)
        return "::1";
    return listen->host;
}

static bool ask(const struct config_address *listen, struct error *err)
{
    struct fetch_answer answer = { 0 };
    char url[128];
    const char *host = reachable_host(listen);

    (void)snprintf(url, sizeof(url),
                   listen->ipv6 ? "http://[%s]:%u/healthz" : "http://%s:%u/healthz", host,
                   (unsigned)listen->port);
    buf_init(&answer.body, BODY_MAX);

    bool ok = fetch_init(err) && fetch_get(url, TIMEOUT_US, &answer, err);

    buf_done(&answer.body);
    if (ok && answer.status != OK)
        return fail(err, ERR_UNAVAILABLE, "%s answered %d", url, answer.status);
    return ok || fail_within(err, url);
}

int cmd_health(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text };
    struct cli cli;
    struct config *config;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;

    bool ok = ask(&config->http.listen, &err);

    if (!ok)
        cli_complain("health", err.text);
    config_destroy(config);
    return ok ? COMMAND_OK : COMMAND_NO;
}
