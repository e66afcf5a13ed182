/*
 * config.h - the configuration as typed values.
 *
 * conf/sluice.schema.json is the single source of every key's type, bounds, default and
 * description; struct config has a member for each key. Strings are never NULL: a key that is
 * not set is "".
 * Sizes are bytes, times are microseconds, lists have a count. Secrets are names of files, or of
 * base/vault.h: those of the environment are there, and no longer in the environment.
 *
 * Threads: immutable once loaded; shared. Loading reads the environment, which no thread may
 * change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "delivery/outbox/backlog.h"
#include "delivery/sinks/dynamodb.h"
#include "handlers/status.h"
#include "schema/registry/catalog.h"
#include "settings/settings.h"

enum config_respond { CONFIG_RESPOND_RECORD, CONFIG_RESPOND_RECEIPT };
enum config_batch_response { CONFIG_BATCH_STATUS, CONFIG_BATCH_PARTIAL };
enum config_registry_kind { CONFIG_REGISTRY_FILE, CONFIG_REGISTRY_GLUE };
enum config_replays { CONFIG_REPLAYS_ACCEPT, CONFIG_REPLAYS_DEDUP };
enum config_start { CONFIG_START_NOW, CONFIG_START_HISTORY };
enum config_sink_kind {
    CONFIG_SINK_FILE,
    CONFIG_SINK_HTTP,
    CONFIG_SINK_KAFKA,
    CONFIG_SINK_KINESIS,
    CONFIG_SINK_SQS,
    CONFIG_SINK_S3,
    CONFIG_SINK_FIREHOSE,
    CONFIG_SINK_EVENTBRIDGE,
    CONFIG_SINK_DYNAMODB,
    CONFIG_SINK_SNS,
};
enum config_compression {
    CONFIG_COMPRESSION_NONE,
    CONFIG_COMPRESSION_GZIP,
    CONFIG_COMPRESSION_LZ4,
    CONFIG_COMPRESSION_ZSTD,
};
enum config_checksum { CONFIG_CHECKSUM_CRC32C, CONFIG_CHECKSUM_NONE };
enum config_sasl_mechanism {
    CONFIG_SASL_NONE,
    CONFIG_SASL_PLAIN,
    CONFIG_SASL_SCRAM_256,
    CONFIG_SASL_SCRAM_512,
    CONFIG_SASL_MSK_IAM,
};
enum config_dynamodb_as { CONFIG_DYNAMODB_DOCUMENT, CONFIG_DYNAMODB_ATTRIBUTES };
enum config_choice { CONFIG_CHOICE_OF_KIND, CONFIG_CHOICE_NO, CONFIG_CHOICE_YES };
enum config_deduplication { CONFIG_DEDUPLICATION_KEY, CONFIG_DEDUPLICATION_CONTENT };

/** One member of an object whose keys are the operator's choice. */
struct config_pair {
    const char *key;
    const char *value;
};

struct config_pairs {
    const struct config_pair *list;
    size_t count;
};

struct config_strings {
    const char *const *list;
    size_t count;
};

/** Where to listen: `text` as written, and taken apart. */
struct config_address {
    const char *text; /* "": nowhere */
    const char *host; /* a numeric address without brackets */
    uint16_t port;    /* 0: any free one */
    bool ipv6;
    bool loopback;
};

struct config_tls {
    const char *cert_file;
    const char *key_file;
};

struct config_http {
    struct config_address listen;
    struct config_address metrics_listen; /* text "": /metrics is served on `listen` */
    int64_t threads;                      /* 0: one per core */
    int64_t max_connections;
    int64_t max_connections_per_address; /* 0: no limit */
    uint64_t max_body;
    int64_t max_batch;
    int64_t max_in_flight; /* 0: no limit of its own */
    uint64_t max_inflight_bytes;
    int64_t deadline_us;
    int64_t idle_timeout_us;
    uint64_t max_head;
    int64_t drain_delay_us;
    int64_t rate_limit; /* requests per second; 0: none */
    enum config_respond respond;
    enum config_batch_response batch_response;
    bool lambda_sources;
    struct config_strings trusted_proxies; /* CIDRs */
    bool proxy_protocol;
    bool accept_unsafe_library;
    struct config_tls tls;
};

