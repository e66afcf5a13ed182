/*
 * sqs.h - the sink that sends records to a queue of SQS, standard or FIFO.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/messages.h"
#include "delivery/sinks/sink.h"

/** The options must outlive the sink. Delivered means: the queue has stored the message.
 * fetch_init() comes first. ERR_CONFIG. */
NODISCARD bool sink_sqs(const struct entries_options *entries,
                        const struct messages_options *options, struct sink *out,
                        struct error *err);
