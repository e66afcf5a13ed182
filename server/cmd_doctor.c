/*
 * cmd_doctor.c - `sluice doctor`: is everything there that serving needs? A line for each finding.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "server/cmd_schema.h"
#include "server/commands.h"
#include "server/control_client.h"

enum {
    CREDENTIALS_US = 10000000,
    SOON_S = 5 * 60, /* credentials that expire sooner should have been renewed */
    SECOND_US = 1000000,
};

static const char usage_text[] =
    "Usage: sluice doctor [-c FILE]\n"
    "\n"
    "Look at what serving needs: credentials, region, clock, permission, each schema, the folders\n"
    "of store and cache, who can reach what. A line for each finding: ok, warn or fail.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n"
    "\n"
    "Exits with 0 when nothing fails, 1 when something does, 3 when the configuration is bad.\n";

enum finding { FINE, WARNING, FAILURE };

struct doctor {
    struct schema_cli cli; /* how schemas are looked at */
    bool failed;
};

static void say(struct doctor *doctor, enum finding finding, const char *what, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

static void say(struct doctor *doctor, enum finding finding, const char *what, const char *fmt, ...)
{
    static const char *const words[] = { "ok  ", "warn", "fail" };
    va_list args;

    (void)printf("%s  %-12s ", words[finding], what);
    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
    (void)putchar('\n');
    doctor->failed = doctor->failed || finding == FAILURE;
}

static void look_at_credentials(struct doctor *doctor)
{
    const char *source = "";
    struct error err = { 0 };
    int64_t now_s = clock_now_us() / SECOND_US;
    int64_t expiry_s;

    if (!aws_session_check(doctor->cli.session, clock_monotonic_us() + CREDENTIALS_US, &source,
                           &err)) {
        say(doctor, FAILURE, "credentials", "%s", err.text);
        return;
    }
    expiry_s = aws_session_credential_expiry(doctor->cli.session);
    if (expiry_s == 0)
        say(doctor, FINE, "credentials", "from %s, without expiry", source);
    else if (expiry_s < now_s)
        say(doctor, WARNING, "credentials", "from %s, expired %" PRId64 " s ago", source,
            now_s - expiry_s);
    else
        say(doctor, expiry_s - now_s < SOON_S ? WARNING : FINE, "credentials",
            "from %s, valid for another %" PRId64 " s", source, expiry_s - now_s);
}

/* Only a call that was answered tells. */
static void look_at_clock(struct doctor *doctor, bool was_answered)
{
    int64_t skew_s = glue_clock_skew(doctor->cli.glue);

    if (skew_s != 0)
        say(doctor, WARNING, "clock", "off by %" PRId64 " s against AWS; signatures are corrected",
            -skew_s);
    else if (was_answered)
        say(doctor, FINE, "clock", "as AWS's, give or take some minutes");
    else
        say(doctor, WARNING, "clock", "not known: no call was answered");
}

/* True: the registry answered, whatever it said. */
static bool look_at_schema(struct doctor *doctor, const struct config_route *route)
{
    struct schema_cli *cli = &doctor->cli;
    struct glue_version version = { 0 };
    struct error err = { 0 };

    cli->registry = route->registry;
    cli->schema = route->schema;
    if (!schema_cli_get(cli, schema_cli_pin(cli), &version, &err)) {
        say(doctor, FAILURE, err.code == ERR_REGISTRY_DENIED ? "permission" : "schema", "%s/%s: %s",
            cli->registry, cli->schema, err.text);
        return err.code == ERR_REGISTRY_DENIED || err.code == ERR_SCHEMA_NOT_FOUND ||
               err.code == ERR_INTERNAL;
    }
    if (cli->glue)
        say(doctor, FINE, "permission", "glue:GetSchemaVersion on %s/%s", cli->registry,
            cli->schema);
    if (!str_equal(version.status, STR("AVAILABLE")) || !str_equal(version.format, STR("JSON")))
        say(doctor, FAILURE, "schema", "%s/%s: version %" PRId64 " is %.*s %.*s", cli->registry,
            cli->schema, version.number, STR_ARG(version.status), STR_ARG(version.format));
    else if (!schema_cli_compile(cli, version.definition, &err))
        say(doctor, FAILURE, "schema", "%s/%s: %s", cli->registry, cli->schema, err.text);
    else
        say(doctor, FINE, "schema", "%s/%s: version %.*s compiles", cli->registry, cli->schema,
            STR_ARG(schema_cli_version(cli, &version)));
    return true;
}

static bool look_at_schemas(struct doctor *doctor)
{
    const struct config *config = doctor->cli.config;
    bool was_answered = false;

    for (size_t i = 0; i < config->route_count; i++)
        if (!schema_cli_is_known(config, i))
            was_answered = look_at_schema(doctor, &config->routes[i]) || was_answered;
    return was_answered;
}

static void look_at_glue(struct doctor *doctor)
{
    struct schema_cli *cli = &doctor->cli;
    struct error err = { 0 };

    if (!schema_cli_connect(cli, &err)) {
        say(doctor, FAILURE, "region", "%s", err.text);
        return;
    }
    say(doctor, FINE, "region", "%s, %s", aws_session_region(cli->session),
        glue_endpoint(cli->glue));
    look_at_credentials(doctor);
    look_at_clock(doctor, look_at_schemas(doctor));
}

/* The folder that a file is, or will be, in: it or the nearest above it that is there. */
static void look_at_folder(struct doctor *doctor, const char *what, const char *path)
{
    char folder[PATH_MAX];
    int len = snprintf(folder, sizeof(folder), "%s", path);
    char *slash = NULL;

    if (len < 0 || (size_t)len >= sizeof(folder)) {
        say(doctor, FAILURE, what, "the path is too long");
        return;
    }
    while (access(folder, F_OK) != 0 && (slash = strrchr(folder, '/')) != NULL && slash != folder)
        *slash = '\0';
    if (access(folder, F_OK) != 0)
        (void)snprintf(folder, sizeof(folder), slash ? "/" : ".");
    if (access(folder, W_OK | X_OK) == 0)
        say(doctor, FINE, what, "%s can be written", path);
    else
        say(doctor, FAILURE, what, "%s cannot be written", folder);
}

static void look_at_store(struct doctor *doctor)
{
    const char *path = doctor->cli.config->store.path;
    struct control_client *server;
    struct error err = { 0 };

    if (!*path) {
        say(doctor, WARNING, "store", "there is none: %s",
            doctor->cli.config->sink_count > 0 ? "200 waits for every sink, refused events are lost"
                                               : "200 promises nothing about delivery");
        return;
    }
    if (!outbox_check(path, &err)) {
        say(doctor, FAILURE, "store", "%s", err.text);
        return;
    }
    server = control_client_open(path);
    say(doctor, FINE, "store", "%s%s, SQLite %s", path, server ? ", open in a server" : "",
        outbox_library_version());
    control_client_close(server);
}

static void look_at_files(struct doctor *doctor)
{
    const struct config *config = doctor->cli.config;

    if (config->registry.kind == CONFIG_REGISTRY_GLUE)
        look_at_folder(doctor, "cache", config->registry.cache_dir);
    look_at_store(doctor);
}

static bool has_credential(const struct config_auth *auth)
{
    return auth->api_key_count + auth->basic_count > 0 || *auth->bearer.issuer ||
           *auth->bearer.jwks_url || *auth->bearer.jwks_file;
}

static void look_at_listening(struct doctor *doctor)
{
    const struct config *config = doctor->cli.config;
    const struct config_http *http = &config->http;
    bool has_tls = *http->tls.cert_file;

    if (http->listen.loopback)
        say(doctor, FINE, "listen", "%s, this machine only", http->listen.text);
    else if (!has_tls)
        say(doctor, WARNING, "listen", "%s without TLS: a proxy in front must have it",
            http->listen.text);
    else
        say(doctor, FINE, "listen", "%s with TLS", http->listen.text);
    if (has_credential(&config->auth))
        say(doctor, FINE, "auth", "senders need a credential");
    else
        say(doctor, http->listen.loopback ? FINE : WARNING, "auth",
            "anybody who reaches it may post");
}

static bool examine(const struct config *config, const char *path)
{
    struct doctor doctor = { .cli = { .config = config, .arena = arena_create() } };

    say(&doctor, FINE, "configuration", "%s", path ? path : "built-in defaults");
    if (config->registry.kind == CONFIG_REGISTRY_GLUE)
        look_at_glue(&doctor);
    else
        (void)look_at_schemas(&doctor);
    look_at_files(&doctor);
    look_at_listening(&doctor);
    schema_cli_disconnect(&doctor.cli);
    arena_destroy(doctor.cli.arena);
    return !doctor.failed;
}

int cmd_doctor(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text };
    struct cli cli;
    struct config *config;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(LOG_ERROR, LOG_TEXT);
    (void)signal(SIGPIPE, SIG_IGN); /* of connections */

    bool ok = examine(config, cli.config_path);

    config_destroy(config);
    return ok ? COMMAND_OK : COMMAND_NO;
}
