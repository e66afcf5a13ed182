/*
 * aws_target.h - a service of AWS that answers what a test says, for tests of sinks.
 *
 * Threads: it changes the environment, so no other thread may read the environment at that time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aws/session.h"
#include "base/arena.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/sink.h"
#include "tests/unit/canned.h"

enum { AWS_TARGET_ANSWERS = 4, AWS_TARGET_SEEN = 64 * 1024 };

struct aws_target {
    struct canned *server;
    struct aws_session *session;
    struct arena *arena;
    const char *answers[AWS_TARGET_ANSWERS]; /* whole answers; the last one again and again */
    char seen[AWS_TARGET_SEEN];              /* the body of the last request */
    struct str traceparent;                  /* of each record; ptr NULL: none */
    struct entries_options options;          /* of a sink that sends here */
};

/** An answer with this status and body. */
#define AWS_ANSWER(status, body)                                                                   \
    "HTTP/1.1 " status "\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\r\n" \
    "" body

/** Start; the first answer is `answer`, which is not copied. */
void aws_target_begin(struct aws_target *target, const char *answer);

void aws_target_end(struct aws_target *target);

/** A record for aws_target_deliver(). */
struct aws_target_record {
    const char *key;
    const char *order_key; /* NULL: the key */
    const char *bytes;
};

/** Deliver the records in one batch. The answer is valid until the target ends. */
const struct sink_answer *aws_target_deliver(struct aws_target *target, const struct sink *sink,
                                             const struct aws_target_record *records, size_t count);

/** The same, in order. */
const struct sink_answer *aws_target_deliver_in_order(struct aws_target *target,
                                                      const struct sink *sink,
                                                      const struct aws_target_record *records,
                                                      size_t count);

/**
 * The results as letters, one for each record: D delivered, P postponed, M misconfigured, R
 * refused, I impossible. In the target's arena.
 */
struct str aws_target_results(struct aws_target *target, const struct sink_answer *answer,
                              size_t count);
