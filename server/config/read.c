/*
 * read.c - copies the settings to struct config: one table row for each key.
 *
 * A test compares these tables with conf/sluice.schema.json: both have the same keys. A value that
 * the schema refuses has a problem already, and stays empty here.
 */
#include "server/config/config_internal.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>

#include "base/chars.h"
#include "base/vault.h"
#include "settings/unit.h"

#define KEY(type, path, read)                                                                      \
    {                                                                                              \
#path, offsetof(struct type, path), read                                                   \
    }
#define KEY_TIME(type, path)                                                                       \
    {                                                                                              \
#path, offsetof(struct type, path##_us), read_time                                         \
    }
/* A secret that a file, a variable or AWS Secrets Manager has: NAME_file, NAME_env, NAME_secret. */
#define SECRET(type, name, member)                                                                 \
    { name "_file", offsetof(struct type, member), read_secret },                                  \
        { name "_env", offsetof(struct type, member), read_secret_env },                           \
    {                                                                                              \
        name "_secret", offsetof(struct type, member), read_secret_arn                             \
    }
#define LIST(path, keys, type, list, list_count)                                                   \
    {                                                                                              \
        path, keys, COUNT_OF(keys), sizeof(struct type), offsetof(struct config, list),            \
            offsetof(struct config, list_count)                                                    \
    }

static const char *copy(const struct config_reading *reading, struct str text)
{
    return arena_copy(reading->arena, text).ptr;
}

static void read_text(const struct config_reading *reading, const struct setting *from, void *to)
{
    *(const char **)to =
        copy(reading, json_is_string(from->value) ? json_str(from->value) : STR(""));
}

/*
 * A file or folder. A relative one that the file names starts at the file's folder, so that the
 * server can be started from anywhere; a default starts at the working directory.
 */
static const char *place(const struct config_reading *reading, struct str path, bool as_it_is)
{
    if (as_it_is || path.len == 0 || path.ptr[0] == '/')
        return copy(reading, path);
    return arena_printf(reading->arena, "%.*s%.*s", STR_ARG(reading->folder), STR_ARG(path)).ptr;
}

static void read_path(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct str path = json_is_string(from->value) ? json_str(from->value) : STR("");

    *(const char **)to = place(reading, path, from->is_default);
}

/* A file with a secret; env:NAME and ARNs are not paths (base/vault.h). */
static void read_secret(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct str name = json_is_string(from->value) ? json_str(from->value) : STR("");

    if (name.len > 0)
        *(const char **)to =
            place(reading, name, from->is_default || vault_is_name(copy(reading, name)));
    else if (!*(const char **)to)
        *(const char **)to = "";
}

/* A variable with a secret, for the member that names where it is. */
static void read_secret_env(const struct config_reading *reading, const struct setting *from,
                            void *to)
{
    if (json_is_string(from->value) && json_str(from->value).len > 0)
        *(const char **)to =
            arena_printf(reading->arena, "env:%.*s", STR_ARG(json_str(from->value))).ptr;
}

/* The ARN of a secret. */
static void read_secret_arn(const struct config_reading *reading, const struct setting *from,
                            void *to)
{
    if (json_is_string(from->value) && str_starts_with(json_str(from->value), STR("arn:")))
        read_text(reading, from, to);
}

static void read_flag(const struct config_reading *reading, const struct setting *from, void *to)
{
    (void)reading;
    *(bool *)to = json_kind(from->value) == JSON_BOOLEAN && json_object_get_boolean(from->value);
}

/* A flag that may be null: then the kind decides. */
static void read_kind_flag(const struct config_reading *reading, const struct setting *from,
                           void *to)
{
    enum config_choice choice = CONFIG_CHOICE_OF_KIND;

    (void)reading;
    if (json_kind(from->value) == JSON_BOOLEAN)
        choice = json_object_get_boolean(from->value) ? CONFIG_CHOICE_YES : CONFIG_CHOICE_NO;
    *(enum config_choice *)to = choice;
}

static bool is_number(struct json_object *value)
{
    return json_kind(value) == JSON_INTEGER || json_kind(value) == JSON_NUMBER;
}

static void read_count(const struct config_reading *reading, const struct setting *from, void *to)
{
    int64_t count = 0;

    (void)reading;
    if (is_number(from->value) && json_int64(from->value, &count))
        *(int64_t *)to = count;
}

static void read_share(const struct config_reading *reading, const struct setting *from, void *to)
{
    (void)reading;
    if (is_number(from->value))
        *(double *)to = json_double(from->value);
}

