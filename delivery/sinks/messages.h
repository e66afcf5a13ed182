/*
 * messages.h - what the messages of SQS and SNS have in common: body, attributes, FIFO ids.
 *
 * Both refuse the characters U+FFFE and U+FFFF, and control characters. A record is JSON, so the
 * body has the escapes \ufffe and \uffff instead; control characters are escaped in JSON anyway.
 * An attribute cannot be escaped.
 *
 * Threads: immutable once created.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/str.h"
#include "delivery/sinks/entries.h"

struct messages_attribute {
    const char *name;
    const char *pointer; /* JSON Pointer into the record */
};

/** Everything must outlive the sink. */
struct messages_options {
    const char *target;   /* the URL of the queue, or the ARN of the topic */
    const char *group_id; /* JSON Pointer into the record; "": no group, or FIFO: the order key */
    bool is_fifo;
    bool by_content; /* FIFO: the target finds duplicates by the body, so no id is sent */
    const struct messages_attribute *attributes;
    size_t attribute_count;
};

struct messages {
    struct arena *arena; /* for what lives as long */
    struct messages_options options;
    size_t max_bytes;
    struct json_pointer *group;       /* NULL: none */
    struct json_pointer **attributes; /* of `options.attributes` */
};

/** A name and a text, with the data type String. */
struct message_attribute {
    struct str name;
    struct str value;
};

/** The parts of one message. */
struct message {
    struct str body;
    struct str group_id;         /* ptr NULL: none */
    struct str deduplication_id; /* ptr NULL: none */
    const struct message_attribute *attributes;
    size_t attribute_count;
};

/**
 * `max_bytes` of a message: body; names, types and values of attributes. The caller owns the
 * result. NULL: a pointer is not valid, ERR_MALFORMED.
 */
struct messages *messages_create(const struct messages_options *options, size_t max_bytes,
                                 struct error *err);

/** For struct entries_target. NULL is fine. */
void messages_destroy(void *messages);

/** Are messages made from the parsed record? */
bool messages_read_records(const struct messages *messages);

/**
 * Make the message; sets `item->size`. ERR_INVALID in `item->error`: it is longer than the maximum,
 * or an attribute has a character that is refused.
 */
NODISCARD bool messages_make(const struct messages *messages, struct entries_item *item,
                             struct message *out);

/** Bytes of the message; attributes are estimated. For struct entries_target. */
size_t messages_cost(void *messages, const struct sink_record *record);
