/*
 * inspect.c - see inspect.h: everything except sinks and the machine.
 */
#include "server/cli/inspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/vault.h"
#include "handlers/auth/auth.h"
#include "handlers/auth/jwks_source.h"
#include "handlers/transform.h"
#include "server/cli/control_client.h"
#include "server/cli/inspect_internal.h"
#include "server/http/certificate.h"
#include "server/service.h"

enum {
    DATE_LEN = 10, /* of a time as text */
    DAY_S = 24 * 60 * 60,
    SOON_S = 7 * DAY_S, /* a certificate that ends sooner should have been renewed */
    TEXT_SIZE = 1024,
};

void inspect_say(const struct inspection *inspection, enum inspect_finding finding,
                 const char *what, const char *pointer, const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    const struct inspect_line line = { finding, what, pointer, text };

    inspection->options->report(inspection->options->self, &line);
}

bool inspect_is_sound(const struct inspection *inspection, const char *pointer)
{
    const struct inspect_options *options = inspection->options;

    return !options->is_sound || options->is_sound(options->self, pointer);
}

bool inspect_is_unknown(const char *place)
{
    return vault_is_name(place) && vault_version(place) == 0;
}

/* TLS. */

static const char *date(const struct inspection *inspection, int64_t time_s)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(time_s * US_PER_S, text);
    return arena_copy(inspection->arena, (struct str){ text, DATE_LEN }).ptr;
}

static void look_at_lifetime(const struct inspection *inspection, const char *file,
                             const struct http_certificate *certificate)
{
    int64_t now_s = clock_now_us() / US_PER_S;
    int64_t starts_s = http_certificate_starts_s(certificate);
    int64_t ends_s = http_certificate_expires_s(certificate);
    const char *pointer = "/http/tls/cert_file";

    if (ends_s <= now_s)
        inspect_say(inspection, INSPECT_FAILURE, "certificate", pointer,
                    "the certificate has expired on %s: %s", date(inspection, ends_s), file);
    else if (starts_s > now_s)
        inspect_say(inspection, INSPECT_FAILURE, "certificate", pointer,
                    "the certificate is valid from %s on: %s", date(inspection, starts_s), file);
    else if (ends_s - now_s < SOON_S)
        inspect_say(inspection, INSPECT_WARNING, "certificate", pointer,
                    "the certificate expires soon, on %s: %s", date(inspection, ends_s), file);
    else
        inspect_say(inspection, INSPECT_FINE, "certificate", pointer, "valid until %s: %s",
                    date(inspection, ends_s), file);
}

static void look_at_certificate(const struct inspection *inspection)
{
    const struct config_tls *tls = &inspection->config->http.tls;
    struct http_certificate *certificate;
    struct error err = { 0 };

    if (!*tls->cert_file || !*tls->key_file || !inspect_is_sound(inspection, "/http/tls"))
        return;
    if (!http_certificate_load(tls->cert_file, tls->key_file, &certificate, &err)) {
        bool of_key = str_starts_with(str_from_c(err.text), str_from_c(tls->key_file));

        inspect_say(inspection, INSPECT_FAILURE, "certificate",
                    of_key ? "/http/tls/key_file" : "/http/tls/cert_file", "%s", err.text);
        return;
    }
    look_at_lifetime(inspection, tls->cert_file, certificate);
    if (http_certificate_is_exposed(certificate))
        inspect_say(inspection, INSPECT_WARNING, "certificate", "/http/tls/key_file",
                    "every user of this machine may read %s", tls->key_file);
    http_certificate_release(certificate);
}

/* Credentials. Each is tried alone, to find all wrong ones. */

/* The pointer of the key that names this place; `place` is a text of the configuration. */
static const char *pointer_of_secret(const struct inspection *inspection, const char *place)
{
    const struct config_secrets secrets = config_secrets(inspection->config);

    for (size_t i = 0; i < secrets.count; i++)
        if (secrets.list[i].place == place)
            return secrets.list[i].pointer;
    return "/auth";
}

