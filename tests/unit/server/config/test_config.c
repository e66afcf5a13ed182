/*
 * test_config.c - the configuration: defaults, every key, and that its sources agree.
 */
#include "server/config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "server/config/config_internal.h"
#include "tests/unit/folder.h"
#include "tests/unit/load_config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define SECONDS INT64_C(1000000)
#define MIB     INT64_C(1048576)

/* NULL takes the variable away. */
static void set_variable(const char *name, const char *value)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): this program has one thread */
    (void)(value ? setenv(name, value, 1) : unsetenv(name));
    /* NOLINTEND(concurrency-mt-unsafe) */
}

static struct config *load(const char *yaml)
{
    struct config *config = NULL;
    struct error err = { 0 };
    bool ok = load_config(yaml ? scratch_file(yaml) : NULL, &config, &err);

    CHECK(ok);
    CHECK_STR(str_from_c(err.text), "");
    scratch_close();
    return config;
}

static void check_default_http(const struct config_http *http)
{
    CHECK_STR(str_from_c(http->listen.text), "127.0.0.1:8080");
    CHECK_STR(str_from_c(http->listen.host), "127.0.0.1");
    CHECK_INT(http->listen.port, 8080);
    CHECK(http->listen.loopback && !http->listen.ipv6);
    CHECK_STR(str_from_c(http->metrics_listen.text), "");
    CHECK_INT(http->threads, 0);
    CHECK_INT(http->max_connections, 10000);
    CHECK_INT(http->max_connections_per_address, 0);
    CHECK_INT((int64_t)http->max_body, 2 * MIB);
    CHECK_INT((int64_t)http->max_head, 16384);
    CHECK_INT(http->max_batch, 500);
    CHECK_INT(http->max_in_flight, 0);
    CHECK_INT((int64_t)http->max_inflight_bytes, 64 * MIB);
    CHECK_INT(http->deadline_us, 4 * SECONDS);
    CHECK_INT(http->idle_timeout_us, 75 * SECONDS);
    CHECK_INT(http->drain_delay_us, 0);
    CHECK_INT(http->rate_limit, 0);
    CHECK_INT(http->respond, CONFIG_RESPOND_RECORD);
    CHECK_INT(http->batch_response, CONFIG_BATCH_STATUS);
    CHECK(!http->lambda_sources);
    CHECK_INT((int64_t)http->trusted_proxies.count, 0);
    CHECK(!http->proxy_protocol);
    CHECK(!http->accept_unsafe_library);
    CHECK_STR(str_from_c(http->tls.cert_file), "");
    CHECK_STR(str_from_c(http->tls.key_file), "");
}

/* A path of the shipped file as one of the working directory. */
static struct str from_here(const char *path)
{
    struct str place = str_from_c(path);

    return str_starts_with(place, STR("conf/../")) ? str_from(place, strlen("conf/../")) : place;
}

static void check_default_access(const struct config *config)
{
    CHECK(!config->auth.open);
    CHECK_INT((int64_t)(config->auth.api_key_count + config->auth.basic_count), 0);
    CHECK_STR(str_from_c(config->auth.bearer.issuer), "");
    CHECK_STR(str_from_c(config->aws.region), "");
    CHECK_INT(config->registry.kind, CONFIG_REGISTRY_FILE);
    CHECK_STR(str_from_c(config->registry.dir), "conf/schemas");
    CHECK_INT(config->registry.refresh_us, 60 * SECONDS);
    CHECK_STR(from_here(config->registry.cache_dir), "var/schemas");
    CHECK_INT(config->registry.guard, CATALOG_GUARD_WARN);
    CHECK_INT(config->registry.guard_samples, 200);
    CHECK_INT((int64_t)config->registry.pin.count, 0);
}

