/*
 * dynamodb_item.h - how a record becomes an item of DynamoDB.
 *
 * As a document, the item has the key, and the record's text in one attribute: nothing is lost,
 * whatever the record is. As attributes, each member of the record, an object, is an attribute.
 * DynamoDB's limits are checked: an item that breaks one would fail its whole call.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 *
 * Threads: immutable after dynamodb_layout_init().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/str.h"
#include "delivery/sinks/entries.h"

struct dynamodb_key {
    const char *name;    /* of the attribute; "": the table has no such key */
    const char *pointer; /* JSON Pointer into the record; "": the idempotency key */
};

/** Everything must outlive the layout. */
struct dynamodb_item_options {
    struct dynamodb_key hash;
    struct dynamodb_key range;
    bool as_attributes;
    const char *document; /* the attribute with the record's text; not as attributes */
    const char *ttl_name; /* "": none */
    int64_t ttl_after_us;
};

struct dynamodb_layout {
    struct dynamodb_item_options options;
    struct json_pointer *hash; /* NULL: the idempotency key */
    struct json_pointer *range;
};

/** An attribute: its name, and its value in DynamoDB's JSON. */
struct dynamodb_attribute {
    struct str name;
    struct str value;
};

struct dynamodb_item {
    const struct dynamodb_attribute *attributes; /* the key's come first */
    size_t count;
    size_t key_count; /* 1 or 2 */
    size_t size;      /* bytes, as DynamoDB counts them */
};

/** ERR_MALFORMED: a pointer is not valid. Call dynamodb_layout_done() in each case. */
NODISCARD bool dynamodb_layout_init(struct dynamodb_layout *layout,
                                    const struct dynamodb_item_options *options, struct error *err);

void dynamodb_layout_done(struct dynamodb_layout *layout);

/** Is the item made from the parsed record? */
bool dynamodb_layout_reads_records(const struct dynamodb_layout *layout);

/**
 * Make the item; sets `item->size`. ERR_INVALID in `item->error`: the key is missing, or the item
 * breaks a limit.
 */
NODISCARD bool dynamodb_item_make(const struct dynamodb_layout *layout, struct entries_item *item,
                                  struct dynamodb_item *out);

/** Can DynamoDB store this JSON number: 38 digits, from 1E-130 to 9.9E+125, or zero? */
bool dynamodb_number_fits(struct str number);
