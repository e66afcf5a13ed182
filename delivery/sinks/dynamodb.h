/*
 * dynamodb.h - the sink that writes each record as an item of a DynamoDB table.
 *
 * `insert` writes an item only if there is none with its key (BatchExecuteStatement); one that is
 * there counts as delivered, so a record makes exactly one item however often it is delivered.
 * `replace` overwrites (BatchWriteItem).
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/dynamodb_item.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/sink.h"

enum sink_dynamodb_mode { SINK_DYNAMODB_INSERT, SINK_DYNAMODB_REPLACE };

/** Everything must outlive the sink. */
struct sink_dynamodb_options {
    struct entries_options entries;
    const char *name; /* of the sink, for the log */
    const char *table;
    enum sink_dynamodb_mode mode;
    struct dynamodb_item_options item;
};

/** Delivered means: the table has an item with the record's key. ERR_CONFIG. */
NODISCARD bool sink_dynamodb(const struct sink_dynamodb_options *options, struct sink *out,
                             struct error *err);
