/*
 * cmd_doctor.c - `sluice doctor`: check everything that serving needs on this machine.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/memory.h"
#include "server/cli/cmd_schema.h"
#include "server/cli/commands.h"
#include "server/cli/findings.h"
#include "server/cli/inspect.h"
#include "server/cli/remedies.h"

enum {
    CREDENTIALS_US = 10 * US_PER_S,
    SOON_S = 5 * 60, /* credentials that expire sooner should have been renewed */
    TEXT_SIZE = 2048,
};

struct doctor {
    struct schema_cli cli; /* for schemas in Glue */
    struct config_review *review;
    bool json;
    bool offline;
    bool probes;
    bool aws;
    const char *rule;
    bool failed;
};

static void doctor_say(struct doctor *doctor, enum inspect_finding level, const char *what,
                       const char *fmt, ...) PRINTF_LIKE(4, 5);

static void doctor_report(struct doctor *doctor, const struct finding *finding)
{
    if (doctor->json) {
        finding_print_json(finding);
    } else {
        (void)printf("%-4s  %-13s %s\n", finding_level(finding->level), finding->what,
                     finding->text);
        if (finding->remedy)
            (void)printf("      do: %s\n", finding->remedy);
    }
    doctor->failed = doctor->failed || finding->level == INSPECT_FAILURE;
}

static const char *doctor_remedy(enum inspect_finding level, const char *what, const char *pointer)
{
    return level == INSPECT_FINE ? NULL : remedy_of(what, pointer);
}

static void doctor_say(struct doctor *doctor, enum inspect_finding level, const char *what,
                       const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    doctor_report(doctor, &(struct finding){ .level = level,
                                             .what = what,
                                             .text = text,
                                             .remedy = doctor_remedy(level, what, "") });
}

static void look_at_credentials(struct doctor *doctor)
{
    const char *source = "";
    struct error err = { 0 };
    int64_t now_s = clock_now_us() / US_PER_S;
    int64_t expiry_s;

    if (!aws_session_check(doctor->cli.session, clock_monotonic_us() + CREDENTIALS_US, &source,
                           &err)) {
        doctor_say(doctor, INSPECT_FAILURE, "credentials", "%s", err.text);
        return;
    }
    expiry_s = aws_session_credential_expiry(doctor->cli.session);
    if (expiry_s == 0)
        doctor_say(doctor, INSPECT_FINE, "credentials", "from %s, without expiry", source);
    else if (expiry_s < now_s)
        doctor_say(doctor, INSPECT_WARNING, "credentials", "from %s, expired %" PRId64 " s ago",
                   source, now_s - expiry_s);
    else
        doctor_say(doctor, expiry_s - now_s < SOON_S ? INSPECT_WARNING : INSPECT_FINE,
                   "credentials", "from %s, valid for another %" PRId64 " s", source,
                   expiry_s - now_s);
}

/* Without an answered call, the difference is not known. */
static void look_at_clock(struct doctor *doctor, bool was_answered)
{
    int64_t skew_s = glue_clock_skew(doctor->cli.glue);

    if (skew_s != 0)
        doctor_say(doctor, INSPECT_WARNING, "clock",
                   "off by %" PRId64 " s against AWS; signatures are corrected", -skew_s);
    else if (was_answered)
        doctor_say(doctor, INSPECT_FINE, "clock", "differs from AWS's by a few minutes at most");
    else
        doctor_say(doctor, INSPECT_WARNING, "clock", "not known, because no call was answered");
}

/* True: the registry answered. */
static bool look_at_glue_schema(struct doctor *doctor, const struct config_route *route)
{
    struct schema_cli *cli = &doctor->cli;
    struct glue_version version = { 0 };
    struct error err = { 0 };

    cli->registry = route->registry;
    cli->schema = route->schema;
    if (!schema_cli_get(cli, schema_cli_pin(cli), &version, &err)) {
        doctor_say(doctor, INSPECT_FAILURE, err.code == ERR_DENIED ? "permission" : "schema",
                   "%s/%s: %s", cli->registry, cli->schema, err.text);
        return err.code == ERR_DENIED || err.code == ERR_NOT_FOUND || err.code == ERR_INTERNAL;
    }
    if (cli->glue)
        doctor_say(doctor, INSPECT_FINE, "permission", "glue:GetSchemaVersion on %s/%s",
                   cli->registry, cli->schema);
    if (!str_equal(version.status, STR("AVAILABLE")) || !str_equal(version.format, STR("JSON")))
        doctor_say(doctor, INSPECT_FAILURE, "schema", "%s/%s: version %" PRId64 " is %.*s %.*s",
                   cli->registry, cli->schema, version.number, STR_ARG(version.status),
                   STR_ARG(version.format));
    else if (!schema_cli_compile(cli, version.definition, &err))
        doctor_say(doctor, INSPECT_FAILURE, "schema", "%s/%s: %s", cli->registry, cli->schema,
                   err.text);
    else
        doctor_say(doctor, INSPECT_FINE, "schema", "%s/%s: version %.*s compiles", cli->registry,
                   cli->schema, STR_ARG(schema_cli_version(cli, &version)));
    return true;
}