/* Put the secrets of AWS Secrets Manager into the vault. */
static void ask_for_secrets(const struct inspection *inspection)
{
    const struct config_secrets named = config_secrets(inspection->config);
    struct secrets *secrets;
    struct error err = { 0 };

    if ((!inspection->options->asks_registry && !inspection->options->asks_others) ||
        !inspect_is_sound(inspection, "/aws"))
        return;
    if (!secrets_create(inspection->config, &secrets, &err)) {
        inspect_say(inspection, INSPECT_FAILURE, "secret", "/aws", "%s", err.text);
        return;
    }
    for (size_t i = 0; secrets && i < named.count; i++) {
        const struct config_secret *secret = &named.list[i];

        if (str_starts_with(str_from_c(secret->place), STR("arn:")) &&
            inspect_is_sound(inspection, secret->pointer) &&
            !secrets_ask(secrets, secret->place, &err))
            inspect_say(inspection, INSPECT_FAILURE, "secret", secret->pointer, "%s", err.text);
    }
    secrets_destroy(secrets);
}

static void try_credential(const struct inspection *inspection, const char *file,
                           const struct auth_options *options)
{
    const char *pointer = pointer_of_secret(inspection, file);
    struct auth *auth = NULL;
    struct error err = { 0 };

    if (!inspect_is_sound(inspection, pointer) || inspect_is_unknown(file))
        return;
    if (auth_create(options, &auth, &err))
        inspect_say(inspection, INSPECT_FINE, "secret", pointer, "%s can be read", file);
    else
        inspect_say(inspection, INSPECT_FAILURE, "secret", pointer, "%s", err.text);
    auth_destroy(auth);
}

static void look_at_secrets(const struct inspection *inspection)
{
    const struct config_auth *auth = &inspection->config->auth;

    for (size_t i = 0; i < auth->api_key_count; i++) {
        const char *file = auth->api_keys[i].value_file;
        const struct auth_api_key key = { auth->api_keys[i].header, file };

        try_credential(inspection, file,
                       &(struct auth_options){ .api_keys = &key, .api_key_count = 1 });
    }
    for (size_t i = 0; i < auth->basic_count; i++) {
        const char *file = auth->basic[i].password_file;
        const struct auth_basic basic = { auth->basic[i].user, file };

        try_credential(inspection, file,
                       &(struct auth_options){ .basic = &basic, .basic_count = 1 });
    }
}

static void look_at_keys(const struct inspection *inspection)
{
    const struct config_bearer *bearer = &inspection->config->auth.bearer;
    const struct jwks_source_options where = { bearer->jwks_url, bearer->jwks_file };
    const char *pointer = *where.url ? "/auth/bearer/jwks_url" : "/auth/bearer/jwks_file";
    struct jwks_source *source;
    struct error err = { 0 };

    if ((!*where.url && !*where.file) || (*where.url && !inspection->options->asks_others) ||
        !inspect_is_sound(inspection, "/auth/bearer"))
        return;
    source = jwks_source_create(&where);
    if (jwks_source_load(source, &err))
        inspect_say(inspection, INSPECT_FINE, "keys", pointer, "there are keys for tokens at %s",
                    *where.url ? where.url : where.file);
    else
        inspect_say(inspection, INSPECT_FAILURE, "keys", pointer, "%s", err.text);
    jwks_source_destroy(source);
}

/* Transforms and schemas. */

static bool is_same_check(const struct config_route *a, size_t output, const struct config_route *b,
                          const char *file)
{
    return strcmp(config_output(a, output).transform, file) == 0 &&
           strcmp(a->registry, b->registry) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* Has an output before this one the same transform and schema? */
static bool is_named_before(const struct config *config, size_t route, size_t output)
{
    const struct config_route *of = &config->routes[route];
    const char *file = config_output(of, output).transform;

    for (size_t i = 0; i <= route; i++) {
        const struct config_route *before = &config->routes[i];
        size_t count = i < route ? config_output_count(before) : output;

        for (size_t j = 0; j < count; j++)
            if (is_same_check(before, j, of, file))
                return true;
    }
    return false;
}

static void look_at_transform(struct inspection *inspection, size_t route, size_t output)
{
    const struct config *config = inspection->config;
    const char *pointer = config_output_pointer(config, route, output, "transform").ptr;
    const char *file = config_output(&config->routes[route], output).transform;
    struct lint lint = inspect_lint(inspection, route);

    if (is_named_before(config, route, output) || !inspect_is_sound(inspection, pointer))
        return;
    if (!inspection->options->looks_at_machine) /* doctor: the server starts with such mistakes */
        lint.document = inspect_schema(inspection, route);
    if (lint_transform(&lint, file))
        inspect_say(inspection, INSPECT_FINE, "transform", pointer, "%s", file);
}

static void look_at_transforms(struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->config->route_count; i++)
        for (size_t j = 0; j < config_output_count(&inspection->config->routes[i]); j++)
            look_at_transform(inspection, i, j);
}

