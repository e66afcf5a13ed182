/*
 * kinesis.h - the sink that puts records into a stream of Kinesis Data Streams.
 *
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/sink.h"

/** Everything must outlive the sink. */
struct sink_kinesis_options {
    struct entries_options entries;
    const char *stream;        /* a name or an ARN */
    const char *partition_key; /* a JSON Pointer into the record; "": the record's order key */
    size_t max_record;         /* bytes of a record with its partition key */
    bool newline;              /* end each record with a newline */
};

/** Delivered means: the stream has stored the record. fetch_init() comes first. ERR_CONFIG. */
NODISCARD bool sink_kinesis(const struct sink_kinesis_options *options, struct sink *out,
                            struct error *err);
