/*
 * sqs.h - the sink that sends records to a queue of SQS, standard or FIFO.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/messages.h"
#include "delivery/sinks/sink.h"

/** Everything must outlive the sink. */
struct sink_sqs_options {
    struct entries_options entries;
    const char *queue_url;
    struct messages_options messages;
};

/** Delivered means: the queue has stored the message. fetch_init() comes first. ERR_CONFIG. */
NODISCARD bool sink_sqs(const struct sink_sqs_options *options, struct sink *out,
                        struct error *err);