/* Are the keys that name the route's schema sound? */
static bool has_sound_schema(const struct inspection *inspection, size_t route)
{
    struct arena *arena = inspection->arena;

    return inspect_is_sound(inspection, arena_printf(arena, "/routes/%zu/schema", route).ptr) &&
           inspect_is_sound(inspection, arena_printf(arena, "/routes/%zu/registry", route).ptr);
}

/* The first route that names the schema, if possible one whose keys are sound. */
static size_t route_of(const struct inspection *inspection, const struct catalog_status *status)
{
    const struct config *config = inspection->config;
    size_t found = config->route_count;

    for (size_t i = config->route_count; i-- > 0;) {
        const struct config_route *route = &config->routes[i];

        if (!route->drop && strcmp(route->registry, status->registry) == 0 &&
            strcmp(route->schema, status->schema) == 0 &&
            (found == config->route_count || has_sound_schema(inspection, i)))
            found = i;
    }
    return found;
}

/* Of one schema. */
struct schema_warnings {
    const struct inspection *inspection;
    const char *pointer;
    const struct catalog_status *status;
};

static void add_warning(void *self, struct str warning)
{
    const struct schema_warnings *of = self;

    inspect_say(of->inspection, INSPECT_WARNING, "schema", of->pointer, "%s/%s: %.*s",
                of->status->registry, of->status->schema, STR_ARG(warning));
}

static void report_failure(const struct inspection *inspection, const char *pointer,
                           const struct catalog_status *status)
{
    const struct config_registry *registry = &inspection->config->registry;

    if (registry->kind == CONFIG_REGISTRY_FILE && status->error.code == ERR_NOT_FOUND)
        inspect_say(inspection, INSPECT_FAILURE, "schema", pointer,
                    "there is no file %s/%s/%s.json (registry.dir, registry and schema)",
                    registry->dir, status->registry, status->schema);
    else
        inspect_say(inspection, INSPECT_FAILURE, "schema", pointer, "%s/%s: %s", status->registry,
                    status->schema, status->error.text);
}

static void look_at_schema(const struct inspection *inspection, struct catalog *catalog,
                           size_t index)
{
    struct catalog_status copy;
    const struct catalog_status *status = &copy;

    catalog_status(catalog, index, &copy);

    size_t route = route_of(inspection, status);
    const char *pointer = arena_printf(inspection->arena, "/routes/%zu/schema", route).ptr;

    if (!has_sound_schema(inspection, route))
        return;

    struct schema_warnings warnings = { inspection, pointer, status };

    catalog_warnings(catalog, index, add_warning, &warnings);
    if (status->usable && status->error.code == ERR_NONE)
        inspect_say(inspection, INSPECT_FINE, "schema", pointer, "%s/%s: version %s compiles",
                    status->registry, status->schema, status->version);
    else
        report_failure(inspection, pointer, status);
}

static size_t route_named(const struct inspection *inspection, const char *name)
{
    size_t index = 0;

    while (index < inspection->config->route_count &&
           strcmp(inspection->config->routes[index].name, name) != 0)
        index++;
    return index;
}

