/*
 * sink.h - the interface of all sinks.
 *
 * A sink gets batches of records and returns an outcome for each record. It does not know about
 * retries, order or the store: the pump does (delivery/pump.h). The interface fits a target that
 * takes part of a batch (Kinesis, SQS, DynamoDB), one that confirms later (Kafka), one object for
 * each batch (S3), and one record for each call (HTTP); see docs/decisions/015.
 *
 * Delivery is at least once: if it is not certain that a record arrived, it is delivered again with
 * the same bytes and the same key.
 *
 * Threads: deliver() runs at most once at a time for each slot, and for several slots at the same
 * time; interrupt() and reopen() from any thread; everything else while no delivery runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"

enum { SINK_SLOTS_MAX = 64 }; /* deliveries of one sink at the same time */

/** What is known of a record's event; empty where there is none. */
struct sink_origin {
    struct str event_id;
    struct str route;    /* its name */
    struct str registry; /* of the schema that the event was checked with */
    struct str schema;
    struct str schema_version;
    struct str request_id;
    struct str traceparent; /* base/tracing/context.h */
};

struct sink_record {
    int64_t sequence;     /* grows, with gaps */
    int64_t accepted_us;  /* time of day */
    struct str key;       /* idempotency key: the same at each delivery of the event */
    struct str order_key; /* the text at the sink's `key` pointer; if there is none, `key` */
    struct str head;      /* what a payload begins with (glue_framed.h); "": the record */
    struct str bytes;     /* one JSON value on one line */
    struct sink_origin origin;
};

/** Records in order. All of it is borrowed. */
struct sink_batch {
    const struct sink_record *records;
    size_t count;        /* 1 to the sink's max_records */
    struct str store;    /* the store's id, of letters and digits: sequences are unique within it */
    size_t slot;         /* below the sink's in_flight: for what each delivery needs of its own */
    struct arena *arena; /* for the reasons, and for the delivery */
    bool in_order;       /* deliver nothing after a record that is not delivered */
};

enum sink_result {
    SINK_POSTPONED,     /* not delivered, and it is not known that the record is at fault */
    SINK_MISCONFIGURED, /* not delivered: credentials, rights, a name or a region are wrong */
    SINK_REFUSED,       /* the target says that the record is at fault: others are not affected */
    SINK_IMPOSSIBLE,    /* the target can never take this record: it was not sent */
    SINK_UNDER_WAY,     /* handed over, not confirmed yet: deliver() is called again with it */
    SINK_DELIVERED,     /* it arrived, as durable as the sink makes it */
};

enum { SINK_RESULT_COUNT = SINK_DELIVERED + 1 };

struct sink_outcome {
    enum sink_result result;
    const char *reason; /* one line for people, in the batch's arena; NULL when delivered */
};

/* The target was reached and takes no records now: why. */
enum sink_busy {
    SINK_NOT_BUSY,
    SINK_THROTTLED,   /* its rates are used up: no record is at fault */
    SINK_UNAVAILABLE, /* 503, a time to come again: a record may be at fault */
};

struct sink_answer {
    struct sink_outcome *outcomes; /* one for each record, in order; zeroes before */
    bool together;          /* refused as a whole: it is not known which record is at fault */
    bool is_sink_wide;      /* other records would be postponed too */
    enum sink_busy busy;    /* with `is_sink_wide` and each record postponed */
    int64_t retry_after_us; /* the pause that the sink asks for; 0: none */
    struct str said; /* the beginning of the target's answer, in the batch's arena, to be kept with
                        records that are set aside; ptr NULL: none */
};

struct sink {
    size_t in_flight;     /* deliveries at the same time; 1 to SINK_SLOTS_MAX */
    size_t max_records;   /* in one batch; at least 1 */
    size_t max_bytes;     /* in one batch of several, by cost(); one record alone may be longer */
    size_t max_key_bytes; /* of the keys of one batch of several; 0: any */

    /** Bytes of a batch that the record takes. Any thread. NULL: the length of its bytes. */
    size_t (*cost)(void *self, const struct sink_record *record);
    /** Deliver, and fill every outcome. Returns in bounded time. */
    void (*deliver)(void *self, const struct sink_batch *batch, struct sink_answer *answer);
    /** End the deliveries under way, and all later ones, soon. Any thread. May be NULL. */
    void (*interrupt)(void *self);
    /** Called about once a second while there are no records, to rotate files. May be NULL. */
    void (*tend)(void *self);
    /** Close files and connections before the next batch. Any thread. May be NULL. */
    void (*reopen)(void *self);
    void (*destroy)(void *self);
    void *self;
};

/** As metrics and spans name it. */
static inline const char *sink_result_name(enum sink_result result)
{
    static const char *const names[SINK_RESULT_COUNT] = {
        [SINK_POSTPONED] = "failed",      [SINK_MISCONFIGURED] = "misconfigured",
        [SINK_REFUSED] = "refused",       [SINK_IMPOSSIBLE] = "impossible",
        [SINK_UNDER_WAY] = "unconfirmed", [SINK_DELIVERED] = "delivered",
    };

    return names[result];
}

/** Set the same outcome for every record. */
static inline void sink_answer_all(const struct sink_batch *batch, struct sink_answer *answer,
                                   enum sink_result result, const char *reason)
{
    for (size_t i = 0; i < batch->count; i++)
        answer->outcomes[i] = (struct sink_outcome){ result, reason };
}
