/*
 * kafka_producer.c - see kafka_producer.h.
 *
 * The settings that keep the promise: acks=all and enable.idempotence, so that a repeated request
 * is recognised by the broker and the order of a partition holds; message.timeout.ms=0, because
 * a message that was given up and is produced again has a new number, and can be written twice.
 */
#include "delivery/sinks/kafka_producer.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>

#include "aws/msk_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    TEXT_SIZE = 512,
    NUMBER_SIZE = 24,
    OVERHEAD = 70, /* of a message in its set: lengths, offsets, and the set's own head */
    SYSLOG_CRITICAL = 2,
    FIELDS = 6,               /* of a message */
    LOOK_MS = 500,            /* for one answer about the topic */
    TOKEN_US = 10 * US_PER_S, /* for getting one, and between two that are refused */
};

#define TRACE_HEADER "traceparent"

struct kafka_producer {
    const struct kafka_producer_options *options;
    struct kafka_listener listener;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct buf value;              /* of the message that is handed over */
    _Atomic uint64_t token_number; /* of the credentials of the last token; 0: none */
    int64_t next_token_us;
};

/* What an error means for the record. All others pass: try later. */
static const struct {
    rd_kafka_resp_err_t code;
    enum sink_result result;
} meanings[] = {
    { RD_KAFKA_RESP_ERR_NO_ERROR, SINK_DELIVERED },
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SINK_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_MSG, SINK_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, SINK_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_RECORD, SINK_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, SINK_REFUSED },
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__SSL, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_SECURITY_DISABLED, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, SINK_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, SINK_MISCONFIGURED },
};

static enum sink_result meaning_of(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (meanings[i].code == code)
            return meanings[i].result;
    return SINK_POSTPONED;
}

/* Tokens for Amazon MSK. */

static bool set_token(struct kafka_producer *producer, rd_kafka_t *client,
                      const struct aws_msk_token *token, struct error *err)
{
    char text[TEXT_SIZE];

    if (rd_kafka_oauthbearer_set_token(client, token->text.ptr, token->expires_us / US_PER_MS,
                                       "sluice", NULL, 0, text,
                                       sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(err, ERR_INTERNAL, "%s", text);
    atomic_store(&producer->token_number, token->number);
    return true;
}

/* Runs on a thread of the library, so that an idle producer stays logged in. */
static void on_token_wanted(rd_kafka_t *client, const char *config, void *self)
{
    struct kafka_producer *producer = self;
    struct arena *arena = arena_create();
    const struct aws_msk_options options = {
        .region = producer->options->region,
        .deadline_us = clock_monotonic_us() + TOKEN_US,
    };
    struct aws_msk_token token = { 0 };
    struct error err;

    (void)config;
    if (!aws_msk_token(producer->options->session, &options, arena, &token, &err) ||
        !set_token(producer, client, &token, &err))
        (void)rd_kafka_oauthbearer_set_token_failure(client, err.text);
    secret_wipe((void *)token.text.ptr, token.text.len);
    arena_destroy(arena);
}

/* The broker refuses the token: its credentials may have been replaced. Not too often. */
static void replace_token(struct kafka_producer *producer)
{
    const struct aws_msk_token refused = { .number = atomic_load(&producer->token_number) };

    if (!producer->options->session || refused.number == 0 ||
        clock_monotonic_us() < producer->next_token_us)
        return;
    aws_msk_token_reject(producer->options->session, &refused);
    on_token_wanted(producer->client, NULL, producer);
    producer->next_token_us = clock_monotonic_us() + TOKEN_US;
}

/* The callbacks. on_delivery_report() and on_error() run in kafka_producer_poll(). */

static void on_delivery_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *self)
{
    const struct kafka_producer *producer = self;
    enum sink_result result = meaning_of(message->err);

    (void)client;
    producer->listener.report(producer->listener.self, (int64_t)(intptr_t)message->_private, result,
                              result == SINK_DELIVERED ? NULL : rd_kafka_err2str(message->err));
}

/* Before version 2.6.1 the library sends a wrong nonce, which Kafka accepts up to version 3.9. */
static bool is_scram_limited(const struct kafka_producer *producer, int code)
{
    enum { VERSION_2_6_1 = 0x020601ff };

    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION && rd_kafka_version() < VERSION_2_6_1 &&
           str_starts_with(str_from_c(producer->options->mechanism), STR("SCRAM"));
}

static void on_error(rd_kafka_t *client, int code, const char *text, void *self)
{
    struct kafka_producer *producer = self;
    char full[TEXT_SIZE];

    (void)client;
    if (code == RD_KAFKA_RESP_ERR__FATAL) /* kafka_producer_is_dead() returns that one */
        return;
    (void)snprintf(full, sizeof(full), "%s%s%s", text,
                   is_scram_limited(producer, code)
                       ? "; SCRAM of Kafka 4 needs librdkafka 2.6.1, this is "
                       : "",
                   is_scram_limited(producer, code) ? rd_kafka_version_str() : "");
    producer->listener.trouble(producer->listener.self, meaning_of(code), full);
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        replace_token(producer);
}

/*
 * Runs on any thread. Lost connections are normal, and the pump logs a failure that lasts: the
 * library's lines are for a search with log.level debug.
 */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    const struct kafka_producer *producer = client ? rd_kafka_opaque(client) : NULL;

    LOG_EVENT(level <= SYSLOG_CRITICAL ? LOG_WARN : LOG_DEBUG, "kafka",
              LOG_STR("sink", str_from_c(producer ? producer->options->sink : NULL)),
              LOG_STR("facility", str_from_c(facility)), LOG_STR("text", str_from_c(text)));
}