static void read_size(const struct config_reading *reading, const struct setting *from, void *to)
{
    uint64_t bytes;

    (void)reading;
    if (settings_size(from->value, &bytes))
        *(uint64_t *)to = bytes;
}

static void read_time(const struct config_reading *reading, const struct setting *from, void *to)
{
    int64_t microseconds;

    (void)reading;
    if (settings_time(from->value, &microseconds))
        *(int64_t *)to = microseconds;
}

/* The C enumerations have the order of the schema's `enum`; all are as wide as an int. */
static void read_choice(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct json_object *choices = NULL;

    (void)reading;
    (void)json_find(from->schema, "enum", &choices);
    for (size_t i = 0; json_is_string(from->value) && i < json_count(choices); i++)
        if (str_equal(json_str(from->value), json_str(json_at(choices, i)))) {
            int index = (int)i;

            memcpy(to, &index, sizeof(index));
        }
}

/* Without a name, routes[0] is route-1. */
static void read_route_name(const struct config_reading *reading, const struct setting *from,
                            void *to)
{
    struct str rest = str_from(from->pointer, STR("/routes/").len);
    int64_t index = 0;

    read_text(reading, from, to);
    if (**(const char **)to)
        return;
    (void)take_number(&rest, INT64_MAX, &index);
    *(const char **)to = arena_printf(reading->arena, "route-%" PRId64, index + 1).ptr;
}

/* false, key or true */
static void read_order(const struct config_reading *reading, const struct setting *from, void *to)
{
    enum backlog_order order = BACKLOG_UNORDERED;

    (void)reading;
    if (json_is_string(from->value))
        order = BACKLOG_BY_KEY;
    else if (json_kind(from->value) == JSON_BOOLEAN && json_object_get_boolean(from->value))
        order = BACKLOG_STRICT;
    *(enum backlog_order *)to = order;
}

/* Digits are octal, with or without a 0 in front: 0640 without quotes is the number 640. */
static void read_mode(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct config_sink_mode mode = { .permissions = 0600, .dynamodb = SINK_DYNAMODB_INSERT };
    struct str text = json_is_string(from->value) ? json_str(from->value)
                                                  : json_text(reading->arena, from->value);

    if (str_equal(text, STR("replace")))
        mode.dynamodb = SINK_DYNAMODB_REPLACE;
    if (text.len > 0 && char_is_digit(text.ptr[0]))
        mode.permissions = 0;
    for (size_t i = 0; i < text.len && char_is_digit(text.ptr[i]); i++)
        mode.permissions = mode.permissions * 8 + (uint32_t)(text.ptr[i] - '0');
    *(struct config_sink_mode *)to = mode;
}

static bool is_loopback4(const unsigned char *bytes)
{
    return bytes[0] == 127;
}

static bool read_host(struct config_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (!address->ipv6 && inet_pton(AF_INET, address->host, &v4) == 1) {
        address->loopback = is_loopback4((const unsigned char *)&v4);
        return true;
    }
    if (!address->ipv6 || inet_pton(AF_INET6, address->host, &v6) != 1)
        return false;
    address->loopback =
        IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && is_loopback4(&v6.s6_addr[12]));
    return true;
}

bool config_address_parse(struct arena *arena, struct str text, struct config_address *out)
{
    struct config_address address = { 0 };
    const char *colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
    struct str host;
    int64_t port;

    if (!colon)
        return false;
    host = (struct str){ text.ptr, (size_t)(colon - text.ptr) };
    if (!whole_number(str_from(text, host.len + 1), UINT16_MAX, &port))
        return false;
    address.port = (uint16_t)port;
    if (str_starts_with(host, STR("[")) && str_ends_with(host, STR("]"))) {
        address.ipv6 = true;
        host = (struct str){ host.ptr + 1, host.len - 2 };
    } else if (str_equal(host, STR("localhost"))) {
        host = STR("127.0.0.1");
    }
    address.text = arena_copy(arena, text).ptr;
    address.host = arena_copy(arena, host).ptr;
    if (!read_host(&address))
        return false;
    *out = address;
    return true;
}

static void read_address(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct config_address address = { .text = "", .host = "" };

    if (json_is_string(from->value) && json_str(from->value).len > 0 &&
        !config_address_parse(reading->arena, json_str(from->value), &address))
        settings_complain(reading->settings, from->pointer, "expected %s",
                          json_find_str(from->schema, "x-expected").ptr);
    *(struct config_address *)to = address;
}

