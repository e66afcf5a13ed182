/*
 * sink.h - where records go, behind one small interface.
 *
 * A sink is handed batches of records and says of each what became of it. It knows nothing of
 * retries, order or the store: that is the pump's (pump.h). Implementations: file.c,
 * http.c. The interface is made so that what takes part of a batch (Kinesis, SQS, DynamoDB,
 * Kafka), one object a batch (S3) or one record a call fits it; docs/decisions/015 says how.
 *
 * Delivery is at least once: a record comes again when it is not certain that it arrived, with
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
    int64_t sequence; /* its place in the outbox: rises, with gaps */
    struct str key;   /* idempotency key: the same for the same event, however often it comes */
    struct str bytes; /* one JSON value on one line */
};

/** Some records, in order. Everything in it is borrowed. */
struct sink_batch {
    const struct sink_record *records;
    size_t count;        /* 1 to the sink's max_records */
    struct arena *arena; /* for the reasons, and whatever delivering needs */
    bool in_order;       /* what follows a record that is not delivered is not to be delivered */
};

enum sink_result {
    SINK_POSTPONED, /* the sink's fault or wish: the record may come again as it is */
    SINK_REFUSED,   /* the record's own fault: no other record suffers from it */
    SINK_DELIVERED, /* it is there, as durable as the sink makes it */
};

enum { SINK_RESULT_COUNT = SINK_DELIVERED + 1 };

struct sink_outcome {
    enum sink_result result;
    const char *reason; /* one line for people, in the batch's arena; NULL when delivered */
};

struct sink_answer {
    struct sink_outcome *outcomes; /* one for each record, in their order; zeroes before */
    bool together;                 /* refused by one word for all: the culprit is not known */
    bool is_sink_wide;             /* what is postponed would be so whatever the records were */
    int64_t retry_after_us;        /* how long the sink asks to be left alone; 0: it does not */
};

struct sink {
    size_t max_records;   /* in one batch; at least 1 */
    size_t max_bytes;     /* in one batch of several; one record alone may be longer */
    size_t max_key_bytes; /* of the keys of one batch of several; 0: any */

    /** Deliver, and fill every outcome. Returns in bounded time. */
    void (*deliver)(void *self, const struct sink_batch *batch, struct sink_answer *answer);
    /** Make the delivery that is under way, and all later ones, end soon. Any thread. May be NULL.
     */
    void (*interrupt)(void *self);
    /** What is due without a record, about once a second: rotation. NULL: nothing. */
    void (*tend)(void *self);
    /** Let go of files and connections before the next batch. Any thread. NULL: has none. */
    void (*reopen)(void *self);
    void (*destroy)(void *self);
    void *self;
};

/** Say the same of every record. */
void sink_answer_all(const struct sink_batch *batch, struct sink_answer *answer,
                     enum sink_result result, const char *reason);

struct sink_file_options {
    const char *name; /* of the sink, for the log; must outlive it, as `path` */
    const char *path;
    const char *const *taken; /* files that must not be written to, whatever their names, */
    size_t taken_count;       /* which outlive it, too */
    uint64_t rotate_size;     /* begin a new file before this many bytes; 0: never */
    int64_t rotate_every_us;  /* begin a new file at multiples of this, in UTC; 0: never */
};

/** Lines appended to a file, mode 0600; delivered means: fdatasync(2) has returned. */
struct sink sink_file(const struct sink_file_options *options);

/** A header to send with each request: its value, or the file whose first line that is. */
struct sink_http_header {
    const char *name;
    const char *value;
    const char *file; /* read anew for each request; NULL: it is `value` */
};

/** Everything must outlive the sink. */
struct sink_http_options {
    const char *url;
    const struct sink_http_header *headers;
    size_t header_count;
    size_t batch;        /* the most records in one request; above 1 they are sent as an array */
    int64_t timeout_us;  /* of one request */
    const char *ca_file; /* whom to trust, PEM; "": the system's */
};

/** Records posted to a URL; delivered means: answered 2xx. fetch_init() comes first. */
struct sink sink_http(const struct sink_http_options *options);