/* The configuration. */

struct setting {
    const char *key;
    const char *value;
};

static bool apply(rd_kafka_conf_t *conf, const struct setting *settings, size_t count,
                  struct error *err)
{
    char text[TEXT_SIZE];

    for (size_t i = 0; i < count; i++)
        if (*settings[i].value && rd_kafka_conf_set(conf, settings[i].key, settings[i].value, text,
                                                    sizeof(text)) != RD_KAFKA_CONF_OK)
            return fail(err, ERR_CONFIG, "%s", text);
    return true;
}

static bool configure_delivery(const struct kafka_producer_options *options, rd_kafka_conf_t *conf,
                               struct error *err)
{
    char max_message[NUMBER_SIZE];
    char timeout[NUMBER_SIZE];

    (void)snprintf(max_message, sizeof(max_message), "%zu", options->max_message);
    (void)snprintf(timeout, sizeof(timeout), "%lld", (long long)(options->timeout_us / US_PER_MS));

    const struct setting settings[] = {
        { "bootstrap.servers", options->brokers },
        { "client.id", "sluice" },
        { "acks", "all" },
        { "enable.idempotence", "true" },
        { "message.timeout.ms", timeout },
        { "linger.ms", options->is_prompt ? "0" : "5" },
        { "reconnect.backoff.max.ms", options->is_prompt ? "1000" : "10000" },
        { "compression.codec", options->compression },
        { "message.max.bytes", max_message },
        { "queue.buffering.max.kbytes", "65536" },
        { "partitioner", "murmur2_random" },
        { "allow.auto.create.topics", "false" },
        { "topic.metadata.propagation.max.ms", "4000" }, /* then a topic is unknown */
        { "statistics.interval.ms", "0" },
        { "log.connection.close", "false" },
        { "socket.keepalive.enable", "true" },
    };

    return apply(conf, settings, COUNT_OF(settings), err);
}

static bool configure_security(const struct kafka_producer_options *options, rd_kafka_conf_t *conf,
                               struct error *err)
{
    static const char *const protocols[2][2] = { { "plaintext", "ssl" },
                                                 { "sasl_plaintext", "sasl_ssl" } };
    const struct setting settings[] = {
        { "security.protocol", protocols[*options->mechanism != '\0'][options->tls] },
        { "ssl.endpoint.identification.algorithm", options->tls ? "https" : "" },
        { "ssl.ca.location", options->ca_file },
        { "ssl.certificate.location", options->cert_file },
        { "ssl.key.location", options->key_file },
        { "sasl.mechanism", options->mechanism },
        { "sasl.username", options->user },
    };

    return apply(conf, settings, COUNT_OF(settings), err);
}

static bool configure_password(const struct kafka_producer_options *options, rd_kafka_conf_t *conf,
                               struct error *err)
{
    struct str password;
    bool ok;

    if (!*options->password_file)
        return true;
    if (!secret_read_file(options->password_file, &password, err))
        return false;
    ok = apply(conf, &(struct setting){ "sasl.password", password.ptr }, 1, err);
    secret_free(password);
    return ok;
}

