/*
 * service.c - see service.h.
 */
#include "server/service.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/version.h"

enum {
    FILE_REFRESH_US = US_PER_S,     /* a look at a file costs less than a call of a registry */
    LOCK_TIMEOUT_US = 3 * US_PER_S, /* for an ending process to release the store */
    GLUE_LOOKS = 4,                 /* calls of Glue at a time */
};

/* Member names of EventBridge's envelopes, which the JSON reader shares. */
static const struct str envelope_keys[] = {
    STR_INIT("version"),     STR_INIT("id"),   STR_INIT("detail-type"), STR_INIT("source"),
    STR_INIT("account"),     STR_INIT("time"), STR_INIT("region"),      STR_INIT("resources"),
    STR_INIT("detail"),      STR_INIT("Data"), STR_INIT("Metadata"),    STR_INIT("SystemMetadata"),
    STR_INIT("replay-name"),
};

static void create_pins(struct service *service, const struct config_pairs *pins)
{
    service->pins = mem_alloc_array(pins->count, sizeof(struct catalog_pin));
    for (size_t i = 0; i < pins->count; i++)
        service->pins[i] = (struct catalog_pin){ pins->list[i].key, pins->list[i].value };
}

static bool create_registry(struct service *service, const struct config *config,
                            struct registry *out, struct error *err)
{
    const struct aws_session_options options = {
        .region = config->aws.region,
        .profile = config->aws.profile,
        .endpoint_url = config->aws.endpoint_url,
    };

    if (config->registry.kind == CONFIG_REGISTRY_FILE) {
        *out = registry_file(config->registry.dir);
        return true;
    }
    return fetch_init(err) && aws_session_create(&options, &service->session, err) &&
           registry_glue(service->session, GLUE_LOOKS, out, err);
}

enum use { USE_ONCE, USE_OFFLINE, USE_SERVED };

static bool create_catalog(struct service *service, const struct config *config, enum use use,
                           struct error *err)
{
    bool is_served = use == USE_SERVED;
    const struct config_registry *registry = &config->registry;
    bool is_file = registry->kind == CONFIG_REGISTRY_FILE;
    struct catalog_options options = {
        .threads = is_file ? 1 : GLUE_LOOKS,
        .refresh_us = is_file && registry->refresh_us > FILE_REFRESH_US ? FILE_REFRESH_US
                                                                        : registry->refresh_us,
        .loads_briefly = is_served && !is_file,
        .cache_dir = use != USE_ONCE && config_needs_cache(registry) ? registry->cache_dir : NULL,
        .guard = is_served ? registry->guard : CATALOG_GUARD_OFF,
        .guard_samples = (size_t)registry->guard_samples,
        .pin_count = registry->pin.count,
        .assert_formats = config->validation.assert_formats,
        .for_operators = !is_served,
        .keys = envelope_keys,
        .key_count = COUNT_OF(envelope_keys),
    };

    if (!create_registry(service, config, &options.registry, err))
        return false;
    service->catalog_config = config_share(config);
    create_pins(service, &registry->pin);
    options.pins = service->pins;
    service->catalog = catalog_create(&options);
    return true;
}

/* The names of routes count, too: the log has them, and shadows are found by them. */
static bool is_same_schema(const struct config_route *a, const struct config_route *b)
{
    return !a->drop && strcmp(a->name, b->name) == 0 && strcmp(a->registry, b->registry) == 0 &&
           strcmp(a->schema, b->schema) == 0 && strcmp(a->shadow.version, b->shadow.version) == 0 &&
           strcmp(a->shadow.file, b->shadow.file) == 0;
}

static bool names_schema(const struct config *config, const struct config_route *wanted)
{
    if (wanted->drop)
        return true;
    for (size_t i = 0; i < config->route_count; i++)
        if (is_same_schema(&config->routes[i], wanted))
            return true;
    return false;
}

static bool names_schemas_of(const struct config *a, const struct config *b)
{
    for (size_t i = 0; i < b->route_count; i++)
        if (!names_schema(a, &b->routes[i]))
            return false;
    return true;
}

/* Use the predecessor's catalog if a new one would be the same. */
static bool borrow_catalog(struct service *service, const struct config *config,
                           const struct service *predecessor)
{
    const struct config *before = predecessor->catalog_config;

    service->borrows_catalog = config_is_same(before, config, CONFIG_SCHEMAS) &&
                               names_schemas_of(before, config) && names_schemas_of(config, before);
    if (service->borrows_catalog) {
        service->catalog = predecessor->catalog;
        service->session = predecessor->session;
    }
    return service->borrows_catalog;
}

