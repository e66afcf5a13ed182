/*
 * sink.h - the interface of all sinks, and the options of each.
 *
 * A sink gets batches of records and returns an outcome for each record. It does not know about
 * retries, order or the store: the pump does (pump.h). Implementations: file.c, http.c. The
 * interface also fits a target that takes part of a batch (Kinesis, SQS, DynamoDB, Kafka), one
 * object for each batch (S3), or one record for each call; see docs/decisions/015.
 *
 * Delivery is at least once: if it is not certain that a record arrived, it is delivered again with
 * the same bytes and the same key.
 *
 * Threads: interrupt() and reopen() from any thread; everything else by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"

struct sink_record {
    int64_t sequence; /* grows, with gaps */
    struct str key;   /* idempotency key: the same at each delivery of the event */
    struct str bytes; /* one JSON value on one line */
};

/** Records in order. All of it is borrowed. */
struct sink_batch {
    const struct sink_record *records;
    size_t count;        /* 1 to the sink's max_records */
    struct arena *arena; /* for the reasons, and for the delivery */
    bool in_order;       /* deliver nothing after a record that is not delivered */
};

enum sink_result {
    SINK_POSTPONED, /* not delivered, and it is not known that the record is at fault */
    SINK_REFUSED,   /* the record is at fault: others are not affected */
    SINK_DELIVERED, /* it arrived, as durable as the sink makes it */
};

enum { SINK_RESULT_COUNT = SINK_DELIVERED + 1 };

struct sink_outcome {
    enum sink_result result;
    const char *reason; /* one line for people, in the batch's arena; NULL when delivered */
};

struct sink_answer {
    struct sink_outcome *outcomes; /* one for each record, in order; zeroes before */
    bool together;          /* refused as a whole: it is not known which record is at fault */
    bool is_sink_wide;      /* other records would be postponed too */
    int64_t retry_after_us; /* the pause that the sink asks for; 0: none */
};

struct sink {
    size_t max_records;   /* in one batch; at least 1 */
    size_t max_bytes;     /* in one batch of several; one record alone may be longer */
    size_t max_key_bytes; /* of the keys of one batch of several; 0: any */

    /** Deliver, and fill every outcome. Returns in bounded time. */
    void (*deliver)(void *self, const struct sink_batch *batch, struct sink_answer *answer);
    /** End the delivery under way, and all later ones, soon. Any thread. May be NULL. */
    void (*interrupt)(void *self);
    /** Called about once a second while there are no records, to rotate files. May be NULL. */
    void (*tend)(void *self);
    /** Close files and connections before the next batch. Any thread. May be NULL. */
    void (*reopen)(void *self);
    void (*destroy)(void *self);
    void *self;
};

/** Set the same outcome for every record. */
static inline void sink_answer_all(const struct sink_batch *batch, struct sink_answer *answer,
                                   enum sink_result result, const char *reason)
{
    for (size_t i = 0; i < batch->count; i++)
        answer->outcomes[i] = (struct sink_outcome){ result, reason };
}

struct sink_file_options {
    const char *name; /* of the sink, for the log; must outlive it, as `path` */
    const char *path;
    const char *const *taken; /* files that it must not write to, under any name; */
    size_t taken_count;       /* must outlive it */
    uint64_t rotate_size;     /* begin a new file before so many bytes; 0: never */
    int64_t rotate_every_us;  /* begin a new file at multiples of this, UTC; 0: never */
};

/** Lines appended to a file, mode 0600; delivered means: fdatasync(2) has returned. */
struct sink sink_file(const struct sink_file_options *options);

/** A header of each request: its value, or a file whose first line is the value. */
struct sink_http_header {
    const char *name;
    const char *value;
    const char *file; /* read again for each request; NULL: use `value` */
};

/** Everything must outlive the sink. */
struct sink_http_options {
    const char *url;
    const struct sink_http_header *headers;
    size_t header_count;
    size_t batch;        /* most records in one request; if above 1, they are sent as an array */
    int64_t timeout_us;  /* of one request */
    const char *ca_file; /* trusted CA certificates, PEM; "": the system's */
};

/** Records posted to a URL; delivered means: answered 2xx. fetch_init() comes first. */
struct sink sink_http(const struct sink_http_options *options);