static void check_default_events(const struct config *config)
{
    const struct config_route *route = config->routes;

    CHECK_INT(config->status_map, STATUS_MAP_TUTORIAL);
    CHECK(!config->validation.assert_formats && config->validation.redact_values);
    CHECK_INT(config->validation.max_errors, 20);
    CHECK_INT(config->validation.budget_us, SECONDS / 5);
    CHECK_INT((int64_t)config->route_count, 1);
    CHECK_STR(str_from_c(route->match), "{\"source\":\"*\",\"detail-type\":\"*\"}");
    CHECK_STR(str_from_c(route->pattern), "");
    CHECK(!route->drop);
    CHECK_STR(str_from_c(route->registry), "GenesysInteractionRegistry");
    CHECK_STR(str_from_c(route->schema), "InteractionStartedSchema");
    CHECK_STR(str_from_c(route->payload), "/detail");
    CHECK_STR(str_from_c(route->id), "/id");
    CHECK_STR(str_from_c(route->transform), "conf/transforms/interaction.started.yaml");
}

static void check_default_store(const struct config *config)
{
    CHECK_STR(from_here(config->store.path), "var/sluice.db");
    CHECK_INT((int64_t)config->store.max_size, 1024 * MIB);
    CHECK_INT((int64_t)config->store.dead_max_size, 256 * MIB);
    CHECK_INT(config->store.dedup_window_us, 90000 * SECONDS);
    CHECK_INT(config->store.dedup_max_rows, 50000000);
    CHECK_INT(config->store.replays, CONFIG_REPLAYS_ACCEPT);
    CHECK(config->store.quarantine.enabled);
    CHECK_INT(config->store.quarantine.keep_us, 2592000 * SECONDS);
    CHECK_INT(config->store.quarantine.max_rows, 100000);
    CHECK_INT((int64_t)config->store.quarantine.max_size, 256 * MIB);
    CHECK_INT(config->log.level, LOG_INFO);
    CHECK_INT(config->log.format, LOG_JSON);
}

static void lambda_must_learn_of_what_is_refused(void)
{
    static const struct {
        const char *api;
        const char *codes;
        bool warned;
    } cases[] = {
        { NULL, NULL, false },
        { "", NULL, false },
        { "127.0.0.1:9001", NULL, true },
        { "127.0.0.1:9001", "", true },
        { "127.0.0.1:9001", "500-599", true },
        { "127.0.0.1:9001", "400,500-502", true },
        { "127.0.0.1:9001", "400-", true },
        { "127.0.0.1:9001", "x,-,503x,400", false },
        { "127.0.0.1:9001", "400, 503", false },
        { "127.0.0.1:9001", "400-599", false },
        { "127.0.0.1:9001", "500-503,400-404", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].codes ? cases[i].codes : "none");
        CHECK((config_lambda_risk(cases[i].api, cases[i].codes) != NULL) == cases[i].warned);
    }
}