/* The predecessor's status of a schema. False: it does not have this schema. */
static bool find_status(struct catalog *catalog, const struct catalog_status *wanted,
                        struct catalog_status *out)
{
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        catalog_status(catalog, i, out);
        if (strcmp(out->registry, wanted->registry) == 0 &&
            strcmp(out->schema, wanted->schema) == 0)
            return true;
    }
    return false;
}

/* A schema may be unusable only if it was unusable before. */
static bool check_schemas(struct catalog *catalog, struct catalog *predecessor, struct error *err)
{
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        struct catalog_status status;
        struct catalog_status before;

        catalog_status(catalog, i, &status);
        if (!status.usable && !(find_status(predecessor, &status, &before) && !before.usable))
            return fail(err, ERR_CONFIG, "schema %s/%s: %s", status.registry, status.schema,
                        status.error.text);
    }
    return true;
}

/* Versions of another registry are other definitions, even under the same name. */
static bool has_same_registry(const struct config *now, const struct config *before)
{
    return now->registry.kind == before->registry.kind &&
           strcmp(now->registry.dir, before->registry.dir) == 0 &&
           strcmp(now->aws.region, before->aws.region) == 0 &&
           strcmp(now->aws.profile, before->aws.profile) == 0 &&
           strcmp(now->aws.endpoint_url, before->aws.endpoint_url) == 0;
}

/* A starting server does not wait for a registry that may be down; a reload and a command do. */
static bool load_schemas(struct service *service, const struct service_options *options,
                         struct error *err)
{
    const struct service *predecessor = options ? options->predecessor : NULL;

    if (service->borrows_catalog)
        return true;
    if (predecessor)
        catalog_continue(service->catalog, predecessor->catalog,
                         has_same_registry(service->catalog_config, predecessor->catalog_config));
    if (service->session && options && !predecessor)
        catalog_load_cached(service->catalog);
    else
        catalog_load(service->catalog);
    return !predecessor || check_schemas(service->catalog, predecessor->catalog, err);
}

size_t service_sink_slot(const struct service *service, size_t index)
{
    return service->sink_set ? sink_set_slot(service->sink_set, index) : index;
}

/* The bits of their slots. No names: of every sink. */
static uint64_t sinks_of(const struct service *service, const struct config *config,
                         const struct config_strings *names)
{
    size_t count = names->count > 0 ? names->count : config->sink_count;
    uint64_t sinks = 0;

    for (size_t i = 0; i < count; i++) {
        size_t index = names->count > 0 ? config_sink_index(config, names->list[i]) : i;

        sinks |= UINT64_C(1) << service_sink_slot(service, index);
    }
    return sinks;
}

static bool add_route(struct service *service, const struct config *config,
                      const struct config_route *route, struct error *err)
{
    size_t count = config_output_count(route);
    struct route_output_options *outputs = mem_alloc_array(count, sizeof(*outputs));

    for (size_t i = 0; i < count; i++) {
        struct config_output output = config_output(route, i);

        outputs[i] = (struct route_output_options){ output.transform,
                                                    sinks_of(service, config, &output.sinks) };
    }

    bool ok = routes_add(service->routes,
                         &(struct route_options){
                             .match = route->match,
                             .pattern = route->pattern,
                             .registry = route->registry,
                             .schema = route->schema,
                             .payload = route->payload,
                             .id = route->id,
                             .name = route->name,
                             .outputs = outputs,
                             .output_count = count,
                             .drop = route->drop,
                             .shadow_version = route->shadow.version,
                             .shadow_file = route->shadow.file,
                         },
                         service->catalog, err);

    mem_free(outputs);
    return ok;
}

static bool create_routes(struct service *service, const struct config *config, struct error *err)
{
    service->routes = routes_create();
    for (size_t i = 0; i < config->route_count; i++) {
        char key[32];

        if (add_route(service, config, &config->routes[i], err))
            continue;
        (void)snprintf(key, sizeof(key), "routes[%zu]", i);
        return fail_within(err, key);
    }
    return true;
}

/* Before any of them is read. */
static bool load_secrets(struct service *service, const struct config *config, struct error *err)
{
    return secrets_create(config, &service->secrets, err) &&
           (!service->secrets || (fetch_init(err) && secrets_load(service->secrets, err)));
}