/* An object with keys of the operator's choice; a number is read as its text. */
static void read_members(const struct config_reading *reading, const struct setting *from,
                         struct config_pairs *pairs, bool are_paths)
{
    struct config_pair *list;
    size_t count = 0;

    if (!json_is_object(from->value))
        return;
    for (JSON_EACH(member, from->value))
        count++;
    list = arena_alloc(reading->arena, (count + 1) * sizeof(*list));
    for (JSON_EACH(member, from->value)) {
        struct json_object *value = json_value(member);
        struct str text =
            json_is_string(value) ? json_str(value) : json_text(reading->arena, value);

        list[pairs->count].key = copy(reading, str_from_c(json_key(member)));
        list[pairs->count++].value = are_paths
                                         ? place(reading, text, vault_is_name(copy(reading, text)))
                                         : copy(reading, text);
    }
    pairs->list = list;
}

/* A number or a text. */
static void read_version(const struct config_reading *reading, const struct setting *from, void *to)
{
    if (json_is_string(from->value))
        read_text(reading, from, to);
    else
        *(const char **)to = json_text(reading->arena, from->value).ptr;
}

static void read_pairs(const struct config_reading *reading, const struct setting *from, void *to)
{
    read_members(reading, from, to, false);
}

/* A value env:NAME or an ARN is not a path (base/vault.h). */
static void read_path_pairs(const struct config_reading *reading, const struct setting *from,
                            void *to)
{
    read_members(reading, from, to, true);
}

/* True, false, or an object of files. */
static void read_client_tls(const struct config_reading *reading, const struct setting *from,
                            void *to)
{
    struct json_object *files = json_is_object(from->value) ? from->value : NULL;

    *(struct config_client_tls *)to = (struct config_client_tls){
        .enabled = files ||
                   (json_kind(from->value) == JSON_BOOLEAN && json_object_get_boolean(from->value)),
        .ca_file = place(reading, json_find_str(files, "ca_file"), false),
        .cert_file = place(reading, json_find_str(files, "cert_file"), false),
        .key_file = place(reading, json_find_str(files, "key_file"), false),
    };
}

/* An object as JSON text; "": it is none. */
static void read_object(const struct config_reading *reading, const struct setting *from, void *to)
{
    *(const char **)to =
        json_is_object(from->value) ? json_text(reading->arena, from->value).ptr : "";
}

static void read_strings(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct config_strings *strings = to;
    const char **list;

    if (!json_is_array(from->value))
        return;
    list = arena_alloc(reading->arena, (json_count(from->value) + 1) * sizeof(*list));
    for (size_t i = 0; i < json_count(from->value); i++) {
        struct setting element = settings_at(reading->settings, from, i);

        read_text(reading, &element, &list[i]);
    }
    strings->list = list;
    strings->count = json_count(from->value);
}

/* A list within a list, for which there is no table. */
static void read_outputs(const struct config_reading *reading, const struct setting *from, void *to)
{
    struct config_outputs *outputs = to;
    size_t count = json_is_array(from->value) ? json_count(from->value) : 0;
    struct config_output *list = arena_alloc(reading->arena, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        struct setting element = settings_at(reading->settings, from, i);
        struct setting transform = settings_get(reading->settings, &element, "transform");
        struct setting sinks = settings_get(reading->settings, &element, "sinks");

        read_path(reading, &transform, &list[i].transform);
        read_strings(reading, &sinks, &list[i].sinks);
    }
    *outputs = (struct config_outputs){ list, count };
}

