/*
 * kafka_producer.h - one idempotent producer of librdkafka for one topic.
 *
 * It repeats what it has accepted until the brokers confirm or refuse it, in order and without
 * duplicates. Only a new producer can write a record twice.
 *
 * Threads: a producer belongs to one thread at a time, which also runs the listener's functions, in
 * kafka_producer_poll().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/session.h"
#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/sink.h"

struct kafka_producer;

struct kafka_header {
    const char *name;
    const char *value;
};

/** Texts are never NULL; "" means: not set. Everything must outlive the producer. */
struct kafka_producer_options {
    const char *sink;    /* its name, for the log */
    const char *brokers; /* host:port,host:port */
    const char *topic;
    const char *compression; /* none, lz4, zstd, ... */
    const struct kafka_header *headers;
    size_t header_count;
    size_t max_message; /* bytes of key, value and headers */
    int64_t timeout_us; /* a message that is not confirmed is given up; 0: never */
    bool is_prompt;     /* senders wait: send each message at once, reconnect soon */
    bool tls;
    const char *ca_file; /* the others: with tls only */
    const char *cert_file;
    const char *key_file;
    const char *mechanism; /* of SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER */
    const char *user;
    const char *password_file;
    struct aws_session *session; /* log in at Amazon MSK with its credentials; NULL: no */
    const char *region;          /* of MSK; "": the session's */
};

struct kafka_listener {
    /** The final word on a message; not SINK_UNDER_WAY. `reason` is static; NULL when delivered. */
    void (*report)(void *self, int64_t sequence, enum sink_result result, const char *reason);
    /** An error that is not about one message: SINK_MISCONFIGURED or SINK_POSTPONED. */
    void (*trouble)(void *self, enum sink_result result, const char *text);
    void *self;
};

/** Reads the files, connects in the background. The caller owns it. ERR_CONFIG. */
NODISCARD bool kafka_producer_create(const struct kafka_producer_options *options,
                                     const struct kafka_listener *listener,
                                     struct kafka_producer **out, struct error *err);

/** Messages without a report are lost to this producer: they may have arrived. NULL is fine. */
void kafka_producer_destroy(struct kafka_producer *producer);

/** Bytes of a message as Kafka's limits count them. */
size_t kafka_producer_cost(const struct kafka_producer_options *options,
                           const struct sink_record *record);

/**
 * Hand a record over; it is copied. SINK_UNDER_WAY: a report comes later. Other results come at
 * once, with a reason in `*reason` (static); SINK_POSTPONED: the queue is full.
 */
enum sink_result kafka_producer_send(struct kafka_producer *producer,
                                     const struct sink_record *record, const char **reason);

/** Run the listener for what has happened; if nothing has, wait for at most `timeout_us`. */
void kafka_producer_poll(struct kafka_producer *producer, int64_t timeout_us);

/** Has it met an error after which it sends nothing more? Then `*result` is that of its messages.
 */
bool kafka_producer_is_dead(const struct kafka_producer *producer, enum sink_result *result,
                            struct error *err);

/**
 * Ask the brokers about the topic, which sends and makes nothing: how many partitions has it?
 * ERR_CONFIG: a setting, the login or the topic is wrong; ERR_UNREACHABLE: no broker answers.
 */
NODISCARD bool kafka_producer_look(const struct kafka_producer_options *options, int64_t timeout_us,
                                   size_t *partitions, struct error *err);
