/*
 * entries.h - the engine of targets that take several records in one call and answer for each.
 *
 * Kinesis, Firehose, SQS, SNS, EventBridge and DynamoDB differ in how an entry is written, what
 * counts as its size, and where the answer has its outcome: struct entries_target. The engine fills
 * calls, makes them, and decides what each outcome means:
 *
 *   the entry arrived                              delivered
 *   the answer does not have the entry             postponed
 *   throttled, broken, or an unknown error         postponed
 *   credentials, rights, names, keys of KMS        misconfigured
 *   the entry is at fault                          refused
 *   the call is at fault, with one record in it    refused
 *   the call is at fault, with several             refused together
 *   the target can never take it                   impossible; it is not sent
 *
 * A call has one attempt, because the pump repeats, and an attempt without an answer may have
 * written. One delivery makes several calls if its records do not fit in one.
 *
 * Threads: as sink.h. Each slot has its own client.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/client.h"
#include "aws/session.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "delivery/sinks/sink.h"

/** What all kinds have in common. Texts must outlive the sink; "" or NULL: not set. */
struct entries_options {
    struct aws_session *session; /* must outlive the sink */
    const char *region;          /* instead of the session's */
    const char *endpoint_url;    /* instead of the session's */
    size_t in_flight;            /* calls at the same time; 0: ENTRIES_IN_FLIGHT */
    size_t batch;                /* records in one call; 0: as many as the target takes */
    int64_t timeout_us;          /* of one call; a second more for each MiB */
    bool ordered;                /* one record for each call, since calls are not taken in order */
};

enum { ENTRIES_IN_FLIGHT = 8 };

/** One call, and the records in it. */
struct entries_call {
    const struct sink_batch *batch;
    struct sink_answer *answer;
    struct buf *body;
    size_t *records; /* for each entry the index of its record */
    size_t count;    /* entries */
    size_t bytes;    /* of the entries, as the target counts them */
    void *target;    /* of the target: `call_size` zeroed bytes */
};

/** A record that is added to a call. */
struct entries_item {
    const struct sink_record *record;
    struct arena *arena;     /* the batch's */
    const struct flat *tree; /* the record; NULL unless the target reads records */
    size_t size;             /* set by add(): the bytes that count */
    struct error error;      /* set by add(): why it is impossible */
};

enum entries_added {
    ENTRIES_ADDED,
    ENTRIES_IMPOSSIBLE, /* the target can never take it: `item->error` */
    ENTRIES_NEXT_CALL,  /* it must not be in the same call as another entry of it */
};

/** How a target differs. Everything must outlive the sink. */
struct entries_target {
    const char *service;   /* a name in aws/service.c */
    const char *operation; /* "PutRecords" */
    const char *right;     /* what must be allowed: "kinesis:PutRecords" */
    size_t max_records;    /* in one call */
    size_t max_bytes;      /* of a call of several entries, as add() and cost() count */
    size_t max_answer;     /* bytes; 0: the client's default */
    size_t call_size;      /* bytes of `target` in struct entries_call */
    bool reads_records;    /* add() needs the parsed record */
    struct str head;       /* before the first entry, */
    struct str separator;  /* between two entries, */
    struct str tail;       /* and after the last one */

    /** Append an entry to the body. On another result than ENTRIES_ADDED the body is restored. */
    enum entries_added (*add)(void *self, struct entries_call *call, struct entries_item *item);
    /** Make the call, as aws_client_call(). NULL: that. */
    bool (*call)(struct aws_client *client, const struct aws_call *call, struct arena *arena,
                 struct json_object **answer, struct aws_failure *failure);
    /** Decide about the entries of a call that was answered 200. */
    void (*judge)(void *self, struct entries_call *call, struct json_object *answer);
    /** As in sink.h; may be an estimate. */
    size_t (*cost)(void *self, const struct sink_record *record);
    void (*destroy)(void *self);
    void *self;
};

/**
 * Make the sink. On success it owns `target->self`. ERR_CONFIG: no region is configured, or the
 * endpoint is not a URL.
 */
NODISCARD bool entries_create(const struct entries_options *options,
                              const struct entries_target *target, struct sink *out,
                              struct error *err);

/* For judge(). */

/** The entry arrived. */
void entries_arrived(struct entries_call *call, size_t entry);

/** What an answer says about an entry that failed. */
struct entries_fault {
    struct str code;
    struct str message;
    bool is_senders; /* the target says so; it counts only if the code is unknown */
};

/** The entry failed. */
void entries_failed(struct entries_call *call, size_t entry, const struct entries_fault *fault);

/**
 * Decide by position: `answer.LIST[i]` has ErrorCode and ErrorMessage, or `proof`, the member that
 * an entry has if it arrived.
 */
void entries_judge_by_position(struct entries_call *call, struct json_object *answer,
                               const char *list, const char *proof);

/** Decide by the lists Successful and Failed, whose elements name the entry's index as Id. */
void entries_judge_by_id(struct entries_call *call, struct json_object *answer);

/* For makers of targets and for add(). */

/** `{"NAME":"TARGET","LIST":[`, in the arena. */
struct str entries_head(struct arena *arena, const char *name, const char *target,
                        const char *list);

/** Append `{"Data":"..."`: the record in Base64, with a newline after it or not. */
void entries_add_data(const struct entries_call *call, const struct entries_item *item,
                      bool newline);

/** Compile the pointer `text`, which was checked; "": `*out` is NULL. ERR_MALFORMED. */
NODISCARD bool entries_pointer(const char *text, struct json_pointer **out, struct error *err);

/**
 * The text that chooses a partition or a group: at `pointer` in the record, and if there is none
 * the idempotency key; with a NULL pointer the order key. In the arena or in the record.
 */
struct str entries_group(const struct entries_item *item, const struct json_pointer *pointer);

/** `text` if `is_fit`, else its SHA-256 in hexadecimal; in the arena. */
struct str entries_key(struct str text, bool is_fit, struct arena *arena);
