/*
 * sink_kinds.h - makes a sink from its configuration: one function for each kind.
 *
 * Threads: one thread, before the sinks run.
 */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/kafka_producer.h"
#include "delivery/sinks/sink.h"
#include "server/config/config.h"
#include "server/sink_sessions.h"

/** What sinks are made with. */
struct sink_maker {
    struct arena *arena;            /* of the sink's name and options; outlives it */
    struct config_strings taken;    /* files that no sink may write to; in the arena */
    const struct config_aws *aws;   /* what the sinks do not set themselves */
    struct sink_sessions *sessions; /* outlive the arena */
    bool is_awaited;                /* there is no store: senders wait for each record */
};

/** Opens nothing, and copies everything. The caller destroys `*out`. ERR_CONFIG. */
NODISCARD bool sink_make(const struct sink_maker *maker, const struct config_sink *config,
                         struct sink *out, struct error *err);

/** What the producer of a Kafka sink needs. It copies and refuses as sink_make() does. */
NODISCARD bool sink_make_kafka(const struct sink_maker *maker, const struct config_sink *config,
                               struct kafka_producer_options *out, struct error *err);