static void on_wrong_credential(void *self)
{
    secrets_ask_soon(self);
}

static bool create_auth(struct service *service, const struct config_auth *config,
                        struct auth **out, struct error *err)
{
    const struct bearer_options bearer = {
        .issuer = config->bearer.issuer,
        .audience = config->bearer.audience,
        .jwks_url = config->bearer.jwks_url,
        .jwks_file = config->bearer.jwks_file,
        .client_ids = config->bearer.client_ids.list,
        .client_id_count = config->bearer.client_ids.count,
        .scopes = config->bearer.scopes.list,
        .scope_count = config->bearer.scopes.count,
    };
    bool has_bearer = *bearer.issuer != '\0';

    if (config->api_key_count + config->basic_count == 0 && !has_bearer)
        return true;

    struct auth_api_key *keys = mem_alloc_array(config->api_key_count, sizeof(*keys));
    struct auth_basic *basic = mem_alloc_array(config->basic_count, sizeof(*basic));

    for (size_t i = 0; i < config->api_key_count; i++)
        keys[i] =
            (struct auth_api_key){ config->api_keys[i].header, config->api_keys[i].value_file };
    for (size_t i = 0; i < config->basic_count; i++)
        basic[i] = (struct auth_basic){ config->basic[i].user, config->basic[i].password_file };

    const struct auth_options options = {
        .api_keys = keys,
        .api_key_count = config->api_key_count,
        .basic = basic,
        .basic_count = config->basic_count,
        .bearer = has_bearer ? &bearer : NULL,
        .on_wrong = service->secrets ? on_wrong_credential : NULL,
        .self = service->secrets,
    };
    bool ok = auth_create(&options, out, err);

    mem_free(keys);
    mem_free(basic);
    return ok;
}

/* Of the admin address, if there is one. */
static bool create_guard(struct service *service, const struct config *config,
                         const struct service_options *options, struct error *err)
{
    const struct config_admin *admin = &config->admin;
    const struct config_auth auth = {
        .api_keys = admin->api_keys,
        .api_key_count = admin->api_key_count,
        .basic = admin->basic,
        .basic_count = admin->basic_count,
        .bearer = { .issuer = "" },
    };

    if (!options || !options->jobs)
        return true;
    if (!create_auth(service, &auth, &service->admin_auth, err))
        return false;
    service->guard = admin_guard_create(&(struct admin_guard_options){
        .host = options->admin_host,
        .hosts = admin->hosts.list,
        .host_count = admin->hosts.count,
        .auth = service->admin_auth,
        .tokens = options->tokens,
    });
    return true;
}

/* The routes of whose history the sink gets records if it is new; NULL: none. */
static const char *history_of(const struct config *config, const struct config_sink *sink)
{
    return sink->start == CONFIG_START_HISTORY ? config_routes_of(config, sink->name).ptr : NULL;
}

/* The sinks of the first set have their index as their slot. */
bool service_open_store(const struct config *config, struct outbox **out, struct error *err)
{
    const struct config_store *store = &config->store;
    const char **sinks = mem_alloc_array(config->sink_count + 1, sizeof(*sinks));
    const char **routes = mem_alloc_array(config->sink_count + 1, sizeof(*routes));

    for (size_t i = 0; i < config->sink_count; i++) {
        sinks[i] = config->sinks[i].name;
        routes[i] = history_of(config, &config->sinks[i]);
    }

    bool ok = outbox_create(
        &(struct outbox_options){
            .path = store->path,
            .max_size = store->max_size,
            .dead_max_size = store->dead_max_size,
            .dedup_window_us = store->dedup_window_us,
            .dedup_max_rows = store->dedup_max_rows,
            .dedup_replays = store->replays == CONFIG_REPLAYS_DEDUP,
            .quarantine = store->quarantine.enabled,
            .quarantine_keep_us = store->quarantine.keep_us,
            .quarantine_max_rows = store->quarantine.max_rows,
            .quarantine_max_size = store->quarantine.max_size,
            .sinks = sinks,
            .sink_count = config->sink_count,
            .sink_routes = routes,
            .history_us = store->history_us,
            .history_max_size = store->history_max_size,
            .lock_patience_us = LOCK_TIMEOUT_US,
            .stall_us = config->http.deadline_us / 2,
        },
        out, err);

    mem_free(sinks);
    mem_free(routes);
    return ok || fail_within(err, "store.path");
}

