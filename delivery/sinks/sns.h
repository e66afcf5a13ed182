/*
 * sns.h - the sink that publishes records to a topic of SNS, standard or FIFO.
 *
 * https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/messages.h"
#include "delivery/sinks/sink.h"

/** The options must outlive the sink. Delivered means: the topic has taken the message.
 * fetch_init() comes first. ERR_CONFIG. */
NODISCARD bool sink_sns(const struct entries_options *entries,
                        const struct messages_options *options, struct sink *out,
                        struct error *err);
