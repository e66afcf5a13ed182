/*
 * test_kafka.c - the Kafka sink against librdkafka's mock cluster: what is produced, what errors
 * mean, and that no record is produced twice
 */
#include "delivery/sinks/kafka.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "tests/unit/aws_world.h"
#include "tests/unit/capture.h"
#include "tests/unit/folder.h"
#include "tests/unit/kafka_mock.h"
#include "tests/unit/test.h"

enum {
    READ_MAX = 64 * 1024 * 1024,
    MAX_MESSAGE = 1000000,
    BATCH = 10000,
    PATIENCE_US = 30000000,
    FORGET_US = 600000000,
    ALL_BROKERS = -1,
    SLOW_MS = 1200, /* longer than one delivery waits */
};

#define TYPE_HEADER "content-type=application/json "

static const struct kafka_header headers[] = { { "content-type", "application/json" } };

static struct kafka_mock mock;
static struct arena *arena;
static struct sink sink;
static struct sink_answer answer;

static struct sink_kafka_options options_of_mock(void)
{
    return (struct sink_kafka_options){
        .producer = { .sink = "log",
                      .brokers = mock.brokers,
                      .topic = KAFKA_MOCK_TOPIC,
                      .compression = "none",
                      .headers = headers,
                      .header_count = COUNT_OF(headers),
                      .max_message = MAX_MESSAGE,
                      .is_prompt = true,
                      .ca_file = "",
                      .cert_file = "",
                      .key_file = "",
                      .mechanism = "",
                      .user = "",
                      .password_file = "" },
        .batch = BATCH,
        .forget_after_us = FORGET_US,
    };
}

static void begin_with(int partitions, void (*change)(struct sink_kafka_options *options))
{
    struct sink_kafka_options options;

    kafka_mock_start(&mock, partitions);
    options = options_of_mock();
    if (change)
        change(&options);
    arena = arena_create();
    sink = sink_kafka(&options);
}

static void begin(void)
{
    begin_with(1, NULL);
}

static void end(void)
{
    sink.destroy(sink.self);
    arena_destroy(arena);
    kafka_mock_stop(&mock);
}

/* Record N: the key and the order key are "kN", the text is {"n":N}. */
static struct sink_record record_of(int64_t sequence)
{
    struct str key = arena_printf(arena, "k%lld", (long long)sequence);

    return (struct sink_record){ .sequence = sequence,
                                 .key = key,
                                 .order_key = key,
                                 .bytes =
                                     arena_printf(arena, "{\"n\":%lld}", (long long)sequence) };
}

static void deliver_records(const struct sink_record *records, size_t count, bool in_order)
{
    answer = (struct sink_answer){
        .outcomes = arena_alloc(arena, count * sizeof(*answer.outcomes)),
    };
    sink.deliver(sink.self,
                 &(struct sink_batch){
                     .records = records, .count = count, .arena = arena, .in_order = in_order },
                 &answer);
    for (size_t i = 0; i < count; i++)
        if ((answer.outcomes[i].reason != NULL) == (answer.outcomes[i].result == SINK_DELIVERED))
            CHECK(!"a reason unless delivered");
}

static struct sink_record *records_of(int64_t first, size_t count)
{
    struct sink_record *records = arena_alloc(arena, count * sizeof(*records));

    for (size_t i = 0; i < count; i++)
        records[i] = record_of(first + (int64_t)i);
    return records;
}

static void deliver(int64_t first, size_t count)
{
    deliver_records(records_of(first, count), count, false);
}

static bool has_result(size_t count, enum sink_result result)
{
    for (size_t i = 0; i < count; i++)
        if (answer.outcomes[i].result != result)
            return false;
    return true;
}