/* A server starts without its shadows. */
static void look_at_glue_shadow(struct doctor *doctor, const struct config_route *route)
{
    const struct config_shadow *shadow = &route->shadow;
    const char *name = *shadow->file ? shadow->file : shadow->version;
    struct schema_cli *cli = &doctor->cli;
    struct glue_version version = { 0 };
    struct error err = { 0 };
    bool ok;

    cli->registry = route->registry;
    cli->schema = route->schema;
    ok = *shadow->file ? file_read_regular(name, REGISTRY_DEFINITION_MAX, &version.definition, &err)
                       : schema_cli_get(cli, name, &version, &err);
    if (ok && schema_cli_compile(cli, version.definition, &err))
        doctor_say(doctor, INSPECT_FINE, "shadow", "%s: %s compiles", route->name, name);
    else
        doctor_say(doctor, INSPECT_WARNING, "shadow", "%s: %s: %s", route->name, name, err.text);
    if (*shadow->file)
        mem_free((void *)version.definition.ptr);
}

static void look_at_glue_shadows(struct doctor *doctor)
{
    const struct config *config = doctor->cli.config;

    for (size_t i = 0; i < config->route_count; i++)
        if (!config->routes[i].drop &&
            (*config->routes[i].shadow.file || *config->routes[i].shadow.version))
            look_at_glue_shadow(doctor, &config->routes[i]);
}

static bool look_at_glue_schemas(struct doctor *doctor)
{
    const struct config *config = doctor->cli.config;
    bool was_answered = false;

    for (size_t i = 0; i < config->route_count; i++)
        if (!schema_cli_is_known(config, i))
            was_answered = look_at_glue_schema(doctor, &config->routes[i]) || was_answered;
    return was_answered;
}

static void look_at_glue(struct doctor *doctor)
{
    struct schema_cli *cli = &doctor->cli;
    struct error err = { 0 };

    if (!schema_cli_connect(cli, &err)) {
        doctor_say(doctor, INSPECT_FAILURE, "region", "%s", err.text);
        return;
    }
    doctor_say(doctor, INSPECT_FINE, "region", "%s, %s", aws_session_region(cli->session),
               glue_endpoint(cli->glue));
    look_at_credentials(doctor);
    look_at_clock(doctor, look_at_glue_schemas(doctor));
    look_at_glue_shadows(doctor);
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
        doctor_say(doctor, INSPECT_FINE, "listen", "%s, this machine only", http->listen.text);
    else if (!has_tls)
        doctor_say(doctor, INSPECT_WARNING, "listen",
                   "%s without TLS: a proxy in front must have it", http->listen.text);
    else
        doctor_say(doctor, INSPECT_FINE, "listen", "%s with TLS", http->listen.text);
    if (has_credential(&config->auth))
        doctor_say(doctor, INSPECT_FINE, "auth", "senders need a credential");
    else
        doctor_say(doctor, http->listen.loopback ? INSPECT_FINE : INSPECT_WARNING, "auth",
                   "none configured: every client that reaches the server may post");
}

static bool doctor_is_sound(void *self, const char *pointer)
{
    const struct doctor *doctor = self;

    return !settings_has_problem(doctor->review->settings, str_from_c(pointer));
}

static void doctor_on_finding(void *self, const struct inspect_line *line)
{
    struct doctor *doctor = self;
    struct settings_problem place = { 0 };

    if (*line->pointer)
        place = settings_place(doctor->review->settings, str_from_c(line->pointer));
    doctor_report(doctor, &(struct finding){
                              .level = line->finding,
                              .what = line->what,
                              .text = line->text,
                              .file = place.file,
                              .line = place.line,
                              .key = place.key,
                              .remedy = doctor_remedy(line->finding, line->what, line->pointer) });
}

