/*
 * sink_kinds.c - see sink_kinds.h.
 */
#include "server/sink_kinds.h"

#include "base/clock.h"
#include "delivery/sinks/dynamodb.h"
#include "delivery/sinks/eventbridge.h"
#include "delivery/sinks/file.h"
#include "delivery/sinks/firehose.h"
#include "delivery/sinks/glue_framed.h"
#include "delivery/sinks/http.h"
#include "delivery/sinks/kafka.h"
#include "delivery/sinks/kinesis.h"
#include "delivery/sinks/s3.h"
#include "delivery/sinks/sns.h"
#include "delivery/sinks/sqs.h"
#include "server/glue_ids.h"

enum { HTTP_IN_FLIGHT = 4 };

static const char *copy(const struct sink_maker *maker, const char *text)
{
    return arena_copy(maker->arena, str_from_c(text)).ptr;
}

static bool make_file(const struct sink_maker *maker, const struct config_sink *config,
                      struct sink *out, struct error *err)
{
    (void)err;
    *out = sink_file(&(struct sink_file_options){
        .name = copy(maker, config->name),
        .path = copy(maker, config->path),
        .taken = maker->taken.list,
        .taken_count = maker->taken.count,
        .mode = config->mode.permissions,
        .rotate_size = config->rotate_size,
        .rotate_every_us = config->rotate_every_us,
        .batch = (size_t)config->batch,
    });
    return true;
}

static bool make_http(const struct sink_maker *maker, const struct config_sink *config,
                      struct sink *out, struct error *err)
{
    const struct config_pairs *plain = &config->headers;
    const struct config_pairs *secret = &config->secret_headers;
    size_t count = plain->count + secret->count;
    struct sink_http_header *headers = arena_alloc(maker->arena, (count + 1) * sizeof(*headers));

    (void)err;
    for (size_t i = 0; i < plain->count; i++)
        headers[i] = (struct sink_http_header){ .name = copy(maker, plain->list[i].key),
                                                .value = copy(maker, plain->list[i].value) };
    for (size_t i = 0; i < secret->count; i++)
        headers[plain->count + i] =
            (struct sink_http_header){ .name = copy(maker, secret->list[i].key),
                                       .file = copy(maker, secret->list[i].value) };
    *out = sink_http(&(struct sink_http_options){
        .url = copy(maker, config->url),
        .headers = headers,
        .header_count = count,
        .batch = config->batch > 0 ? (size_t)config->batch : 1,
        .timeout_us = config->timeout_us,
        .ca_file = copy(maker, config->ca_file),
        .in_flight = config->in_flight > 0 ? (size_t)config->in_flight : HTTP_IN_FLIGHT,
        .gzip = config->compression == CONFIG_COMPRESSION_GZIP,
        .cert_file = copy(maker, config->cert_file),
        .key_file = copy(maker, config->key_file),
        .sign_file = copy(maker, config->sign.secret_file),
        .oauth = { .token_url = copy(maker, config->oauth.token_url),
                   .client_id = copy(maker, config->oauth.client_id),
                   .client_secret_file = copy(maker, config->oauth.client_secret_file),
                   .scope = copy(maker, config->oauth.scope) },
    });
    return true;
}

static struct str join(struct arena *arena, struct config_strings list)
{
    struct buf *text = arena_buf(arena, SIZE_MAX);

    for (size_t i = 0; i < list.count; i++)
        buf_printf(text, "%s%s", i > 0 ? "," : "", list.list[i]);
    buf_add_char(text, '\0');
    return buf_str(text);
}

/* The configured headers, and content-type unless it is one of them. */
static void make_kafka_headers(const struct sink_maker *maker, const struct config_pairs *pairs,
                               struct kafka_producer_options *out)
{
    struct kafka_header *headers = arena_alloc(maker->arena, (pairs->count + 1) * sizeof(*headers));
    bool has_type = false;

    for (size_t i = 0; i < pairs->count; i++) {
        const struct config_pair *pair = &pairs->list[i];

        headers[out->header_count++] =
            (struct kafka_header){ copy(maker, pair->key), copy(maker, pair->value) };
        has_type = has_type || str_equal(str_from_c(pair->key), STR("content-type"));
    }
    if (!has_type)
        headers[out->header_count++] = (struct kafka_header){ "content-type", "application/json" };
    out->headers = headers;
}

/* What the kinds of AWS have in common. */
static bool make_entries(const struct sink_maker *maker, const struct config_sink *config,
                         struct entries_options *out, struct error *err)
{
    const struct aws_session_options session =
        sink_session_options(config, maker->aws, maker->arena);

    *out = (struct entries_options){
        .region = session.region,
        .endpoint_url = copy(maker, config->endpoint_url),
        .in_flight = (size_t)config->in_flight,
        .batch = (size_t)config->batch,
        .timeout_us = config->timeout_us,
        .ordered = config->ordered == BACKLOG_STRICT,
    };
    return sink_sessions_get(maker->sessions, &session, maker->arena, &out->session, err);
}

