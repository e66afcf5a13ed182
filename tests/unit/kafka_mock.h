/*
 * kafka_mock.h - librdkafka's mock cluster in this process, with one topic.
 */
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>

#include "base/buf.h"

#define KAFKA_MOCK_TOPIC "records"

struct kafka_mock {
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *cluster;
    const char *brokers;
    int partitions;
};

/** Start a broker that has the topic with so many partitions. */
void kafka_mock_start(struct kafka_mock *mock, int partitions);
void kafka_mock_stop(struct kafka_mock *mock);

/** Answer the next produce requests with these errors. */
void kafka_mock_fail(struct kafka_mock *mock, size_t count, const rd_kafka_resp_err_t *errors);

/** Append a line for each message: partition, key, headers (name=value), value; parted by blanks.
 */
void kafka_mock_read(struct kafka_mock *mock, struct buf *out);
