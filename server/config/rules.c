/*
 * rules.c - what a schema cannot express: which keys exclude or need each other.
 */
#include "server/config/config_internal.h"

#include "server/http/networks.h"

static bool has_credential(const struct config_auth *auth)
{
    return auth->api_key_count > 0 || auth->basic_count > 0 || *auth->bearer.issuer;
}

bool config_admits_nobody(const struct config *config)
{
    return !config->auth.open && !has_credential(&config->auth);
}

/* A file needs a copy only when the guard may hold its new version back over a restart. */
bool config_needs_cache(const struct config_registry *config)
{
    return config->kind == CONFIG_REGISTRY_GLUE || config->guard == CATALOG_GUARD_ENFORCE;
}

/* Without keys under auth, a server must not be open to the network. */
static void check_exposure(struct settings *settings, const struct config *config)
{
    const struct {
        const struct config_address *address;
        struct str pointer;
    } places[] = {
        { &config->http.listen, STR("/http/listen") },
        { &config->http.metrics_listen, STR("/http/metrics_listen") },
    };

    if (!config_admits_nobody(config))
        return;
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (*places[i].address->text && !places[i].address->loopback)
            settings_complain(settings, places[i].pointer,
                              "is reachable from other machines and no credential is configured: "
                              "add one under auth, or set auth.open: true to let anyone in");
}

const char *config_clear_text(const struct config *config)
{
    const struct config_http *http = &config->http;

    if (!has_credential(&config->auth) || http->listen.loopback || *http->tls.cert_file ||
        http->trusted_proxies.count > 0)
        return NULL;
    return "http.listen is reachable from other machines and credentials travel in clear text: "
           "set http.tls, or name the proxy that speaks TLS in http.trusted_proxies";
}

const char *config_admin_clear_text(const struct config *config)
{
    const struct config_address *listen = &config->admin.listen;

    if (!*listen->text || listen->loopback)
        return NULL;
    return "admin.listen is reachable from other machines, and credentials and events travel in "
           "clear text: listen on 127.0.0.1, and reach it through SSH or a proxy that speaks TLS";
}

/* With credentials configured, `auth.open: true` has no effect: one of the two is a mistake. */
static void check_open(struct settings *settings, const struct config *config)
{
    if (config->auth.open && has_credential(&config->auth))
        settings_complain(settings, STR("/auth/open"),
                          "lets anyone in, but a credential is configured as well: remove one of "
                          "the two");
}

/* Over plain HTTP an attacker on the path can replace the keys. */
static bool is_safe_url(const char *url)
{
    static const char *const here[] = { "http://127.0.0.1", "http://[::1]", "http://localhost" };

    if (strchr(url, '@')) /* a user name can look like a host */
        return false;
    if (str_starts_with(str_from_c(url), STR("https://")))
        return true;
    for (size_t i = 0; i < COUNT_OF(here); i++)
        if (str_starts_with(str_from_c(url), str_from_c(here[i])) &&
            strchr(":/", url[strlen(here[i])]))
            return true;
    return false;
}

/* An incomplete `bearer` must not look as if tokens were checked. */
static void check_bearer(struct settings *settings, const struct config *config)
{
    const struct config_bearer *bearer = &config->auth.bearer;

    if (!*bearer->issuer) {
        if (*bearer->audience || *bearer->jwks_url || *bearer->jwks_file ||
            bearer->client_ids.count + bearer->scopes.count > 0)
            settings_complain(settings, STR("/auth/bearer/issuer"),
                              "must be set for bearer tokens to be taken");
        return;
    }
    if (!*bearer->audience && bearer->client_ids.count + bearer->scopes.count == 0)
        settings_complain(settings, STR("/auth/bearer"),
                          "set audience, client_ids or scopes: without one, a token that the "
                          "issuer made for anyone else would be accepted");
    if (!*bearer->jwks_url == !*bearer->jwks_file)
        settings_complain(settings, STR("/auth/bearer"),
                          "set either jwks_url or jwks_file: tokens are checked with these keys");
    if (*bearer->jwks_url && !is_safe_url(bearer->jwks_url))
        settings_complain(settings, STR("/auth/bearer/jwks_url"),
                          "must be https:// (plain http:// only to this machine itself)");
}

static void check_listen(struct settings *settings, const struct config *config)
{
    struct setting root = settings_root(settings);
    struct setting listen = settings_get(settings, &root, "http.listen");

    (void)config;
    if (json_is_string(listen.value) && json_str(listen.value).len == 0)
        settings_complain(settings, listen.pointer, "must not be empty");
}

/* Both would serve /metrics. */
static void check_admin(struct settings *settings, const struct config *config)
{
    if (*config->admin.listen.text && *config->http.metrics_listen.text)
        settings_complain(settings, STR("/http/metrics_listen"),
                          "cannot be set together with admin.listen, which serves /metrics");
}

/* Otherwise a body of the permitted length gets 503 at every try. */
static void check_body_memory(struct settings *settings, const struct config *config)
{
    if (config->http.max_inflight_bytes < config->http.max_body)
        settings_complain(settings, STR("/http/max_inflight_bytes"),
                          "must be at least http.max_body");
}

static void check_tls(struct settings *settings, const struct config *config)
{
    const struct config_tls *tls = &config->http.tls;

    if (!*tls->cert_file != !*tls->key_file)
        settings_complain(settings, STR("/http/tls"),
                          "needs both files, cert_file and key_file, or none");
}

static void check_proxies(struct settings *settings, const struct config *config)
{
    const struct config_strings *proxies = &config->http.trusted_proxies;
    struct http_network network;

    for (size_t i = 0; i < proxies->count; i++)
        if (!http_network_read(str_from_c(proxies->list[i]), &network))
            settings_complain(settings, arena_printf(config->arena, "/http/trusted_proxies/%zu", i),
                              "is no address and no block of addresses: 10.0.0.0/8 has no bits "
                              "set behind the first 8");
}

/* Without a trusted proxy every PROXY header would be refused. */
static void check_proxy_protocol(struct settings *settings, const struct config *config)
{
    if (config->http.proxy_protocol && config->http.trusted_proxies.count == 0)
        settings_complain(settings, STR("/http/proxy_protocol"),
                          "needs the addresses of the proxies in http.trusted_proxies");
}

/* A file has one version only. */
static void check_pins(struct settings *settings, const struct config *config)
{
    if (config->registry.pin.count > 0 && config->registry.kind == CONFIG_REGISTRY_FILE)
        settings_complain(settings, STR("/registry/pin"),
                          "names versions of AWS Glue, but registry.kind is file");
}

void config_rules(struct settings *settings, const struct config *config)
{
    check_listen(settings, config);
    check_admin(settings, config);
    check_exposure(settings, config);
    check_open(settings, config);
    check_bearer(settings, config);
    check_body_memory(settings, config);
    check_tls(settings, config);
    check_proxies(settings, config);
    check_proxy_protocol(settings, config);
    check_pins(settings, config);
    config_route_rules(settings, config); /* first: sinks are compared with what routes take */
    config_sink_rules(settings, config);
}