/* As the pump does: what is not yet so is delivered again. */
static void deliver_until(int64_t first, size_t count, enum sink_result result)
{
    int64_t until_us = clock_monotonic_us() + PATIENCE_US;
    struct sink_record *records = records_of(first, count);
    size_t left = count;

    while (left > 0 && clock_monotonic_us() < until_us) {
        size_t kept = 0;

        deliver_records(records, left, false);
        for (size_t i = 0; i < left; i++)
            if (answer.outcomes[i].result != result)
                records[kept++] = records[i];
        left = kept;
    }
    CHECK_INT((int64_t)left, 0);
}

static void check_read(const char *expected)
{
    CLEANUP(buf_done) struct buf out;

    buf_init(&out, READ_MAX);
    kafka_mock_read(&mock, &out);
    CHECK_STR(buf_str(&out), expected);
}

static const char *line_of(int64_t sequence)
{
    return arena_printf(arena, "0 k%lld sluice-key=k%lld " TYPE_HEADER "{\"n\":%lld}\n",
                        (long long)sequence, (long long)sequence, (long long)sequence)
        .ptr;
}

static void check_read_numbers(int64_t first, size_t count)
{
    struct buf *lines = arena_buf(arena, READ_MAX);

    for (size_t i = 0; i < count; i++)
        buf_add(lines, str_from_c(line_of(first + (int64_t)i)));
    buf_add_char(lines, '\0');
    check_read(lines->ptr);
}

static void a_record_arrives_with_its_key_and_headers(void)
{
    begin();

    const struct sink_record record = { .sequence = 0,
                                        .key = STR("an event, \"any\" text"),
                                        .order_key = STR("customer-1"),
                                        .bytes = STR("{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}") };

    deliver_records(&record, 1, false);
    CHECK_INT(answer.outcomes[0].result, SINK_DELIVERED);
    check_read("0 customer-1 sluice-key=an event, \"any\" text " TYPE_HEADER
               "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}\n");
    end();
}

#define TRACEPARENT "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"

static void a_message_has_its_trace(void)
{
    const struct sink_record record = { .key = STR("k"),
                                        .order_key = STR("k"),
                                        .bytes = STR("1"),
                                        .origin = { .traceparent = STR(TRACEPARENT) } };
    struct sink_record without = record;

    begin();
    deliver_records(&record, 1, false);
    check_read("0 k sluice-key=k " TYPE_HEADER "traceparent=" TRACEPARENT " 1\n");
    without.origin.traceparent = STR("");
    CHECK_INT((int64_t)(sink.cost(sink.self, &record) - sink.cost(sink.self, &without)),
              (int64_t)(sizeof("traceparent" TRACEPARENT) - 1));
    end();
}

static void a_full_batch_arrives_in_order(void)
{
    begin();
    CHECK_INT((int64_t)sink.max_records, BATCH);
    deliver_until(1, BATCH, SINK_DELIVERED);
    check_read_numbers(1, BATCH);
    end();
}

/* The hashes are those of Java's org.apache.kafka.common.utils.Utils.murmur2(). */
static void the_partition_is_the_one_of_java(void)
{
    enum { PARTITIONS = 7 };
    static const struct {
        const char *key;
        int32_t hash;
    } rows[] = { { "21", -973932308 },
                 { "foobar", -790332482 },
                 { "a-little-bit-long-string", -985981536 },
                 { "a-little-bit-longer-string", -1486304829 } };
    CLEANUP(buf_done) struct buf out;

    begin_with(PARTITIONS, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sink_record record = record_of((int64_t)i + 1);

        record.order_key = str_from_c(rows[i].key);
        deliver_records(&record, 1, false);
    }
    buf_init(&out, READ_MAX);
    kafka_mock_read(&mock, &out);
    buf_add_char(&out, '\0');
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].key);
        CHECK(strstr(out.ptr, arena_printf(arena, "%d %s sluice-key=",
                                           (rows[i].hash & INT32_MAX) % PARTITIONS, rows[i].key)
                                  .ptr));
    }
    TEST_CASE(NULL);
    end();
}