struct config_api_key {
    const char *header;
    const char *value_file;
};

struct config_basic {
    const char *user;
    const char *password_file;
};

struct config_bearer {
    const char *issuer;
    const char *audience;
    const char *jwks_url;
    const char *jwks_file;
    struct config_strings client_ids;
    struct config_strings scopes;
};

struct config_auth {
    bool open;
    const struct config_api_key *api_keys;
    size_t api_key_count;
    const struct config_basic *basic;
    size_t basic_count;
    struct config_bearer bearer;
};

/** The address for operators. */
struct config_admin {
    struct config_address listen; /* text "": none */
    struct config_strings hosts;  /* further values of Host */
    const struct config_api_key *api_keys;
    size_t api_key_count;
    const struct config_basic *basic;
    size_t basic_count;
};

struct config_aws {
    const char *region;
    const char *profile;
    const char *endpoint_url;
};

struct config_registry {
    enum config_registry_kind kind;
    const char *dir;
    int64_t refresh_us;
    const char *cache_dir;
    enum catalog_guard guard;
    int64_t guard_samples;
    struct config_pairs pin; /* "<registry>/<schema>" to a version number or UUID, as text */
};

struct config_validation {
    bool assert_formats;
    int64_t max_errors;
    bool redact_values;
    int64_t budget_us;
};

struct matcher;

/** One record of each event of a route. */
struct config_output {
    const char *transform;
    struct config_strings sinks; /* names; empty: every sink */
};

struct config_outputs {
    const struct config_output *list;
    size_t count;
};

/** A schema that is tried beside that of the route; at most one of the two is not "". */
struct config_shadow {
    const char *version;
    const char *file;
};

struct config_route {
    const char *name;
    const char *match;   /* JSON objects as in handlers/matcher.h; "": none */
    const char *pattern; /* likewise */
    const char *registry;
    const char *schema;
    const char *payload; /* JSON Pointer; "": the whole body */
    const char *id;      /* JSON Pointer */
    const char *transform;
    struct config_strings sinks;   /* names; empty: every sink */
    struct config_outputs outputs; /* instead of these two; none: one output of them */
    struct config_shadow shadow;
    bool drop;                     /* then the keys from `registry` on do not count, except `id` */
    const struct matcher *matcher; /* of `match` and `pattern`; NULL: one of them has a problem */
};

struct config_quarantine {
    bool enabled;
    int64_t keep_us;
    int64_t max_rows;
    uint64_t max_size;
};

struct config_store {
    const char *path; /* "": no store */
    uint64_t max_size;
    uint64_t dead_max_size;
    int64_t history_us; /* 0: no history */
    uint64_t history_max_size;
    int64_t dedup_window_us;
    int64_t dedup_max_rows;
    enum config_replays replays;
    struct config_quarantine quarantine;
};

struct config_sign {
    const char *secret_file; /* "": requests are not signed */
};

struct config_oauth {
    const char *token_url; /* "": no tokens */
    const char *client_id;
    const char *client_secret_file;
    const char *scope;
};

/** TLS of a client. */
struct config_client_tls {
    bool enabled;
    const char *ca_file; /* "": the system's */
    const char *cert_file;
    const char *key_file;
};

struct config_sasl {
    enum config_sasl_mechanism mechanism;
    const char *user;
    const char *password_file;
};

/** The key `mode`: of a file, or of writing to DynamoDB. */
struct config_sink_mode {
    uint32_t permissions;
    enum sink_dynamodb_mode dynamodb;
};

struct config_ttl {
    const char *name; /* "": none */
    int64_t after_us;
};