static const struct config_key config_keys[] = {
    KEY(config, http.listen, read_address),
    KEY(config, http.metrics_listen, read_address),
    KEY(config, http.threads, read_count),
    KEY(config, http.max_connections, read_count),
    KEY(config, http.max_connections_per_address, read_count),
    KEY(config, http.max_body, read_size),
    KEY(config, http.max_batch, read_count),
    KEY(config, http.max_in_flight, read_count),
    KEY(config, http.max_inflight_bytes, read_size),
    KEY_TIME(config, http.deadline),
    KEY_TIME(config, http.idle_timeout),
    KEY(config, http.max_head, read_size),
    KEY_TIME(config, http.drain_delay),
    KEY(config, http.rate_limit, read_count),
    KEY(config, http.respond, read_choice),
    KEY(config, http.batch_response, read_choice),
    KEY(config, http.lambda_sources, read_flag),
    KEY(config, http.trusted_proxies, read_strings),
    KEY(config, http.proxy_protocol, read_flag),
    KEY(config, http.accept_unsafe_library, read_flag),
    KEY(config, http.tls.cert_file, read_path),
    KEY(config, http.tls.key_file, read_path),
    KEY(config, auth.open, read_flag),
    KEY(config, auth.bearer.issuer, read_text),
    KEY(config, auth.bearer.audience, read_text),
    KEY(config, auth.bearer.jwks_url, read_text),
    KEY(config, auth.bearer.jwks_file, read_path),
    KEY(config, auth.bearer.client_ids, read_strings),
    KEY(config, auth.bearer.scopes, read_strings),
    KEY(config, admin.listen, read_address),
    KEY(config, admin.hosts, read_strings),
    KEY(config, aws.region, read_text),
    KEY(config, aws.profile, read_text),
    KEY(config, aws.endpoint_url, read_text),
    KEY(config, registry.kind, read_choice),
    KEY(config, registry.dir, read_path),
    KEY_TIME(config, registry.refresh),
    KEY(config, registry.cache_dir, read_path),
    KEY(config, registry.guard, read_choice),
    KEY(config, registry.guard_samples, read_count),
    KEY(config, registry.pin, read_pairs),
    KEY(config, status_map, read_choice),
    KEY(config, validation.assert_formats, read_flag),
    KEY(config, validation.max_errors, read_count),
    KEY(config, validation.redact_values, read_flag),
    KEY_TIME(config, validation.budget),
    KEY(config, store.path, read_path),
    KEY(config, store.max_size, read_size),
    KEY(config, store.dead_max_size, read_size),
    KEY_TIME(config, store.history),
    KEY(config, store.history_max_size, read_size),
    KEY_TIME(config, store.dedup_window),
    KEY(config, store.dedup_max_rows, read_count),
    KEY(config, store.replays, read_choice),
    KEY(config, store.quarantine.enabled, read_flag),
    KEY_TIME(config, store.quarantine.keep),
    KEY(config, store.quarantine.max_rows, read_count),
    KEY(config, store.quarantine.max_size, read_size),
    KEY(config, log.level, read_choice),
    KEY(config, log.format, read_choice),
    KEY(config, log.client_address, read_flag),
    KEY(config, tracing.endpoint, read_text),
    KEY(config, tracing.headers, read_pairs),
    KEY(config, tracing.secret_headers, read_path_pairs),
    KEY(config, tracing.ca_file, read_path),
    KEY(config, tracing.sample, read_share),
    KEY(config, tracing.service_name, read_text),
};

static const struct config_key api_key_keys[] = {
    KEY(config_api_key, header, read_text),
    SECRET(config_api_key, "value", value_file),
};

static const struct config_key basic_keys[] = {
    KEY(config_basic, user, read_text),
    SECRET(config_basic, "password", password_file),
};

static const struct config_key route_keys[] = {
    KEY(config_route, name, read_route_name),  KEY(config_route, match, read_object),
    KEY(config_route, pattern, read_object),   KEY(config_route, registry, read_text),
    KEY(config_route, schema, read_text),      KEY(config_route, payload, read_text),
    KEY(config_route, id, read_text),          KEY(config_route, transform, read_path),
    KEY(config_route, sinks, read_strings),    KEY(config_route, outputs, read_outputs),
    KEY(config_route, drop, read_flag),        KEY(config_route, shadow.version, read_version),
    KEY(config_route, shadow.file, read_path),
};

