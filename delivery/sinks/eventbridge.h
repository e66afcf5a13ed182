/*
 * eventbridge.h - the sink that puts records as events on a bus of EventBridge.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 *
 * Threads: as sink.h.
 */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/entries.h"
#include "delivery/sinks/sink.h"

/** Everything must outlive the sink. */
struct sink_eventbridge_options {
    struct entries_options entries;
    const char *bus;    /* a name or an ARN; "": the account's default bus */
    const char *source; /* texts as in delivery/record_format.h */
    const char *detail_type;
    const char *time; /* JSON Pointer into the record; "": the time of the call */
};

/** Delivered means: the bus has taken the event. fetch_init() comes first. ERR_CONFIG. */
NODISCARD bool sink_eventbridge(const struct sink_eventbridge_options *options, struct sink *out,
                                struct error *err);