bool sink_make_kafka(const struct sink_maker *maker, const struct config_sink *config,
                     struct kafka_producer_options *out, struct error *err)
{
    static const char *const compressions[] = { "none", "gzip", "lz4", "zstd" };
    static const char *const mechanisms[] = { "", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512",
                                              "OAUTHBEARER" };
    struct entries_options aws;

    *out = (struct kafka_producer_options){
        .sink = copy(maker, config->name),
        .brokers = join(maker->arena, config->brokers).ptr,
        .topic = copy(maker, config->topic),
        .compression = compressions[config->compression],
        .max_message = config->max_message,
        .timeout_us = maker->is_awaited ? config->timeout_us : 0,
        .is_prompt = maker->is_awaited || config->ordered == BACKLOG_STRICT,
        .tls = config->tls.enabled,
        .ca_file = copy(maker, config->tls.ca_file),
        .cert_file = copy(maker, config->tls.cert_file),
        .key_file = copy(maker, config->tls.key_file),
        .mechanism = mechanisms[config->sasl.mechanism],
        .user = copy(maker, config->sasl.user),
        .password_file = copy(maker, config->sasl.password_file),
    };
    make_kafka_headers(maker, &config->headers, out);
    if (config->sasl.mechanism != CONFIG_SASL_MSK_IAM)
        return true;
    if (!make_entries(maker, config, &aws, err))
        return false;
    out->session = aws.session;
    out->region = aws.region;
    return true;
}

static bool make_kafka(const struct sink_maker *maker, const struct config_sink *config,
                       struct sink *out, struct error *err)
{
    enum { BATCH = 10000, ORDERED_BATCH = 1000 };
    size_t most = config->ordered == BACKLOG_STRICT ? ORDERED_BATCH : BATCH;
    struct sink_kafka_options options = {
        .batch = config->batch > 0 ? (size_t)config->batch : most,
        .forget_after_us = 2 * config->max_backoff_us + US_PER_MINUTE,
    };

    if (!sink_make_kafka(maker, config, &options.producer, err))
        return false;
    *out = sink_kafka(&options);
    return true;
}

static bool make_kinesis(const struct sink_maker *maker, const struct config_sink *config,
                         struct sink *out, struct error *err)
{
    struct sink_kinesis_options options = {
        .stream = copy(maker, config->stream),
        .partition_key = copy(maker, config->partition_key),
        .max_record = config->max_record,
        .newline = config->newline == CONFIG_CHOICE_YES,
    };

    return make_entries(maker, config, &options.entries, err) && sink_kinesis(&options, out, err);
}

static struct messages_options messages_of(const struct sink_maker *maker,
                                           const struct config_sink *config, const char *target)
{
    const struct config_pairs *pairs = &config->attributes;
    struct messages_attribute *attributes =
        arena_alloc(maker->arena, (pairs->count + 1) * sizeof(*attributes));

    for (size_t i = 0; i < pairs->count; i++)
        attributes[i] = (struct messages_attribute){ copy(maker, pairs->list[i].key),
                                                     copy(maker, pairs->list[i].value) };
    return (struct messages_options){
        .target = copy(maker, target),
        .group_id = copy(maker, config->group_id),
        .is_fifo = str_ends_with(str_from_c(target), STR(".fifo")),
        .by_content = config->deduplication == CONFIG_DEDUPLICATION_CONTENT,
        .attributes = attributes,
        .attribute_count = pairs->count,
    };
}

static bool make_sqs(const struct sink_maker *maker, const struct config_sink *config,
                     struct sink *out, struct error *err)
{
    const struct messages_options options = messages_of(maker, config, config->queue_url);
    struct entries_options entries;

    return make_entries(maker, config, &entries, err) && sink_sqs(&entries, &options, out, err);
}

static bool make_sns(const struct sink_maker *maker, const struct config_sink *config,
                     struct sink *out, struct error *err)
{
    const struct messages_options options = messages_of(maker, config, config->topic_arn);
    struct entries_options entries;

    return make_entries(maker, config, &entries, err) && sink_sns(&entries, &options, out, err);
}

static bool make_s3(const struct sink_maker *maker, const struct config_sink *config,
                    struct sink *out, struct error *err)
{
    static const enum compress_format formats[] = {
        [CONFIG_COMPRESSION_NONE] = COMPRESS_NONE,
        [CONFIG_COMPRESSION_GZIP] = COMPRESS_GZIP,
        [CONFIG_COMPRESSION_LZ4] = COMPRESS_NONE, /* refused by the schema */
        [CONFIG_COMPRESSION_ZSTD] = COMPRESS_ZSTD,
    };
    struct entries_options common;