/* One error, then the broker works again. */
static void errors_mean_what_they_say(void)
{
    static const struct {
        rd_kafka_resp_err_t code;
        enum sink_result first; /* the outcome that ends the record's first try */
    } rows[] = {
        { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SINK_REFUSED },
        { RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, SINK_REFUSED },
        { RD_KAFKA_RESP_ERR_INVALID_RECORD, SINK_REFUSED },
        { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, SINK_REFUSED },
        { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, SINK_MISCONFIGURED },
        { RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, SINK_MISCONFIGURED },
        { RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, SINK_MISCONFIGURED },
        { RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR__TRANSPORT, SINK_DELIVERED },
        { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SINK_MISCONFIGURED },
        { RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, SINK_POSTPONED },
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t sequence = (int64_t)i + 1;

        TEST_CASE(rd_kafka_err2name(rows[i].code));
        kafka_mock_fail(&mock, 1, &rows[i].code);
        do
            deliver(sequence, 1);
        while (answer.outcomes[0].result == SINK_UNDER_WAY);
        CHECK_INT(answer.outcomes[0].result, rows[i].first);
        CHECK(!answer.together);
        if (rows[i].first != SINK_DELIVERED) {
            CHECK_INT(answer.is_sink_wide, rows[i].first != SINK_REFUSED);
            deliver_until(sequence, 1, SINK_DELIVERED);
        }
    }
    TEST_CASE(NULL);
    check_read_numbers(1, COUNT_OF(rows));
    end();
}

static void a_condemned_set_is_refused_together_then_alone(void)
{
    enum { ENOUGH = 10, API_PRODUCE = 0 };
    rd_kafka_resp_err_t errors[ENOUGH];

    for (size_t i = 0; i < ENOUGH; i++)
        errors[i] = RD_KAFKA_RESP_ERR_INVALID_RECORD;
    begin();
    deliver_until(100, 1, SINK_DELIVERED); /* now the producer has its number: one set for all */
    kafka_mock_fail(&mock, ENOUGH, errors);
    deliver(1, 3);
    CHECK(answer.together);
    CHECK(has_result(3, SINK_REFUSED));
    deliver(1, 1);
    CHECK(!answer.together);
    CHECK_INT(answer.outcomes[0].result, SINK_REFUSED);
    rd_kafka_mock_clear_request_errors(mock.cluster, API_PRODUCE);
    deliver_until(2, 2, SINK_DELIVERED);
    end();
}

static void an_oversized_record_is_not_sent(void)
{
    struct sink_record records[3];
    char *bytes = mem_alloc(MAX_MESSAGE);

    memset(bytes, '1', MAX_MESSAGE);
    begin();
    for (int i = 0; i < 3; i++)
        records[i] = record_of(i + 1);
    records[1].bytes = (struct str){ bytes, MAX_MESSAGE };
    deliver_records(records, 3, false);
    CHECK_INT(answer.outcomes[0].result, SINK_DELIVERED);
    CHECK_INT(answer.outcomes[1].result, SINK_IMPOSSIBLE);
    CHECK_INT(answer.outcomes[2].result, SINK_DELIVERED);
    CHECK(!answer.together && !answer.is_sink_wide);
    check_read(arena_printf(arena, "%s%s", line_of(1), line_of(3)).ptr);
    end();
    mem_free(bytes);
}

/* The longest record that the sink takes is one that the broker takes with this limit, too. */
static void the_longest_record_arrives(void)
{
    struct sink_record record;
    char *bytes = mem_alloc(MAX_MESSAGE);

    memset(bytes, '1', MAX_MESSAGE);
    begin();
    record = record_of(1);
    record.bytes = (struct str){ bytes, 0 };
    record.bytes.len = MAX_MESSAGE - sink.cost(sink.self, &record);
    CHECK_INT((int64_t)sink.cost(sink.self, &record), MAX_MESSAGE);
    deliver_records(&record, 1, false);
    CHECK_INT(answer.outcomes[0].result, SINK_DELIVERED);
    record.sequence++;
    record.bytes.len++;
    deliver_records(&record, 1, false);
    CHECK_INT(answer.outcomes[0].result, SINK_IMPOSSIBLE);
    end();
    mem_free(bytes);
}

