/*
 * firehose.h - the sink that puts records into a delivery stream of Amazon Data Firehose.
 *
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/sink.h"

/** Everything must outlive the sink. */
struct sink_firehose_options {
    struct entries_options entries;
    const char *delivery_stream;
    bool newline; /* end each record with a newline: Firehose joins records without one */
};

/** Delivered means: Firehose has stored the record. fetch_init() comes first. ERR_CONFIG. */
NODISCARD bool sink_firehose(const struct sink_firehose_options *options, struct sink *out,
                             struct error *err);