bool service_add_sinks(const struct service *service, const struct service *predecessor,
                       const struct config *config, struct error *err)
{
    CLEANUP(arena_cleanup) struct arena *arena = arena_create();
    struct outbox_sink *sinks;

    if (!service->sink_set ||
        sink_set_compare(predecessor->sink_set, service->sink_set, arena).added.len == 0)
        return true;
    sinks = arena_alloc(arena, config->sink_count * sizeof(*sinks));
    for (size_t i = 0; i < config->sink_count; i++)
        sinks[i] = (struct outbox_sink){ config->sinks[i].name, sink_set_slot(service->sink_set, i),
                                         history_of(config, &config->sinks[i]) };
    return outbox_add_sinks(service->outbox, sinks, config->sink_count, err) ||
           fail_within(err, "sinks");
}

static bool needs_outbox(const struct config *config)
{
    return *config->store.path || config->sink_count > 0;
}

/* Before the routes, which name them. All sinks and the store are shared with the predecessor. */
static bool create_sinks(struct service *service, const struct config *config,
                         const struct service_options *options, struct error *err)
{
    const struct service *predecessor = options->predecessor;

    service->borrows_store = predecessor != NULL;
    if (!needs_outbox(config))
        return true;
    service->sinks = predecessor ? predecessor->sinks : sinks_create(options->tracer);
    service->outbox = predecessor ? predecessor->outbox : NULL;
    return sink_set_create(service->sinks, config, &service->sink_set, err);
}

/* Unless it is borrowed. */
static bool open_store(struct service *service, const struct config *config, struct error *err)
{
    return service->outbox || !needs_outbox(config) ||
           service_open_store(config, &service->outbox, err);
}

static size_t none(void *self)
{
    (void)self;
    return 0;
}

/* For mem_free(). */
static const char **names_of_routes(const struct config *config)
{
    const char **names = mem_alloc_array(config->route_count, sizeof(*names));

    for (size_t i = 0; i < config->route_count; i++)
        names[i] = config->routes[i].name;
    return names;
}

static void create_handlers(struct service *service, const struct config *config,
                            const struct service_options *options)
{
    bool is_served = options && options->connections;
    struct tracer *tracer = options ? options->tracer : NULL;
    size_t pump_count = 0;
    struct pump *const *pumps =
        service->sinks ? sink_set_pumps(service->sink_set, &pump_count) : NULL;

    const char **routes = names_of_routes(config);

    service->health = health_create(service->catalog, service->outbox, SLUICE_VERSION);
    if (is_served)
        health_ask_memory(service->health, options->lacks_memory, options->self);
    service->metrics = metrics_create(&(struct metrics_options){
        .version = SLUICE_VERSION,
        .catalog = service->catalog,
        .health = service->health,
        .outbox = service->outbox,
        .pumps = pumps,
        .pump_count = pump_count,
        .connections = is_served ? options->connections : none,
        .inflight_bytes = is_served ? options->inflight_bytes : none,
        .certificate_expires_s = is_served ? options->certificate_expires_s : NULL,
        .self = is_served ? options->self : NULL,
        .lane = options ? options->lane : NULL,
        .route_names = routes,
        .route_count = config->route_count,
        .tracer = tracer,
        .predecessor = options && options->predecessor ? options->predecessor->metrics : NULL,
        .credential_expiry = service->session ? aws_session_credential_expiry : NULL,
        .session = service->session,
    });
    mem_free(routes);
    service->events = events_create(&(struct events_options){
        .routes = service->routes,
        .catalog = service->catalog,
        .auth = service->auth,
        .metrics = service->metrics,
        .outbox = service->outbox,
        .tracer = tracer,
        .lane = options ? options->lane : NULL,
        .quarantine = config->store.quarantine.enabled && *config->store.path,
        .dedup = config->store.dedup_window_us > 0 && *config->store.path,
        .status_map = config->status_map,
        .receipt = config->http.respond == CONFIG_RESPOND_RECEIPT,
        .partial = config->http.batch_response == CONFIG_BATCH_PARTIAL,
        .lambda_sources = config->http.lambda_sources,
        .max_batch = (size_t)config->http.max_batch,
        .max_errors = (size_t)config->validation.max_errors,
        .redact_values = config->validation.redact_values,
        .budget_us = config->validation.budget_us,
    });
}

bool service_create(const struct config *config, const struct service_options *options,
                    struct service **out, struct error *err)
{
    const struct service *predecessor = options ? options->predecessor : NULL;
    struct service *service = mem_alloc(sizeof(*service));