static void a_slow_broker_gets_each_record_once(void)
{
    begin();
    deliver_until(100, 1, SINK_DELIVERED);
    (void)rd_kafka_mock_broker_set_rtt(mock.cluster, ALL_BROKERS, SLOW_MS);
    deliver(1, 3);
    CHECK(has_result(3, SINK_UNDER_WAY));
    CHECK(!answer.is_sink_wide);
    deliver_until(1, 3, SINK_DELIVERED);
    (void)rd_kafka_mock_broker_set_rtt(mock.cluster, ALL_BROKERS, 0);
    check_read(
        arena_printf(arena, "%s%s%s%s", line_of(100), line_of(1), line_of(2), line_of(3)).ptr);
    end();
}

static void a_broker_that_is_down_postpones_and_mends(void)
{
    begin();
    (void)rd_kafka_mock_broker_set_down(mock.cluster, ALL_BROKERS);
    deliver(1, 2);
    CHECK(has_result(2, SINK_UNDER_WAY));
    deliver_until(1, 2, SINK_POSTPONED);
    CHECK(answer.is_sink_wide);
    (void)rd_kafka_mock_broker_set_up(mock.cluster, ALL_BROKERS);
    deliver_until(1, 2, SINK_DELIVERED);
    check_read_numbers(1, 2);
    end();
}

static void give_up_soon(struct sink_kafka_options *options)
{
    options->producer.timeout_us = US_PER_S;
}

/* Without a store: the sender sends the event again, so the producer need not. */
static void a_message_with_a_time_limit_is_given_up(void)
{
    begin_with(1, give_up_soon);
    (void)rd_kafka_mock_broker_set_down(mock.cluster, ALL_BROKERS);
    deliver_until(1, 1, SINK_POSTPONED);
    (void)rd_kafka_mock_broker_set_up(mock.cluster, ALL_BROKERS);
    deliver_until(2, 1, SINK_DELIVERED);
    check_read_numbers(2, 1);
    end();
}