    return make_entries(maker, config, &common, err) &&
           sink_s3(
               &(struct sink_s3_options){
                   .name = copy(maker, config->name),
                   .session = common.session,
                   .region = common.region,
                   .endpoint_url = common.endpoint_url,
                   .bucket = copy(maker, config->bucket),
                   .prefix = copy(maker, config->prefix),
                   .time = copy(maker, config->time),
                   .compression = formats[config->compression],
                   .max_bytes = (size_t)config->max_bytes,
                   .batch = common.batch,
                   .in_flight = common.in_flight,
                   .timeout_us = common.timeout_us,
                   .path_style = config->path_style,
                   .checksum = config->checksum == CONFIG_CHECKSUM_CRC32C,
               },
               out, err);
}

static bool make_firehose(const struct sink_maker *maker, const struct config_sink *config,
                          struct sink *out, struct error *err)
{
    struct sink_firehose_options options = {
        .delivery_stream = copy(maker, config->delivery_stream),
        .newline = config->newline != CONFIG_CHOICE_NO,
    };

    return make_entries(maker, config, &options.entries, err) && sink_firehose(&options, out, err);
}

static bool make_eventbridge(const struct sink_maker *maker, const struct config_sink *config,
                             struct sink *out, struct error *err)
{
    struct sink_eventbridge_options options = {
        .bus = copy(maker, config->bus),
        .source = copy(maker, config->source),
        .detail_type = copy(maker, config->detail_type),
        .time = copy(maker, config->time),
    };

    return make_entries(maker, config, &options.entries, err) &&
           sink_eventbridge(&options, out, err);
}

static struct dynamodb_key key_of(const struct sink_maker *maker, const struct config_pairs *pairs)
{
    if (pairs->count == 0)
        return (struct dynamodb_key){ "", "" };
    return (struct dynamodb_key){ copy(maker, pairs->list[0].key),
                                  copy(maker, pairs->list[0].value) };
}

static bool make_dynamodb(const struct sink_maker *maker, const struct config_sink *config,
                          struct sink *out, struct error *err)
{
    struct sink_dynamodb_options options = {
        .name = copy(maker, config->name),
        .table = copy(maker, config->table),
        .mode = config->mode.dynamodb,
        .item = { .hash = key_of(maker, &config->hash_key),
                  .range = key_of(maker, &config->range_key),
                  .as_attributes = config->as == CONFIG_DYNAMODB_ATTRIBUTES,
                  .document = copy(maker, config->document),
                  .ttl_name = copy(maker, config->ttl.name),
                  .ttl_after_us = config->ttl.after_us },
    };

    return make_entries(maker, config, &options.entries, err) && sink_dynamodb(&options, out, err);
}

typedef bool make_sink(const struct sink_maker *maker, const struct config_sink *config,
                       struct sink *out, struct error *err);

/* clang-format off: one kind a line */
static make_sink *const makers[] = {
    [CONFIG_SINK_FILE] = make_file,         [CONFIG_SINK_HTTP] = make_http,
    [CONFIG_SINK_KAFKA] = make_kafka,       [CONFIG_SINK_KINESIS] = make_kinesis,
    [CONFIG_SINK_SQS] = make_sqs,           [CONFIG_SINK_S3] = make_s3,
    [CONFIG_SINK_FIREHOSE] = make_firehose, [CONFIG_SINK_EVENTBRIDGE] = make_eventbridge,
    [CONFIG_SINK_DYNAMODB] = make_dynamodb, [CONFIG_SINK_SNS] = make_sns,
};
/* clang-format on */

static void destroy_ids(void *ids)
{
    glue_ids_destroy(ids);
}

/* Its ids are asked with the settings of the registry. */
static bool add_glue_header(const struct sink_maker *maker, struct sink *sink, struct error *err)
{
    const struct aws_session_options options = {
        .region = copy(maker, maker->aws->region),
        .profile = copy(maker, maker->aws->profile),
        .endpoint_url = copy(maker, maker->aws->endpoint_url),
        .role_arn = "",
    };
    struct aws_session *session;
    struct glue_ids *ids;
    struct schema_ids found;

    if (!sink_sessions_get(maker->sessions, &options, maker->arena, &session, err))
        return false;
    ids = glue_ids_create(session);
    arena_own(maker->arena, ids, destroy_ids);
    found = glue_ids_of(ids);
    *sink = sink_glue_framed(sink, &found);
    return true;
}

bool sink_make(const struct sink_maker *maker, const struct config_sink *config, struct sink *out,
               struct error *err)
{
    struct sink sink;
    bool ok = makers[config->kind](maker, config, &sink, err);

    if (ok && config->glue_header && !add_glue_header(maker, &sink, err)) {
        sink.destroy(sink.self);
        ok = false;
    }
    if (!ok)
        return fail_within(err, arena_printf(maker->arena, "sink %s", config->name).ptr);
    *out = sink;
    return true;
}