static const struct config_key sink_keys[] = {
    KEY(config_sink, name, read_text),
    KEY(config_sink, kind, read_choice),
    KEY(config_sink, start, read_choice),
    KEY(config_sink, path, read_path),
    KEY(config_sink, rotate_size, read_size),
    KEY_TIME(config_sink, rotate_every),
    KEY(config_sink, url, read_text),
    KEY(config_sink, headers, read_pairs),
    KEY(config_sink, secret_headers, read_path_pairs),
    KEY(config_sink, ca_file, read_path),
    KEY(config_sink, cert_file, read_path),
    KEY(config_sink, key_file, read_path),
    KEY(config_sink, compression, read_choice),
    SECRET(config_sink, "sign.secret", sign.secret_file),
    KEY(config_sink, oauth.token_url, read_text),
    KEY(config_sink, oauth.client_id, read_text),
    SECRET(config_sink, "oauth.client_secret", oauth.client_secret_file),
    KEY(config_sink, oauth.scope, read_text),
    KEY(config_sink, brokers, read_strings),
    KEY(config_sink, topic, read_text),
    KEY(config_sink, max_message, read_size),
    KEY(config_sink, tls, read_client_tls),
    KEY(config_sink, sasl.mechanism, read_choice),
    KEY(config_sink, sasl.user, read_text),
    SECRET(config_sink, "sasl.password", sasl.password_file),
    /* AWS: */
    KEY(config_sink, stream, read_text),
    KEY(config_sink, partition_key, read_text),
    KEY(config_sink, max_record, read_size),
    KEY(config_sink, glue_header, read_flag),
    KEY(config_sink, newline, read_kind_flag),
    KEY(config_sink, queue_url, read_text),
    KEY(config_sink, group_id, read_text),
    KEY(config_sink, deduplication, read_choice),
    KEY(config_sink, attributes, read_pairs),
    KEY(config_sink, bucket, read_text),
    KEY(config_sink, prefix, read_text),
    KEY(config_sink, time, read_text),
    KEY(config_sink, max_bytes, read_size),
    KEY_TIME(config_sink, max_age),
    KEY(config_sink, path_style, read_flag),
    KEY(config_sink, checksum, read_choice),
    KEY(config_sink, topic_arn, read_text),
    KEY(config_sink, delivery_stream, read_text),
    KEY(config_sink, bus, read_text),
    KEY(config_sink, source, read_text),
    KEY(config_sink, detail_type, read_text),
    KEY(config_sink, table, read_text),
    KEY(config_sink, mode, read_mode),
    KEY(config_sink, hash_key, read_pairs),
    KEY(config_sink, range_key, read_pairs),
    KEY(config_sink, as, read_choice),
    KEY(config_sink, document, read_text),
    KEY(config_sink, ttl.name, read_text),
    KEY_TIME(config_sink, ttl.after),
    KEY(config_sink, region, read_text),
    KEY(config_sink, endpoint_url, read_text),
    KEY(config_sink, profile, read_text),
    KEY(config_sink, role_arn, read_text),
    /* All: */
    KEY(config_sink, key, read_text),
    KEY(config_sink, in_flight, read_count),
    KEY(config_sink, batch, read_count),
    KEY_TIME(config_sink, timeout),
    KEY(config_sink, ordered, read_order),
    KEY_TIME(config_sink, linger),
    KEY(config_sink, rate, read_count),
    KEY(config_sink, max_attempts, read_count),
    KEY_TIME(config_sink, max_backoff),
};

/* The whole configuration first, then the lists. */
static const struct config_table tables[] = {
    { "", config_keys, COUNT_OF(config_keys), sizeof(struct config), 0, 0 },
    LIST("auth.api_keys", api_key_keys, config_api_key, auth.api_keys, auth.api_key_count),
    LIST("auth.basic", basic_keys, config_basic, auth.basic, auth.basic_count),
    LIST("admin.api_keys", api_key_keys, config_api_key, admin.api_keys, admin.api_key_count),
    LIST("admin.basic", basic_keys, config_basic, admin.basic, admin.basic_count),
    LIST("routes", route_keys, config_route, routes, route_count),
    LIST("sinks", sink_keys, config_sink, sinks, sink_count),
};

size_t config_table_count(void)
{
    return COUNT_OF(tables);
}

const struct config_table *config_table(size_t index)
{
    return &tables[index];
}

static void read_keys(const struct config_reading *reading, const struct setting *object,
                      const struct config_table *table, char *to)
{
    for (size_t i = 0; i < table->count; i++) {
        struct setting from = settings_get(reading->settings, object, table->keys[i].path);

        table->keys[i].read(reading, &from, to + table->keys[i].offset);
    }
}

static void read_list(const struct config_reading *reading, const struct setting *array,
                      const struct config_table *table, char *config)
{
    size_t count = json_is_array(array->value) ? json_count(array->value) : 0;
    char *list = arena_alloc(reading->arena, (count + 1) * table->size);

    for (size_t i = 0; i < count; i++) {
        struct setting element = settings_at(reading->settings, array, i);
        const char *file = settings_place(reading->settings, element.pointer).file;
        struct config_reading own = *reading; /* an included file names its own files */

        own.folder = settings_folder(file ? file : "");
        read_keys(&own, &element, table, list + i * table->size);
    }
    memcpy(config + table->list_offset, &list,
           sizeof(list)); /* all pointers to structs have the same representation */
    memcpy(config + table->count_offset, &count, sizeof(count));
}

void config_read(struct settings *settings, struct config *config)
{
    struct config_reading reading = { settings, config->arena, settings_folder(config->file) };
    struct setting root = settings_root(settings);

    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        struct setting place = settings_get(settings, &root, tables[i].path);

        if (*tables[i].path)
            read_list(&reading, &place, &tables[i], (char *)config);
        else
            read_keys(&reading, &place, &tables[i], (char *)config);
    }
}