static bool have_token_thread(rd_kafka_t *client, struct error *err)
{
    rd_kafka_error_t *error = rd_kafka_sasl_background_callbacks_enable(client);

    if (!error)
        return true;
    (void)fail(err, ERR_INTERNAL, "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

/* Takes `conf`. */
static bool start(struct kafka_producer *producer, rd_kafka_conf_t *conf, struct error *err)
{
    char text[TEXT_SIZE];

    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (producer->options->session) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
        rd_kafka_conf_enable_sasl_queue(conf, 1);
    }
    producer->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!producer->client) {
        rd_kafka_conf_destroy(conf);
        return fail(err, ERR_CONFIG, "%s", text);
    }
    if (producer->options->session && !have_token_thread(producer->client, err))
        return false;
    producer->topic = rd_kafka_topic_new(producer->client, producer->options->topic, NULL);
    if (!producer->topic)
        return fail(err, ERR_CONFIG, "%s", rd_kafka_err2str(rd_kafka_last_error()));
    return true;
}

bool kafka_producer_create(const struct kafka_producer_options *options,
                           const struct kafka_listener *listener, struct kafka_producer **out,
                           struct error *err)
{
    rd_kafka_conf_t *conf = mem_check(rd_kafka_conf_new());
    struct kafka_producer *producer;

    if (!configure_delivery(options, conf, err) || !configure_security(options, conf, err) ||
        !configure_password(options, conf, err)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    producer = mem_alloc(sizeof(*producer));
    producer->options = options;
    producer->listener = *listener;
    buf_init(&producer->value, SIZE_MAX);
    if (!start(producer, conf, err)) {
        kafka_producer_destroy(producer);
        return false;
    }
    *out = producer;
    return true;
}

void kafka_producer_destroy(struct kafka_producer *producer)
{
    if (!producer)
        return;
    if (producer->topic)
        rd_kafka_topic_destroy(producer->topic);
    if (producer->client)
        rd_kafka_destroy(producer->client);
    buf_done(&producer->value);
    mem_free(producer);
}

/* The value of the header of its trace; ptr NULL: none, or the configuration has another one. */
static struct str trace_of(const struct kafka_producer_options *options,
                           const struct sink_record *record)
{
    for (size_t i = 0; i < options->header_count; i++)
        if (str_equal(str_from_c(options->headers[i].name), STR(TRACE_HEADER)))
            return STR_NONE;
    return record->origin.traceparent.len > 0 ? record->origin.traceparent : STR_NONE;
}

size_t kafka_producer_cost(const struct kafka_producer_options *options,
                           const struct sink_record *record)
{
    struct str trace = trace_of(options, record);
    size_t bytes =
        OVERHEAD + record->head.len + record->bytes.len + record->order_key.len + record->key.len;

    for (size_t i = 0; i < options->header_count; i++)
        bytes += strlen(options->headers[i].name) + strlen(options->headers[i].value);
    if (trace.ptr)
        bytes += strlen(TRACE_HEADER) + trace.len;
    return bytes;
}

static rd_kafka_headers_t *headers_of(const struct kafka_producer_options *options,
                                      const struct sink_record *record)
{
    rd_kafka_headers_t *headers = mem_check(rd_kafka_headers_new(options->header_count + 2));
    struct str trace = trace_of(options, record);

    (void)rd_kafka_header_add(headers, "sluice-key", -1, record->key.ptr, (ssize_t)record->key.len);
    for (size_t i = 0; i < options->header_count; i++)
        (void)rd_kafka_header_add(headers, options->headers[i].name, -1, options->headers[i].value,
                                  -1);
    if (trace.ptr)
        (void)rd_kafka_header_add(headers, TRACE_HEADER, -1, trace.ptr, (ssize_t)trace.len);
    return headers;
}

/* The head and the record as one. Valid until the next call. */
static struct str value_of(struct kafka_producer *producer, const struct sink_record *record)
{
    if (record->head.len == 0)
        return record->bytes;
    buf_clear(&producer->value);
    buf_add(&producer->value, record->head);
    buf_add(&producer->value, record->bytes);
    return buf_str(&producer->value);
}

static rd_kafka_resp_err_t produce(struct kafka_producer *producer,
                                   const struct sink_record *record)
{
    rd_kafka_headers_t *headers = headers_of(producer->options, record);
    struct str value = value_of(producer, record);
    void *opaque = (void *)(intptr_t)record->sequence; /* NOLINT(performance-no-int-to-ptr) */
    const rd_kafka_vu_t fields[FIELDS] = {
        { .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topic },
        { .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
        { .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)value.ptr, value.len } },
        { .vtype = RD_KAFKA_VTYPE_KEY,
          .u.mem = { (void *)record->order_key.ptr, record->order_key.len } },
        { .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers },
        { .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque },
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client, fields, FIELDS);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);

    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR; /* the message owns the headers */
    rd_kafka_headers_destroy(headers);
    rd_kafka_error_destroy(error);
    return code;
}

