/*
 * describe.h - ask AWS about a stream, queue, topic, bus, table or bucket, for `sluice doctor`.
 *
 * The calls cost nothing and change nothing. They need rights that delivery does not need, so a
 * right that is missing is no failure. A Kinesis stream is also asked whether it takes records
 * (DryRun), but only at AWS itself, because other servers store the record.
 *
 * Threads: as aws/client.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/session.h"
#include "base/arena.h"

struct aws_describe_options {
    struct aws_session *session;
    const char *service; /* in service.c; not "glue" or "sts" */
    const char *region;  /* as in struct aws_client_options, like `endpoint_url`, `path_style` */
    const char *endpoint_url;
    const char *name;      /* stream or its ARN, queue URL, topic ARN, bus, table, bucket */
    const char *prefix;    /* S3: of the probe's object */
    const char *hash_key;  /* DynamoDB: the attribute that is the partition key; "": any */
    const char *range_key; /* DynamoDB: the attribute that is the sort key; "": none */
    bool path_style;
    bool probe; /* S3: write an object; Kinesis: DryRun at any server */
    int64_t deadline_us;
};

enum aws_sight {
    AWS_SEEN,    /* it is there and can be used */
    AWS_HIDDEN,  /* a right to look is missing: not known */
    AWS_TROUBLE, /* delivery would fail, too */
};

struct aws_description {
    enum aws_sight sight;
    const char *text; /* one line for people, in the arena */
};

/** The name of the probe's object, after the prefix. It stays in the bucket. */
#define AWS_PROBE_OBJECT "sluice-probe"

/** Ask. Returns not later than the deadline. */
struct aws_description aws_describe(const struct aws_describe_options *options,
                                    struct arena *arena);