static void report_files(struct doctor *doctor)
{
    config_review_lint(doctor->review);
    config_review_files(doctor->review, CONFIG_FILES_ALL);
    for (size_t i = 0; i < settings_problem_count(doctor->review->settings); i++) {
        const struct settings_problem *problem = settings_problem(doctor->review->settings, i);

        doctor_report(doctor, &(struct finding){ .level = INSPECT_FAILURE,
                                                 .what = "file",
                                                 .text = problem->text,
                                                 .file = problem->file,
                                                 .line = problem->line,
                                                 .key = problem->key,
                                                 .remedy = remedy_of("file", "") });
    }
}

/* On standard error, or with --json as findings. */
static void report_configuration(const struct doctor *doctor, const struct config_review *review)
{
    for (size_t i = 0; i < settings_problem_count(review->settings); i++)
        if (doctor->json)
            finding_print_problem(review, i, true);
        else
            (void)fprintf(stderr, "%s\n", settings_problem(review->settings, i)->text);
}

static void examine(struct doctor *doctor, const char *config_path)
{
    const struct config *config = doctor->cli.config;

    doctor_say(doctor, INSPECT_FINE, "configuration", "%s",
               config_path ? config_path : "built-in defaults");
    report_files(doctor);
    if (config->registry.kind == CONFIG_REGISTRY_GLUE && !doctor->offline)
        look_at_glue(doctor); /* with more details than inspect() has */
    inspect(config, &(struct inspect_options){ .asks_registry = false,
                                               .asks_others = !doctor->offline,
                                               .rule = doctor->rule,
                                               .probes = doctor->probes,
                                               .looks_at_machine = true,
                                               .is_sound = doctor_is_sound,
                                               .report = doctor_on_finding,
                                               .self = doctor });
    look_at_listening(doctor);
    schema_cli_disconnect(&doctor->cli);
}

/* Returns the exit status. */
static int doctor_run(struct doctor *doctor, const char *config_path, struct error *err)
{
    struct config_review *review;
    int status = COMMAND_ENVIRONMENT;

    if (!fetch_init(err) || !config_review_open(config_path, &review, err))
        return status;
    report_configuration(doctor, review);
    if (settings_problem_count(review->settings) == 0) {
        doctor->review = review;
        doctor->cli.config = review->config;
        doctor->cli.arena = arena_create();
        examine(doctor, config_path);
        arena_destroy(doctor->cli.arena);
        status = doctor->failed ? COMMAND_NO : COMMAND_OK;
    }
    config_review_close(review);
    return status;
}

int cmd_doctor(int argc, char **argv)
{
    struct doctor doctor = { 0 };
    const struct cli_option options[] = {
        { "offline", 0, NULL, "do not ask AWS Glue, sinks, and key sets at URLs",
          .flag = &doctor.offline },
        { "probe", 0, NULL, "write an object into the buckets of S3 sinks",
          .flag = &doctor.probes },
        { "aws", 0, NULL, "with --rule: ask EventBridge about it", .flag = &doctor.aws },
        { "rule", 0, "BUS/NAME",
          "a rule of EventBridge, as default/calls: compare it, its bus, API\n"
          "destination, connection and dead-letter queue with this configuration",
          .text = &doctor.rule },
        { "json", 0, NULL, "a JSON object for each finding", .flag = &doctor.json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice doctor [-c FILE] [--offline] [--probe] [--aws --rule BUS/NAME] [--json]",
        .about =
            "Check everything that serving needs on this machine: certificate, secrets, keys, "
            "transforms,\n"
            "schemas, store, sinks, disks, addresses, limits, clock, libraries; with AWS Glue also "
            "region,\n"
            "credentials and permission. HTTP sinks are asked with HEAD, and AWS about the "
            "targets of the\n"
            "others. Prints a line for each finding (ok, warn or fail) and, below a warn or "
            "fail, what to do.\n",
        .ending = "Exits with 0 when nothing fails, also with warnings; 1 when serving would fail; "
                  "3 when the\n"
                  "configuration is bad.\n",
        .options = options,
        .takes_config = true,
    };
    struct cli cli;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (doctor.aws != (doctor.rule != NULL) || (doctor.aws && doctor.offline))
        return cli_refuse("doctor", "--aws and --rule BUS/NAME go together, without --offline");
    log_configure(LOG_ERROR, LOG_TEXT);
    (void)signal(SIGPIPE, SIG_IGN); /* of connections */
    status = doctor_run(&doctor, cli.config_path, &err);
    if (err.text[0])
        (void)fprintf(stderr, "%s\n", err.text);
    if (status != COMMAND_OK)
        cli_hint(&cli);
    return status;
}