enum sink_result kafka_producer_send(struct kafka_producer *producer,
                                     const struct sink_record *record, const char **reason)
{
    rd_kafka_resp_err_t code;

    if (kafka_producer_cost(producer->options, record) > producer->options->max_message) {
        *reason = "the record with its key and headers is longer than max_message";
        return SINK_IMPOSSIBLE;
    }
    code = produce(producer, record);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return SINK_UNDER_WAY;
    *reason = rd_kafka_err2str(code);
    return meaning_of(code);
}

void kafka_producer_poll(struct kafka_producer *producer, int64_t timeout_us)
{
    (void)rd_kafka_poll(producer->client, (int)(timeout_us / US_PER_MS));
}

bool kafka_producer_is_dead(const struct kafka_producer *producer, enum sink_result *result,
                            struct error *err)
{
    char text[TEXT_SIZE];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(producer->client, text, sizeof(text));

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    *result = meaning_of(code);
    (void)fail(err, ERR_UNREACHABLE, "%s", text);
    return true;
}

/* A look at the topic. */

static void ignore_report(void *self, int64_t sequence, enum sink_result result, const char *reason)
{
    (void)self;
    (void)sequence;
    (void)result;
    (void)reason;
}

/* The first one says most; but what is wrong with the settings explains all others. */
static void keep_trouble(void *self, enum sink_result result, const char *text)
{
    struct error *trouble = self;
    bool is_wrong = result == SINK_MISCONFIGURED;

    if (!*trouble->text || (is_wrong && trouble->code != ERR_CONFIG))
        (void)fail(trouble, is_wrong ? ERR_CONFIG : ERR_UNREACHABLE, "%s", text);
}

static bool judge_topic(const struct rd_kafka_metadata *found, size_t *partitions,
                        struct error *err)
{
    rd_kafka_resp_err_t code =
        found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;

    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return fail(err, ERR_CONFIG, "the brokers have no such topic");
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return fail(err, ERR_CONFIG,
                    "the login has no right to describe it (Describe; at Amazon MSK "
                    "kafka-cluster:DescribeTopic)");
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(err, meaning_of(code) == SINK_MISCONFIGURED ? ERR_CONFIG : ERR_UNREACHABLE,
                    "%s", rd_kafka_err2str(code));
    *partitions = (size_t)found->topics[0].partition_cnt;
    return true;
}

/* The library connects again and again: a login that is refused ends the look. */
static bool ask_brokers(struct kafka_producer *producer, const struct error *trouble,
                        int64_t until_us, const struct rd_kafka_metadata **out)
{
    rd_kafka_resp_err_t code;

    do {
        code = rd_kafka_metadata(producer->client, 0, producer->topic, out, LOOK_MS);
        kafka_producer_poll(producer, 0);
    } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && trouble->code != ERR_CONFIG &&
             clock_monotonic_us() < until_us);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool kafka_producer_look(const struct kafka_producer_options *options, int64_t timeout_us,
                         size_t *partitions, struct error *err)
{
    struct error trouble = { 0 };
    const struct kafka_listener listener = { ignore_report, keep_trouble, &trouble };
    const struct rd_kafka_metadata *found = NULL;
    struct kafka_producer *producer;
    bool ok;

    if (!kafka_producer_create(options, &listener, &producer, err))
        return false;
    if (ask_brokers(producer, &trouble, clock_monotonic_us() + timeout_us, &found)) {
        ok = judge_topic(found, partitions, err);
        rd_kafka_metadata_destroy(found);
    } else {
        ok = fail(err, trouble.code ? trouble.code : ERR_UNREACHABLE, "%s",
                  *trouble.text ? trouble.text : "no broker answers");
    }
    kafka_producer_destroy(producer);
    return ok;
}
