/*
 * cmd_check.c - `sluice check`: would this configuration serve? For deploy pipelines.
 */
#include <stdio.h>

#include "base/clock.h"
#include "server/cli.h"
#include "server/commands.h"
#include "server/http_certificate.h"
#include "server/service.h"

static const char usage_text[] =
    "Usage: sluice check [-c FILE]\n"
    "\n"
    "Read the configuration, the transforms, the secrets, the certificate and the schemas that it\n"
    "names, and say everything that is wrong, a line each: FILE:LINE: KEY: what. Starts nothing.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n"
    "\n"
    "Exits with 0 when all is well, with 1 when anything is wrong.\n";

static void print_line(void *self, const char *line)
{
    (void)self;
    (void)puts(line);
}

static void print_warning(void *self, struct str warning)
{
    const struct catalog_status *status = self;

    (void)printf("warning: schema %s/%s: %.*s\n", status->registry, status->schema,
                 STR_ARG(warning));
}

/* Every schema must be there and compile. */
static bool check_schemas(const struct service *service)
{
    bool ok = true;

    for (size_t i = 0; i < catalog_count(service->catalog); i++) {
        struct catalog_status status;

        catalog_status(service->catalog, i, &status);
        catalog_warnings(service->catalog, i, print_warning, &status);
        if (status.usable && status.error.code == ERR_NONE)
            continue;
        (void)printf("schema %s/%s: %s\n", status.registry, status.schema, status.error.text);
        ok = false;
    }
    return ok;
}

/* An exposed key is bad advice, but nothing that keeps the server from running. */
static bool check_tls(const struct config_tls *tls)
{
    struct http_certificate *certificate;
    struct error err = { 0 };

    if (!*tls->cert_file)
        return true;
    if (!http_certificate_load(tls->cert_file, tls->key_file, &certificate, &err)) {
        (void)printf("http.tls: %s\n", err.text);
        return false;
    }

    bool expired = http_certificate_expires_s(certificate) <= clock_now_us() / 1000000;

    if (expired)
        (void)printf("http.tls: %s: the certificate has expired\n", tls->cert_file);
    if (http_certificate_is_exposed(certificate))
        (void)printf("warning: http.tls: %s: every user of this machine may read it\n",
                     tls->key_file);
    http_certificate_release(certificate);
    return !expired;
}

static bool check_service(const struct config *config)
{
    struct service *service;
    struct error err = { 0 };

    if (!service_create(config, NULL, &service, &err)) {
        (void)puts(err.text);
        return false;
    }

    bool ok = check_schemas(service);

    service_destroy(service);
    return ok;
}

/* Not opened in earnest: a server may be at work on it. */
static bool check_store(const struct config_store *store)
{
    struct error err = { 0 };

    if (!*store->path || outbox_check(store->path, &err))
        return true;
    (void)printf("store.path: %s\n", err.text);
    return false;
}

int cmd_check(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text };
    struct cli cli;
    struct config *config;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    log_configure(LOG_ERROR, LOG_TEXT); /* the lines below say it all */
    if (!config_check(cli.config_path, print_line, NULL, &config))
        return COMMAND_NO;

    bool ok = check_tls(&config->http.tls);

    ok &= check_service(config);

    ok = check_store(&config->store) && ok;

    const char *risk = config_clear_text(config);

    if (risk)
        (void)fprintf(stderr, "sluice check: warning: %s\n", risk);

    if (ok)
        (void)printf("%s: ok\n", cli.config_path ? cli.config_path : "built-in defaults");
    config_destroy(config);
    return ok ? COMMAND_OK : COMMAND_NO;
}