static void a_topic_that_is_unknown_is_a_wrong_name(void)
{
    begin();
    rd_kafka_mock_topic_set_error(mock.cluster, KAFKA_MOCK_TOPIC,
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    deliver_until(1, 1, SINK_MISCONFIGURED);
    CHECK(strstr(answer.outcomes[0].reason, "nknown topic"));
    rd_kafka_mock_topic_set_error(mock.cluster, KAFKA_MOCK_TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
    deliver_until(1, 1, SINK_DELIVERED);
    check_read_numbers(1, 1);
    end();
}

static void in_order_nothing_passes_a_refused_record(void)
{
    const rd_kafka_resp_err_t errors[] = { RD_KAFKA_RESP_ERR_NO_ERROR,
                                           RD_KAFKA_RESP_ERR_INVALID_RECORD };

    begin();
    kafka_mock_fail(&mock, 2, errors);
    deliver_records(records_of(1, 3), 3, true);
    CHECK_INT(answer.outcomes[0].result, SINK_DELIVERED);
    CHECK_INT(answer.outcomes[1].result, SINK_REFUSED);
    CHECK_INT(answer.outcomes[2].result, SINK_UNDER_WAY);
    CHECK(!answer.together);
    check_read_numbers(1, 1);
    deliver_records(records_of(2, 2), 2, true);
    CHECK(has_result(2, SINK_DELIVERED));
    check_read_numbers(1, 3);
    end();
}

static void in_order_nothing_passes_an_oversized_record(void)
{
    char *bytes = mem_alloc(MAX_MESSAGE);
    struct sink_record records[2];

    memset(bytes, '1', MAX_MESSAGE);
    begin();
    records[0] = record_of(1);
    records[0].bytes = (struct str){ bytes, MAX_MESSAGE };
    records[1] = record_of(2);
    deliver_records(records, 2, true);
    CHECK_INT(answer.outcomes[0].result, SINK_IMPOSSIBLE);
    CHECK_INT(answer.outcomes[1].result, SINK_UNDER_WAY);
    check_read("");
    end();
    mem_free(bytes);
}

static void *interrupt(void *self)
{
    const struct sink *one = self;

    clock_sleep(100 * US_PER_MS);
    one->interrupt(one->self);
    return NULL;
}

static void an_interruption_ends_the_wait(void)
{
    enum { SOON_US = 300000 };
    pthread_t thread;
    int64_t began_us;

    begin();
    (void)rd_kafka_mock_broker_set_down(mock.cluster, ALL_BROKERS);
    began_us = clock_monotonic_us();
    assert(pthread_create(&thread, NULL, interrupt, &sink) == 0);
    deliver(1, 2);
    CHECK(clock_monotonic_us() - began_us < SOON_US);
    CHECK(has_result(2, SINK_UNDER_WAY));
    (void)pthread_join(thread, NULL);
    (void)rd_kafka_mock_broker_set_up(mock.cluster, ALL_BROKERS);
    deliver(3, 1);
    CHECK_INT(answer.outcomes[0].result, SINK_POSTPONED);
    end();
}

static struct folder folder;
static char password[FOLDER_PATH_SIZE];

static void need_a_password(struct sink_kafka_options *options)
{
    folder_path(&folder, "password", password);
    options->producer.mechanism = "SCRAM-SHA-256";
    options->producer.user = "sluice";
    options->producer.password_file = password;
}

/* The mock cluster knows no SASL: what counts is that the file is read again. */
static void a_missing_password_is_seen_when_it_comes(void)
{
    folder_init(&folder);
    begin_with(1, need_a_password);
    deliver(1, 1);
    CHECK_INT(answer.outcomes[0].result, SINK_MISCONFIGURED);
    CHECK(answer.is_sink_wide);
    CHECK(strstr(answer.outcomes[0].reason, password));
    folder_write(&folder, "password", STR("secret\n"));
    deliver(1, 1);
    CHECK(!strstr(answer.outcomes[0].reason, password));
    folder_remove(&folder, "password");
    do
        deliver(1, 1);
    while (!strstr(answer.outcomes[0].reason, password));
    CHECK_INT(answer.outcomes[0].result, SINK_MISCONFIGURED);
    end();
    folder_done(&folder);
}

static struct aws_session *session;

static void use_msk(struct sink_kafka_options *options)
{
    struct error err;

    CHECK(
        aws_session_create(&(struct aws_session_options){ .region = "eu-west-1" }, &session, &err));
    options->producer.mechanism = "OAUTHBEARER";
    options->producer.session = session;
    options->producer.region = "";
}

static void without_credentials_msk_is_misconfigured(void)
{
    static const struct world_answer answers[] = { { NULL, NULL } };
    struct world world;

    world_init(&world, answers);
    world_set(&world, "AWS_EC2_METADATA_DISABLED", "true");
    begin_with(1, use_msk);
    deliver_until(1, 1, SINK_MISCONFIGURED);
    CHECK(strstr(answer.outcomes[0].reason, "credentials"));
    end();
    aws_session_destroy(session);
    world_done(&world);
}

/* The mock cluster knows no SASL: it refuses each token, and the next one has new credentials. */
static void a_token_that_is_refused_is_replaced(void)
{
    static const struct world_answer answers[] = {
        { "GET /keys", WORLD_JSON("{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s\","
                                  "\"Token\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}") },
        { NULL, NULL },
    };
    struct world world;

    world_init(&world, answers);
    world_set(&world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "%U/keys");
    begin_with(1, use_msk);
    deliver_until(1, 1, SINK_MISCONFIGURED);
    CHECK(strstr(answer.outcomes[0].reason, "SASL"));
    end();
    aws_session_destroy(session);
    world_stop(&world);
    CHECK(strstr(strstr(world.seen, "GET /keys") + 1, "GET /keys"));
    world_done(&world);
}

static void reopening_while_records_are_in_flight_repeats_none(void)
{
    begin();
    deliver_until(1, 1, SINK_DELIVERED);
    (void)rd_kafka_mock_broker_set_rtt(mock.cluster, ALL_BROKERS, SLOW_MS);
    deliver(2, 1);
    sink.reopen(sink.self);
    deliver_until(2, 1, SINK_DELIVERED);
    (void)rd_kafka_mock_broker_set_rtt(mock.cluster, ALL_BROKERS, 0);
    deliver_until(3, 1, SINK_DELIVERED); /* by a new producer */
    check_read_numbers(1, 3);
    end();
}

static void a_fatal_error_is_logged_with_what_was_in_flight(void)
{
    const rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    struct capture capture;
    struct str text;

    begin();
    kafka_mock_fail(&mock, 1, &error);
    capture_begin(&capture, 1);
    do
        deliver(1, 2);
    while (answer.outcomes[0].result == SINK_UNDER_WAY);
    text = capture_end(&capture);
    CHECK(has_result(2, SINK_POSTPONED));
    CHECK(strstr(text.ptr, "\"event\":\"kafka_producer_ended\",\"sink\":\"log\""));
    mem_free((void *)text.ptr);
    deliver_until(1, 2, SINK_DELIVERED);
    end();
}

static void forget_at_once(struct sink_kafka_options *options)
{
    options->forget_after_us = 0;
}

/* The pump has settled the record without the sink: its report is not kept for ever. */
static void a_report_that_nobody_takes_is_forgotten(void)
{
    begin_with(1, forget_at_once);
    deliver_until(1, 1, SINK_DELIVERED);
    (void)rd_kafka_mock_broker_set_rtt(mock.cluster, ALL_BROKERS, SLOW_MS);
    deliver(2, 1);
    CHECK_INT(answer.outcomes[0].result, SINK_UNDER_WAY);
    for (int64_t end_us = clock_monotonic_us() + 3 * US_PER_S; clock_monotonic_us() < end_us;) {
        sink.tend(sink.self);
        clock_sleep(10 * US_PER_MS);
    }
    (void)rd_kafka_mock_broker_set_rtt(mock.cluster, ALL_BROKERS, 0);
    deliver_until(2, 1, SINK_DELIVERED);
    check_read(arena_printf(arena, "%s%s%s", line_of(1), line_of(2), line_of(2)).ptr);
    end();
}

static void compress(struct sink_kafka_options *options)
{
    options->producer.compression = "zstd";
}

static void compressed_records_arrive(void)
{
    begin_with(1, compress);
    deliver_until(1, 100, SINK_DELIVERED);
    check_read_numbers(1, 100);
    end();
}

static void misconfigure(struct sink_kafka_options *options)
{
    options->producer.tls = true;
    options->producer.ca_file = "/nowhere/ca.pem";
}

static void what_the_library_refuses_is_a_wrong_configuration(void)
{
    begin_with(1, misconfigure);
    deliver(1, 1);
    CHECK_INT(answer.outcomes[0].result, SINK_MISCONFIGURED);
    CHECK(strstr(answer.outcomes[0].reason, "ssl.ca.location"));
    end();
}

/* The library's own lines go to the log, never to standard error. */
/* "": the topic is there. */
static void look(const struct kafka_producer_options *options, int64_t timeout_us,
                 enum err_code code, const char *text)
{
    struct error err = { 0 };
    size_t partitions = 0;

    CHECK(kafka_producer_look(options, timeout_us, &partitions, &err) == !*text);
    CHECK(err.code == code);
    CHECK(*text ? strstr(err.text, text) != NULL : partitions == 2);
}

/* librdkafka 2.1 to 2.9 crashes on a topic's error beside partitions; only its mock cluster sends
 * both. */
static bool is_survived(rd_kafka_resp_err_t error)
{
    int version = rd_kafka_version() >> 8;

    return error == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || version < 0x020100 ||
           version >= 0x020a00;
}

static void a_look_says_what_the_topic_has_and_what_is_wrong(void)
{
    static const struct {
        const char *name;
        rd_kafka_resp_err_t error;
        enum err_code code;
        const char *text;
    } cases[] = {
        { "it is there", RD_KAFKA_RESP_ERR_NO_ERROR, ERR_NONE, "" },
        { "no such topic", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_CONFIG, "no such topic" },
        { "no right", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_CONFIG, "DescribeTopic" },
        { "a wrong name", RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ERR_CONFIG, "topic" },
        { "no leader", RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, ERR_UNREACHABLE, "eader" },
    };
    struct kafka_producer_options options;

    begin_with(2, NULL);
    options = options_of_mock().producer;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        if (!is_survived(cases[i].error))
            continue;
        rd_kafka_mock_topic_set_error(mock.cluster, KAFKA_MOCK_TOPIC, cases[i].error);
        look(&options, PATIENCE_US, cases[i].code, cases[i].text);
    }
    TEST_CASE("without them");
    options.brokers = "127.0.0.1:1";
    look(&options, 1, ERR_UNREACHABLE, "refused");
    options.tls = true;
    options.ca_file = "/nowhere/ca.pem";
    look(&options, 1, ERR_CONFIG, "ssl.ca.location");
    end();
}

static void without_credentials_a_look_ends_at_once(void)
{
    static const struct world_answer answers[] = { { NULL, NULL } };
    struct sink_kafka_options options;
    struct world world;

    world_init(&world, answers);
    world_set(&world, "AWS_EC2_METADATA_DISABLED", "true");
    begin();
    options = options_of_mock();
    use_msk(&options);
    look(&options.producer, PATIENCE_US, ERR_CONFIG, "credentials");
    end();
    aws_session_destroy(session);
    world_done(&world);
}

static void nothing_is_written_to_standard_error(void)
{
    struct capture capture;
    struct str text;

    capture_begin(&capture, 2);
    log_configure(LOG_DEBUG, LOG_JSON);
    begin();
    (void)rd_kafka_mock_broker_set_down(mock.cluster, ALL_BROKERS);
    deliver(1, 1);
    end();
    log_configure(LOG_INFO, LOG_JSON);
    text = capture_end(&capture);
    CHECK_STR(text, "");
    mem_free((void *)text.ptr);
}

int main(void)
{
    RUN(a_record_arrives_with_its_key_and_headers);
    RUN(a_message_has_its_trace);
    RUN(a_full_batch_arrives_in_order);
    RUN(the_partition_is_the_one_of_java);
    RUN(errors_mean_what_they_say);
    RUN(a_condemned_set_is_refused_together_then_alone);
    RUN(an_oversized_record_is_not_sent);
    RUN(the_longest_record_arrives);
    RUN(a_slow_broker_gets_each_record_once);
    RUN(a_broker_that_is_down_postpones_and_mends);
    RUN(a_message_with_a_time_limit_is_given_up);
    RUN(a_topic_that_is_unknown_is_a_wrong_name);
    RUN(in_order_nothing_passes_a_refused_record);
    RUN(in_order_nothing_passes_an_oversized_record);
    RUN(an_interruption_ends_the_wait);
    RUN(a_missing_password_is_seen_when_it_comes);
    RUN(without_credentials_msk_is_misconfigured);
    RUN(a_token_that_is_refused_is_replaced);
    RUN(reopening_while_records_are_in_flight_repeats_none);
    RUN(a_fatal_error_is_logged_with_what_was_in_flight);
    RUN(a_report_that_nobody_takes_is_forgotten);
    RUN(compressed_records_arrive);
    RUN(what_the_library_refuses_is_a_wrong_configuration);
    RUN(a_look_says_what_the_topic_has_and_what_is_wrong);
    RUN(without_credentials_a_look_ends_at_once);
    RUN(nothing_is_written_to_standard_error);
    return test_end();
}