static void defaults_hold_where_nothing_is_said(void)
{
    static const struct {
        const char *name;
        const char *yaml;
    } cases[] = {
        { "no file", NULL },
        { "an empty file", "" },
        { "only comments", "# nothing\n" },
        { "an empty object", "{}\n" },
        { "empty objects", "http: {tls: {}}\nauth: {}\nstore: {quarantine: {}}\n" },
        { "a route without keys", "routes: [match: {source: '*', detail-type: '*'}]\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config *config;

        TEST_CASE(cases[i].name);
        config = load(cases[i].yaml);
        if (!config)
            continue;
        check_default_http(&config->http);
        check_default_access(config);
        check_default_events(config);
        check_default_store(config);
        CHECK_INT((int64_t)config->sink_count, 0);
        CHECK(cases[i].yaml || strcmp(config->file, "") == 0);
        config_destroy(config);
    }
}

static void check_values_http(const struct config_http *http)
{
    CHECK_STR(str_from_c(http->listen.host), "::1");
    CHECK(http->listen.ipv6 && http->listen.loopback);
    CHECK_INT(http->listen.port, 0);
    CHECK_STR(str_from_c(http->metrics_listen.host), "127.0.0.1");
    CHECK_INT(http->threads, 2);
    CHECK_INT((int64_t)http->max_body, 1000);
    CHECK_INT((int64_t)http->max_head, 12288);
    CHECK_INT((int64_t)http->max_inflight_bytes, 1536);
    CHECK_INT(http->deadline_us, 1500000);
    CHECK_INT(http->drain_delay_us, 100000);
    CHECK_INT(http->respond, CONFIG_RESPOND_RECEIPT);
    CHECK_INT(http->batch_response, CONFIG_BATCH_PARTIAL);
    CHECK(http->lambda_sources);
    CHECK(http->accept_unsafe_library);
}

static void every_kind_of_value_is_read(void)
{
    static const char yaml[] =
        "http:\n"
        "  listen: '[::1]:0'\n"
        "  metrics_listen: localhost:9090\n"
        "  threads: 2\n"
        "  max_body: 1000\n"
        "  max_head: 12KiB\n"
        "  max_inflight_bytes: 1.5KiB\n"
        "  deadline: 1.5s\n"
        "  drain_delay: 100ms\n"
        "  respond: receipt\n"
        "  batch_response: partial\n"
        "  lambda_sources: true\n"
        "  accept_unsafe_library: true\n"
        "auth:\n"
        "  bearer: {issuer: i, jwks_file: f, client_ids: [c, d],"
        " scopes: [s]}\n"
        "  api_keys:\n"
        "    - value_file: /dev/null\n"
        "    - {header: X-Other, value_file: /dev/null}\n"
        "  basic: [{user: u, password_file: /dev/null}]\n"
        "status_map: eventbridge\n"
        "routes:\n"
        "  - match: {/Data/kind: ['x*', 5e0, true]}\n"
        "    payload: ''\n"
        "    id: /Metadata/id\n"
        "  - {schema: S, registry: R, transform: t.yaml, drop: true, pattern:\n"
        "      {a: [300.10, 1E+2, null, 12345678901234567890]}}\n"
        "log: {level: error, format: text, client_address: true}\n";
    struct config *config = load(yaml);

    if (!config)
        return;
    check_values_http(&config->http);
    CHECK_INT((int64_t)config->auth.bearer.client_ids.count, 2);
    CHECK_STR(str_from_c(config->auth.bearer.client_ids.list[1]), "d");
    CHECK_INT((int64_t)config->auth.bearer.scopes.count, 1);
    CHECK_INT((int64_t)config->auth.api_key_count, 2);
    CHECK_STR(str_from_c(config->auth.api_keys[0].header), "x-api-key");
    CHECK_STR(str_from_c(config->auth.api_keys[1].header), "X-Other");
    CHECK_INT((int64_t)config->auth.basic_count, 1);
    CHECK_STR(str_from_c(config->auth.basic[0].user), "u");
    CHECK_INT(config->status_map, STATUS_MAP_EVENTBRIDGE);
    CHECK_INT((int64_t)config->route_count, 2);
    CHECK_STR(str_from_c(config->routes[0].match), "{\"/Data/kind\":[\"x*\",5e0,true]}");
    CHECK_STR(str_from_c(config->routes[0].payload), "");
    CHECK_STR(str_from_c(config->routes[0].id), "/Metadata/id");
    CHECK_STR(str_from_c(config->routes[1].pattern),
              "{\"a\":[300.10,1E+2,null,12345678901234567890]}");
    CHECK(config->routes[1].drop && !config->routes[0].drop);
    CHECK_STR(str_from_c(config->routes[1].schema), "S");
    CHECK_STR(str_from_c(config->routes[1].transform), "t.yaml");
    CHECK_STR(str_from_c(config->routes[1].payload), "/detail");
    CHECK_INT(config->log.level, LOG_ERROR);
    CHECK_INT(config->log.format, LOG_TEXT);
    CHECK(config->log.client_address);
    config_destroy(config);
}

/* Their enumerations belong to other modules; read.c relies on the order. */
static void choices_are_those_of_other_modules(void)
{
    static const struct {
        const char *yaml;
        enum catalog_guard guard;
        enum status_map map;
        enum backlog_order order;
    } cases[] = {
        { "registry: {guard: off}\n", CATALOG_GUARD_OFF, STATUS_MAP_TUTORIAL, BACKLOG_UNORDERED },
        { "registry: {guard: warn}\nstatus_map: tutorial\n"
          "sinks: [{name: a, kind: file, path: /tmp/a, ordered: false}]\n",
          CATALOG_GUARD_WARN, STATUS_MAP_TUTORIAL, BACKLOG_UNORDERED },
        { "registry: {guard: enforce}\nstatus_map: eventbridge\n"
          "sinks: [{name: a, kind: file, path: /tmp/a, ordered: key}]\n",
          CATALOG_GUARD_ENFORCE, STATUS_MAP_EVENTBRIDGE, BACKLOG_BY_KEY },
        { "sinks: [{name: a, kind: file, path: /tmp/a, ordered: true}]\n", CATALOG_GUARD_WARN,
          STATUS_MAP_TUTORIAL, BACKLOG_STRICT },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config *config = load(cases[i].yaml);

        TEST_CASE(cases[i].yaml);
        if (!config)
            continue;
        CHECK_INT(config->registry.guard, cases[i].guard);
        CHECK_INT(config->status_map, cases[i].map);
        CHECK_INT(config->sink_count ? config->sinks[0].ordered : BACKLOG_UNORDERED,
                  cases[i].order);
        config_destroy(config);
    }
}

static void the_mode_of_a_sink_is_read(void)
{
    static const struct {
        const char *sink;
        uint32_t permissions;
        enum sink_dynamodb_mode dynamodb;
    } cases[] = {
        { "kind: file, path: /tmp/a", 0600, SINK_DYNAMODB_INSERT },
        { "kind: file, path: /tmp/a, mode: 0640", 0640, SINK_DYNAMODB_INSERT },
        { "kind: file, path: /tmp/a, mode: 644", 0644, SINK_DYNAMODB_INSERT },
        { "kind: file, path: /tmp/a, mode: '0666'", 0666, SINK_DYNAMODB_INSERT },
        { "kind: dynamodb, table: abc, hash_key: {a: /a}", 0600, SINK_DYNAMODB_INSERT },
        { "kind: dynamodb, table: abc, hash_key: {a: /a}, mode: insert", 0600,
          SINK_DYNAMODB_INSERT },
        { "kind: dynamodb, table: abc, hash_key: {a: /a}, mode: replace", 0600,
          SINK_DYNAMODB_REPLACE },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config *config;
        char yaml[200];

        TEST_CASE(cases[i].sink);
        (void)snprintf(yaml, sizeof(yaml), "sinks: [{name: a, %s}]\n", cases[i].sink);
        config = load(yaml);
        if (!config)
            continue;
        CHECK_INT(config->sinks[0].mode.permissions, cases[i].permissions);
        CHECK_INT(config->sinks[0].mode.dynamodb, cases[i].dynamodb);
        config_destroy(config);
    }
}

static void the_keys_of_kafka_are_read(void)
{
    static const char yaml[] =
        "sinks:\n"
        "  - {name: a, kind: kafka, topic: t, brokers: ['b:1', 'c:2']}\n"
        "  - {name: b, kind: kafka, topic: t, brokers: ['b:1'], tls: true, compression: zstd,\n"
        "     max_message: 1MiB}\n"
        "  - {name: c, kind: kafka, topic: t, brokers: ['b:1'],\n"
        "     tls: {ca_file: /dev/null, cert_file: /dev/zero, key_file: /dev/full},\n"
        "     sasl: {mechanism: SCRAM-SHA-512, user: u, password_file: /dev/null}}\n";
    struct config *config = load(yaml);

    if (!config)
        return;

    const struct config_sink *sinks = config->sinks;

    CHECK_INT(sinks[0].kind, CONFIG_SINK_KAFKA);
    CHECK_INT((int64_t)sinks[0].brokers.count, 2);
    CHECK_STR(str_from_c(sinks[0].brokers.list[1]), "c:2");
    CHECK(!sinks[0].tls.enabled);
    CHECK_INT((int64_t)sinks[0].max_message, 1000000);
    CHECK_INT(sinks[0].compression, CONFIG_COMPRESSION_NONE);
    CHECK_INT(sinks[0].sasl.mechanism, CONFIG_SASL_NONE);
    CHECK(sinks[1].tls.enabled);
    CHECK_STR(str_from_c(sinks[1].tls.ca_file), "");
    CHECK_INT((int64_t)sinks[1].max_message, MIB);
    CHECK_INT(sinks[1].compression, CONFIG_COMPRESSION_ZSTD);
    CHECK(sinks[2].tls.enabled);
    CHECK_STR(str_from_c(sinks[2].tls.ca_file), "/dev/null");
    CHECK_STR(str_from_c(sinks[2].tls.cert_file), "/dev/zero");
    CHECK_STR(str_from_c(sinks[2].tls.key_file), "/dev/full");
    CHECK_INT(sinks[2].sasl.mechanism, CONFIG_SASL_SCRAM_512);
    CHECK_STR(str_from_c(sinks[2].sasl.user), "u");
    CHECK_STR(str_from_c(sinks[2].sasl.password_file), "/dev/null");
    config_destroy(config);
}

static void loading_reports_the_first_problem(void)
{
    struct config *config = NULL;
    struct error err = { 0 };
    const char *path = scratch_file("b: 1\na: 2\n");

    CHECK(!load_config(path, &config, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(str_from(str_from_c(err.text), strlen(path)), ":1: b: unknown key");
    scratch_close();
    CHECK(!load_config("/nonexistent/sluice.yaml", &config, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK(!config);
}

static void the_option_beats_the_environment(void)
{
    set_variable("SLUICE_CONFIG", NULL);
    CHECK(!config_path(NULL));
    CHECK_STR(str_from_c(config_path("a.yaml")), "a.yaml");
    set_variable("SLUICE_CONFIG", "");
    CHECK(!config_path(NULL));
    set_variable("SLUICE_CONFIG", "b.yaml");
    CHECK_STR(str_from_c(config_path(NULL)), "b.yaml");
    CHECK_STR(str_from_c(config_path("a.yaml")), "a.yaml");
    set_variable("SLUICE_CONFIG", NULL);
}

static void the_shipped_file_is_the_defaults(void)
{
    struct config *config = NULL;
    struct error err = { 0 };

    set_variable("SLUICE_LISTEN", NULL);
    set_variable("SLUICE_AUTH_OPEN", NULL);
    CHECK(load_config("conf/sluice.yaml", &config, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (!config)
        return;
    CHECK_STR(str_from_c(config->file), "conf/sluice.yaml");
    check_default_http(&config->http);
    check_default_access(config);
    check_default_events(config);
    check_default_store(config);
    CHECK_INT((int64_t)config->sink_count, 1); /* but for a place to find the records */
    if (config->sink_count == 1)
        CHECK_STR(from_here(config->sinks[0].path), "var/records.ndjson");
    config_destroy(config);
}

static void check_in(const struct folder *folder, const char *path, const char *name)
{
    CHECK(str_starts_with(str_from_c(path), str_from_c(folder->path)));
    CHECK_STR(str_from(str_from_c(path), strlen(folder->path)), name);
}

static void paths_start_at_the_folder_of_the_file(void)
{
    static const char yaml[] = "http: { tls: { cert_file: c.pem, key_file: /k.pem } }\n"
                               "registry: { dir: ../schemas }\n"
                               "sinks:\n"
                               "  - { name: a, kind: http, url: 'http://x/', ca_file: ca.pem,\n"
                               "      secret_headers: { k: key }, headers: { p: plain } }\n";
    struct config_review *review = NULL;
    const struct config *config;
    struct error err = { 0 };
    struct folder folder;
    char path[FOLDER_PATH_SIZE];

    folder_init(&folder);
    folder_write(&folder, "sluice.yaml", str_from_c(yaml));
    folder_path(&folder, "sluice.yaml", path);
    CHECK(config_review_open(path, &review, &err));
    config = review->config;
    check_in(&folder, config->http.tls.cert_file, "/c.pem");
    CHECK_STR(str_from_c(config->http.tls.key_file), "/k.pem");
    check_in(&folder, config->registry.dir, "/../schemas");
    check_in(&folder, config->sinks[0].ca_file, "/ca.pem");
    check_in(&folder, config->sinks[0].secret_headers.list[0].value, "/key");
    CHECK_STR(str_from_c(config->sinks[0].headers.list[0].value), "plain");
    CHECK_STR(str_from_c(config->store.path), "var/sluice.db"); /* a default */
    CHECK_STR(str_from_c(config->routes[0].transform), "conf/transforms/interaction.started.yaml");
    config_review_close(review);
    folder_done(&folder);
}

static void a_container_needs_no_edit(void)
{
    struct config *config = NULL;
    struct error err = { 0 };

    set_variable("SLUICE_LISTEN", "0.0.0.0:8080");
    set_variable("SLUICE_AUTH_OPEN", "true");
    CHECK(load_config("conf/sluice.yaml", &config, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (config) {
        CHECK_STR(str_from_c(config->http.listen.host), "0.0.0.0");
        CHECK(config->auth.open);
    }
    config_destroy(config);
    set_variable("SLUICE_LISTEN", NULL);
    set_variable("SLUICE_AUTH_OPEN", NULL);
}

static void examples_load(void)
{
    struct config *config = NULL;
    struct error err = { 0 };

    CHECK(load_config("conf/examples/genesys/sluice.yaml", &config, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (config)
        CHECK_INT((int64_t)config->route_count, 6);
    config_destroy(config);
}

/* Does the node, or the place below it, tell what it is for and what holds without it? */
static void check_described(struct json_object *schema, const char *key, bool element)
{
    struct json_object *inner;

    TEST_CASE(key);
    CHECK(json_find_str(schema, "description").len > 0);
    if (json_find(schema, "properties", &inner)) {
        for (JSON_EACH(member, inner))
            check_described(json_value(member), json_key(member), element);
        return;
    }
    CHECK(element || json_find(schema, "default", &inner));
    if (json_find(schema, "items", &inner) && json_find(inner, "properties", &inner))
        for (JSON_EACH(member, inner))
            check_described(json_value(member), json_key(member), true);
}

static void every_key_is_described_and_has_a_default(void)
{
    struct json_object *schema = NULL;
    struct error err = { 0 };

    CHECK(json_read(config_schema_text(), NULL, &schema, &err));
    if (schema)
        check_described(schema, "the whole", false);
    json_release(schema);
}

/* How many keys stand below the node; an object without fixed members and a list are one each. */
static size_t count_keys(struct json_object *schema)
{
    struct json_object *properties;
    size_t count = 0;

    if (!json_find(schema, "properties", &properties))
        return 1;
    for (JSON_EACH(member, properties))
        count += count_keys(json_value(member));
    return count;
}

/* The node that describes what a table fills: the whole, or a list's elements. */
static struct json_object *node_of(struct settings *settings, const struct config_table *table)
{
    struct setting root = settings_root(settings);
    struct json_object *items = NULL;

    if (!*table->path)
        return root.schema;
    (void)json_find(settings_get(settings, &root, table->path).schema, "items", &items);
    return items;
}

static void every_key_is_taken_over(void)
{
    struct yaml_options options = { .file = NULL };
    struct settings *settings = NULL;
    struct error err = { 0 };
    size_t lists = config_table_count(); /* with `include`, which has no table */

    CHECK(settings_load(&options, config_schema_text(), &settings, &err));
    for (size_t i = 0; settings && i < config_table_count(); i++) {
        const struct config_table *table = config_table(i);
        struct setting object = { .schema = node_of(settings, table) };

        TEST_CASE(table->path);
        CHECK_INT((int64_t)(table->count + (*table->path ? 0 : lists)),
                  (int64_t)count_keys(object.schema));
        for (size_t j = 0; j < table->count; j++) {
            TEST_CASE(table->keys[j].path);
            CHECK(settings_get(settings, &object, table->keys[j].path).schema);
        }
    }
    settings_destroy(settings);
}

static void outputs_have_names_and_sinks(void)
{
    struct config *config = load("sinks:\n"
                                 "  - {name: a, kind: file, path: /tmp/a}\n"
                                 "  - {name: b, kind: file, path: /tmp/b}\n"
                                 "routes:\n"
                                 "  - {name: r, match: {source: r}, outputs: [{transform: "
                                 "conf/transforms/interaction.started.yaml, sinks: [a]},\n"
                                 "     {transform: conf/transforms/interaction.started.yaml}]}\n"
                                 "  - {name: s, match: {source: s}, sinks: [b]}\n"
                                 "  - {name: d, match: {source: d}, drop: true}\n");

    if (!config)
        return;
    CHECK_INT((int64_t)config_output_count(&config->routes[0]), 2);
    CHECK_INT((int64_t)config_output_count(&config->routes[1]), 1);
    CHECK_INT((int64_t)config_output_count(&config->routes[2]), 0);
    CHECK_STR(str_from_c(config_output(&config->routes[0], 0).sinks.list[0]), "a");
    CHECK_STR(str_from_c(config_output(&config->routes[1], 0).sinks.list[0]), "b");
    CHECK_STR(config_output_pointer(config, 0, 1, "transform"), "/routes/0/outputs/1/transform");
    CHECK_STR(config_output_pointer(config, 1, 0, "transform"), "/routes/1/transform");
    CHECK_STR(config_routes_of(config, "a"), "[\"r\",\"r#2\"]");
    CHECK_STR(config_routes_of(config, "b"), "[\"r#2\",\"s\"]");
    CHECK_STR(config_output_names(config, "r", "a"), "[\"r\",\"r#2\"]");
    CHECK_STR(config_output_names(config, "r", "b"), "[\"r#2\"]");
    CHECK_STR(config_output_names(config, "r", "c"), "[\"r#2\"]");
    CHECK_STR(config_output_names(config, "s", "a"), "[\"s\"]");
    CHECK_STR(config_output_names(config, "gone", "a"), "[\"gone\"]");
    config_destroy(config);
}

int main(void)
{
    RUN(lambda_must_learn_of_what_is_refused);
    RUN(defaults_hold_where_nothing_is_said);
    RUN(every_kind_of_value_is_read);
    RUN(choices_are_those_of_other_modules);
    RUN(the_mode_of_a_sink_is_read);
    RUN(the_keys_of_kafka_are_read);
    RUN(loading_reports_the_first_problem);
    RUN(the_option_beats_the_environment);
    RUN(the_shipped_file_is_the_defaults);
    RUN(paths_start_at_the_folder_of_the_file);
    RUN(a_container_needs_no_edit);
    RUN(examples_load);
    RUN(outputs_have_names_and_sinks);
    RUN(every_key_is_described_and_has_a_default);
    RUN(every_key_is_taken_over);
    return test_end();
}