    if (!((predecessor && borrow_catalog(service, config, predecessor)) ||
          create_catalog(service, config, options ? USE_SERVED : USE_ONCE, err)) ||
        (options && !create_sinks(service, config, options, err)) ||
        !create_routes(service, config, err) || !load_secrets(service, config, err) ||
        !create_auth(service, &config->auth, &service->auth, err) ||
        !create_guard(service, config, options, err) ||
        (options && !open_store(service, config, err)) || !load_schemas(service, options, err)) {
        service_destroy(service);
        return false;
    }
    create_handlers(service, config, options);
    if (service->guard) {
        service->api = api_create(service->guard, options->jobs);
        service->console = console_create(service->guard, options->tokens);
    }
    *out = service;
    return true;
}

bool service_create_offline(const struct config *config, struct service **out, struct error *err)
{
    struct service *service = mem_alloc(sizeof(*service));

    if (!create_catalog(service, config, USE_OFFLINE, err) ||
        !create_routes(service, config, err)) {
        service_destroy(service);
        return false;
    }
    if (config->registry.kind == CONFIG_REGISTRY_FILE)
        catalog_load(service->catalog);
    else
        catalog_load_cached(service->catalog);
    create_handlers(service, config, NULL);
    *out = service;
    return true;
}

static void add_schemas(struct catalog *catalog, const struct config_route *route)
{
    if (route->drop)
        return;
    (void)catalog_add(catalog, route->registry, route->schema);
    if (*route->shadow.version || *route->shadow.file)
        (void)catalog_add_shadow(catalog, &(struct catalog_shadow){
                                              .route = route->name,
                                              .registry = route->registry,
                                              .schema = route->schema,
                                              .version = route->shadow.version,
                                              .file = route->shadow.file,
                                          });
}

bool service_create_schemas(const struct config *config, struct service **out, struct error *err)
{
    struct service *service = mem_alloc(sizeof(*service));

    if (!create_catalog(service, config, USE_ONCE, err)) {
        service_destroy(service);
        return false;
    }
    for (size_t i = 0; i < config->route_count; i++)
        add_schemas(service->catalog, &config->routes[i]);
    catalog_load(service->catalog);
    *out = service;
    return true;
}

void service_handlers(const struct service *service, struct handler out[static SERVICE_HANDLERS])
{
    const struct handler handlers[SERVICE_HANDLERS] = {
        events_handler(service->events),      health_root_handler(service->health),
        health_live_handler(service->health), health_ready_handler(service->health),
        metrics_handler(service->metrics),
    };

    memcpy(out, handlers, sizeof(handlers));
}

void service_admin_handlers(const struct service *service,
                            struct handler out[static SERVICE_ADMIN_HANDLERS])
{
    out[0] = health_live_handler(service->health);
    out[1] = health_ready_handler(service->health);
    out[2] = metrics_handler(service->metrics);
    api_handlers(service->api, &out[3]);
    console_handlers(service->console, &out[3 + API_HANDLERS]);
}

void service_succeed(struct service *service, struct service *predecessor)
{
    if (service->borrows_catalog) {
        service->catalog_config = predecessor->catalog_config;
        service->pins = predecessor->pins;
        service->borrows_catalog = false;
        predecessor->borrows_catalog = true;
    }
    service->borrows_store = false;
    predecessor->borrows_store = true;
}

bool service_start(struct service *service, struct service *predecessor, struct error *err)
{
    return secrets_start(service->secrets, err) &&
           (!service->auth ||
            auth_start(service->auth, predecessor ? predecessor->auth : NULL, err));
}

void service_destroy(struct service *service)
{
    if (!service)
        return;
    console_destroy(service->console);
    api_destroy(service->api);
    admin_guard_destroy(service->guard);
    auth_destroy(service->admin_auth);
    events_destroy(service->events);
    metrics_destroy(service->metrics);
    health_destroy(service->health);
    sink_set_destroy(service->sink_set);
    if (!service->borrows_store) {
        sinks_destroy(service->sinks);
        outbox_destroy(service->outbox);
    }
    auth_destroy(service->auth);
    secrets_destroy(service->secrets);
    routes_destroy(service->routes);
    if (!service->borrows_catalog) {
        catalog_destroy(service->catalog);
        aws_session_destroy(service->session);
        mem_free(service->pins);
        config_destroy(service->catalog_config);
    }
    mem_free(service);
}