struct config_sink {
    const char *name;
    enum config_sink_kind kind;
    enum config_start start;
    const char *path;
    uint64_t rotate_size;    /* 0: never by size */
    int64_t rotate_every_us; /* 0: never by age */
    const char *url;
    struct config_pairs headers;
    struct config_pairs secret_headers; /* header name to file or secret */
    const char *ca_file;                /* "": the system's */
    const char *cert_file;              /* the client's; "": none */
    const char *key_file;
    enum config_compression compression;
    struct config_sign sign;
    struct config_oauth oauth;
    struct config_strings brokers;
    const char *topic;
    uint64_t max_message; /* bytes */
    struct config_client_tls tls;
    struct config_sasl sasl;
    const char *stream;        /* name or ARN */
    const char *partition_key; /* JSON Pointer into the record; "": the key */
    uint64_t max_record;
    bool glue_header;
    enum config_choice newline;
    const char *queue_url;
    const char *group_id; /* JSON Pointer into the record; "": none */
    enum config_deduplication deduplication;
    struct config_pairs attributes; /* name to JSON Pointer into the record */
    const char *bucket;             /* name, alias or ARN */
    const char *prefix;
    const char *time; /* JSON Pointer into the record */
    uint64_t max_bytes;
    int64_t max_age_us;
    bool path_style;
    enum config_checksum checksum;
    const char *topic_arn;
    const char *delivery_stream;
    const char *bus;    /* name or ARN; "": the default bus */
    const char *source; /* texts as in delivery/record_format.h */
    const char *detail_type;
    const char *table;
    struct config_sink_mode mode;
    struct config_pairs hash_key;  /* one name to a JSON Pointer into the record */
    struct config_pairs range_key; /* the same, or none */
    enum config_dynamodb_as as;
    const char *document;
    struct config_ttl ttl;
    const char *region;       /* "": of the URL or ARN, else aws.region */
    const char *endpoint_url; /* "": aws.endpoint_url */
    const char *profile;      /* "": aws.profile */
    const char *role_arn;     /* assumed with the credentials; "": none */
    const char *key;          /* JSON Pointer into the record; "": none */
    int64_t in_flight;        /* deliveries at the same time; 0: as the kind says */
    int64_t batch;            /* records in one delivery; 0: as the kind says */
    int64_t timeout_us;
    enum backlog_order ordered;
    int64_t linger_us;
    int64_t rate;         /* records in a second; 0: no limit */
    int64_t max_attempts; /* 0: no end */
    int64_t max_backoff_us;
};

struct config_log {
    enum log_level level;
    enum log_format format;
    bool client_address;
};

/** Where spans go. */
struct config_tracing {
    const char *endpoint; /* "": nowhere, and nothing is traced */
    struct config_pairs headers;
    struct config_pairs secret_headers; /* header name to file or secret */
    const char *ca_file;                /* "": the system's */
    double sample;                      /* 0 to 1 */
    const char *service_name;
};

/** A file, or files of a folder, that the server reads or writes itself: no sink may write to it.
 */
struct config_own_file {
    const char *path;
    const char *ending; /* those below the folder `path` whose names end so; NULL: `path` itself */
    const char *use;    /* "it is a schema (registry.dir)" */
    struct str key;     /* JSON Pointer of the key whose file must be readable; else ptr NULL */
};

struct config_own_files {
    const struct config_own_file *list;
    size_t count;
};

/** Keys that belong together when two configurations are compared. */
enum config_group {
    CONFIG_FIXED,   /* cannot change while the server runs */
    CONFIG_SCHEMAS, /* the live schemas depend on them, and on the names in routes */
};

enum { CONFIG_GROUP_COUNT = CONFIG_SCHEMAS + 1 };

struct config {
    const char *file; /* its path; "": built-in defaults */
    struct config_http http;
    struct config_auth auth;
    struct config_admin admin;
    struct config_aws aws;
    struct config_registry registry;
    enum status_map status_map;
    struct config_validation validation;
    const struct config_route *routes; /* first match wins */
    size_t route_count;
    struct config_store store;
    const struct config_sink *sinks;
    size_t sink_count;
    struct config_log log;
    struct config_tracing tracing;
    struct config_own_files own_files; /* those of transforms and AWS only beside a file sink */
    /* Private: */
    struct arena *arena; /* holds everything above */
    const struct str *texts[CONFIG_GROUP_COUNT];
    const struct str *sink_texts;
    size_t *owners;
};

/** The file to read: `option` (of -c; can be NULL), else $SLUICE_CONFIG, else NULL. */
const char *config_path(const char *option);

/**
 * Read the file at `path` (NULL: the built-in defaults) for a server that runs with `running`. The
 * caller owns the result. ERR_CONFIG with the first problem, `FILE:LINE: KEY: ...`: beyond those of
 * a review, a file that cannot be read or written, and a key that cannot change while the server
 * runs. ERR_SYSTEM when the file cannot be read.
 */
