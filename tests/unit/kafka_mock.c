/*
 * kafka_mock.c - see kafka_mock.h.
 */
#include "tests/unit/kafka_mock.h"

#include <assert.h>

enum { TEXT_SIZE = 512, POLL_MS = 10000, API_PRODUCE = 0 };

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char text[TEXT_SIZE];

    assert(rd_kafka_conf_set(conf, key, value, text, sizeof(text)) == RD_KAFKA_CONF_OK);
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

static rd_kafka_t *create(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char text[TEXT_SIZE];
    rd_kafka_t *client;

    rd_kafka_conf_set_log_cb(conf, on_log);
    client = rd_kafka_new(type, conf, text, sizeof(text));
    assert(client);
    return client;
}

void kafka_mock_start(struct kafka_mock *mock, int partitions)
{
    mock->handle = create(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    mock->cluster = rd_kafka_mock_cluster_new(mock->handle, 1);
    assert(mock->cluster);
    mock->brokers = rd_kafka_mock_cluster_bootstraps(mock->cluster);
    mock->partitions = partitions;
    assert(!rd_kafka_mock_topic_create(mock->cluster, KAFKA_MOCK_TOPIC, partitions, 1));
}

void kafka_mock_stop(struct kafka_mock *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->handle);
}

void kafka_mock_fail(struct kafka_mock *mock, size_t count, const rd_kafka_resp_err_t *errors)
{
    rd_kafka_mock_push_request_errors_array(mock->cluster, API_PRODUCE, count, errors);
}

static rd_kafka_t *create_consumer(struct kafka_mock *mock)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(mock->partitions);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;

    set(conf, "bootstrap.servers", mock->brokers);
    set(conf, "group.id", "reader");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "fetch.wait.max.ms", "10");
    client = create(RD_KAFKA_CONSUMER, conf);
    (void)rd_kafka_poll_set_consumer(client);
    for (int i = 0; i < mock->partitions; i++)
        rd_kafka_topic_partition_list_add(list, KAFKA_MOCK_TOPIC, i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    assert(!rd_kafka_assign(client, list));
    rd_kafka_topic_partition_list_destroy(list);
    return client;
}

static void add_message(struct buf *out, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;

    buf_printf(out, "%d %.*s ", message->partition, (int)message->key_len,
               (const char *)message->key);
    (void)rd_kafka_message_headers(message, &headers);
    for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
        buf_printf(out, "%s=%.*s ", name, (int)size, (const char *)value);
    buf_add(out, (struct str){ message->payload, message->len });
    buf_add_char(out, '\n');
}

void kafka_mock_read(struct kafka_mock *mock, struct buf *out)
{
    rd_kafka_t *client = create_consumer(mock);
    int ended = 0;

    while (ended < mock->partitions) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, POLL_MS);

        assert(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ended++;
        else if (!message->err)
            add_message(out, message);
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
}
