/*
 * kafka.h - the sink that produces records to a Kafka topic.
 *
 * A message's key is the record's order_key, its value the record, and its headers are sluice-key
 * (the idempotency key), content-type, and the configured ones. The partition is the one that
 * Java's clients choose for the key.
 *
 * Threads: as sink.h. librdkafka has threads of its own.
 */
#pragma once

#include "delivery/sinks/kafka_producer.h"
#include "delivery/sinks/sink.h"

/** Everything must outlive the sink. */
struct sink_kafka_options {
    struct kafka_producer_options producer;
    size_t batch;            /* most records in one delivery */
    int64_t forget_after_us; /* longer than the pump waits before it delivers a record again */
};

/** Records produced to a topic; delivered means: all replicas in sync have it. */
struct sink sink_kafka(const struct sink_kafka_options *options);