NODISCARD bool config_reload(const char *path, const struct config *running, struct config **out,
                             struct error *err);

/** Are the keys of the group the same in both? */
bool config_is_same(const struct config *a, const struct config *b, enum config_group group);

/** Another reference, ended by config_destroy(). All references belong to one thread. */
struct config *config_share(const struct config *config);

/** Is no credential configured, and auth.open false? Then every request is refused. */
bool config_admits_nobody(const struct config *config);

/** The sink with that name; `sink_count`: there is none. */
size_t config_sink_index(const struct config *config, const char *name);

/** All settings of the sink as a text, to find out whether they have changed. */
struct str config_sink_settings(const struct config *config, size_t index);

/** How many records an event of the route has; 0: the route drops it. */
size_t config_output_count(const struct config_route *route);

/** The output with that index. */
struct config_output config_output(const struct config_route *route, size_t index);

/** The JSON Pointer of one of its keys; it lives as long as the configuration. */
struct str config_output_pointer(const struct config *config, size_t route, size_t output,
                                 const char *key);

/**
 * A JSON array with the names that records of the route have which the sink gets, each output's
 * own; if it gets none, those of all outputs. It lives as long as the configuration.
 */
struct str config_output_names(const struct config *config, const char *route, const char *sink);

/** A JSON array with the names of the routes whose records the sink gets. It lives as long as the
 * configuration. */
struct str config_routes_of(const struct config *config, const char *sink);

/** Does a route name the sink, or every sink? */
bool config_feeds_sink(const struct config *config, const char *name);

/** The first route that takes all events of route `index`; `index` itself: there is none. */
size_t config_route_before(const struct config *config, size_t index);

/** A secret that the configuration names: a file, or a name of base/vault.h. */
struct config_secret {
    const char *place;
    const char *pointer; /* of the key that names it */
};

struct config_secrets {
    const struct config_secret *list;
    size_t count;
};

/** All that are named, in the order of the keys. They live as long as the configuration. */
struct config_secrets config_secrets(const struct config *config);

/** Does a server with this registry keep copies of schemas in registry.cache_dir? */
bool config_needs_cache(const struct config_registry *registry);

/** The warning when credentials travel over the network in clear text; NULL: they do not. */
const char *config_clear_text(const struct config *config);

/** The same of the admin address. */
const char *config_admin_clear_text(const struct config *config);

/** The warning when AWS Lambda runs this program and would lose events; NULL: it does not. */
const char *config_lambda_loss(void);

/** The same for these values of AWS_LAMBDA_RUNTIME_API and AWS_LWA_ERROR_STATUS_CODES, or NULL. */
const char *config_lambda_risk(const char *runtime_api, const char *error_codes);

/**
 * The AWS region that the sink's queue URL or ARN names; STR_NONE: none, as in the URL of an
 * emulator.
 */
struct str config_sink_region(const struct config_sink *sink);

/** End a reference; the last one frees it. NULL is fine. */
void config_destroy(struct config *config);

/** A configuration and everything that is wrong with it. */
struct config_review {
    struct settings *settings; /* the problems */
    struct config *config;     /* keys whose values are refused are empty; NULL: taken */
};

/**
 * Read the file at `path`, NULL: the built-in defaults. The caller owns the result. ERR_CONFIG when
 * it is not YAML, ERR_SYSTEM when it cannot be read; other problems are in the review.
 */
NODISCARD bool config_review_open(const char *path, struct config_review **out, struct error *err);

/** Free it, with its configuration unless that was taken. NULL is fine. */
void config_review_close(struct config_review *review);

/** Which files to check. */
enum config_files {
    CONFIG_FILES_NEEDED, /* those that the server needs to start */
    CONFIG_FILES_ALL,
};

/**
 * Add mistakes that do not keep a server from starting: routes that no event can reach, and
 * sinks that no route names.
 */
void config_review_lint(struct config_review *review);

/** Add a problem for each file that cannot be read, or for sinks written. */
void config_review_files(struct config_review *review, enum config_files files);

/** Move the configuration to the caller, who destroys it. False: there is a problem. */
NODISCARD bool config_review_take(struct config_review *review, struct config **out);

/** conf/sluice.schema.json, which is part of the program. */
struct str config_schema_text(void);