/* A server starts without its shadows: so doctor only warns of one that it cannot have. */
static void look_at_shadow(const struct inspection *inspection, struct catalog *catalog,
                           size_t index)
{
    struct catalog_shadow_status shadow;

    catalog_shadow_status(catalog, index, &shadow);

    const struct catalog_status *status = &shadow.status;
    const char *pointer =
        arena_printf(inspection->arena, "/routes/%zu/shadow", route_named(inspection, shadow.route))
            .ptr;

    if (!inspect_is_sound(inspection, pointer))
        return;
    if (status->usable && status->error.code == ERR_NONE)
        inspect_say(inspection, INSPECT_FINE, "shadow", pointer, "%s compiles", shadow.name);
    else
        inspect_say(inspection,
                    inspection->options->looks_at_machine ? INSPECT_WARNING : INSPECT_FAILURE,
                    "shadow", pointer, "%s: %s", shadow.name, status->error.text);
}

static void load_schemas(struct inspection *inspection)
{
    bool is_glue = inspection->config->registry.kind == CONFIG_REGISTRY_GLUE;
    struct error err = { 0 };

    if ((is_glue && !inspection->options->asks_registry) ||
        !inspect_is_sound(inspection, "/registry") || !inspect_is_sound(inspection, "/aws"))
        return;
    if (!service_create_schemas(inspection->config, &inspection->schemas, &err))
        inspect_say(inspection, INSPECT_FAILURE, "registry", "/registry", "%s", err.text);
}

static void look_at_schemas(const struct inspection *inspection)
{
    struct catalog *catalog = inspection->schemas ? inspection->schemas->catalog : NULL;

    for (size_t i = 0; catalog && i < catalog_count(catalog); i++)
        look_at_schema(inspection, catalog, i);
    for (size_t i = 0; catalog && i < catalog_shadow_count(catalog); i++)
        look_at_shadow(inspection, catalog, i);
}

/* The store. */

static void look_at_store(const struct inspection *inspection)
{
    const struct config *config = inspection->config;
    const char *path = config->store.path;
    struct control_client *server;
    struct error err = { 0 };

    if (!inspect_is_sound(inspection, "/store"))
        return;
    if (!*path) {
        if (inspection->options->looks_at_machine) /* doctor; check accepts what is configured */
            inspect_say(inspection, INSPECT_WARNING, "store", "/store/path", "none configured: %s",
                        config->sink_count > 0 ? "200 waits for every sink, refused events are lost"
                                               : "200 promises nothing about delivery");
        return;
    }
    if (!outbox_check(path, &err)) {
        inspect_say(inspection, INSPECT_FAILURE, "store", "/store/path", "%s", err.text);
        return;
    }
    server = control_client_open(path);
    inspect_say(inspection, INSPECT_FINE, "store", "/store/path", "%s%s, SQLite %s", path,
                server ? ", open in a server" : "", outbox_library_version());
    control_client_close(server);
    inspect_disk(inspection, "/store/path", path, config->store.max_size);
}

static void look_at_cache(const struct inspection *inspection)
{
    const struct config_registry *registry = &inspection->config->registry;
    const char *file = arena_printf(inspection->arena, "%s/x", registry->cache_dir).ptr;
    struct error err = { 0 };

    if (!config_needs_cache(registry) || !inspect_is_sound(inspection, "/registry"))
        return;
    if (!file_can_make(file, &err)) {
        inspect_say(inspection, INSPECT_FAILURE, "cache", "/registry/cache_dir", "%s", err.text);
        return;
    }
    inspect_say(inspection, INSPECT_FINE, "cache", "/registry/cache_dir", "%s can be written",
                registry->cache_dir);
    inspect_disk(inspection, "/registry/cache_dir", file, 0);
}

void inspect(const struct config *config, const struct inspect_options *options)
{
    struct inspection inspection = { config, options, arena_create(), NULL };

    load_schemas(&inspection);
    look_at_certificate(&inspection);
    ask_for_secrets(&inspection);
    look_at_secrets(&inspection);
    look_at_keys(&inspection);
    look_at_transforms(&inspection);
    if (!options->looks_at_machine)
        inspect_routes(&inspection);
    look_at_schemas(&inspection);
    look_at_store(&inspection);
    look_at_cache(&inspection);
    inspect_sinks(&inspection);
    inspect_machine(&inspection);
    inspect_rule(&inspection);
    service_destroy(inspection.schemas);
    arena_destroy(inspection.arena);
}
