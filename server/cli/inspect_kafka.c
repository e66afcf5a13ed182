/*
 * inspect_kafka.c - asks the brokers of a Kafka sink about its topic.
 */
#include "base/clock.h"
#include "server/cli/inspect_internal.h"
#include "server/sink_kinds.h"

enum { TIMEOUT_US = 5 * US_PER_S };

void inspect_kafka(const struct inspection *inspection, size_t index)
{
    const struct config_sink *sink = &inspection->config->sinks[index];
    const char *pointer = arena_printf(inspection->arena, "/sinks/%zu/topic", index).ptr;
    const struct sink_maker maker = {
        .arena = arena_create(),
        .aws = &inspection->config->aws,
        .sessions = sink_sessions_create(),
    };
    struct kafka_producer_options options;
    struct error err = { 0 };
    size_t partitions = 0;

    if (sink_make_kafka(&maker, sink, &options, &err) &&
        kafka_producer_look(&options, TIMEOUT_US, &partitions, &err))
        inspect_say(inspection, INSPECT_FINE, "sink", pointer, "%s: topic %s: %zu partition%s",
                    sink->name, sink->topic, partitions, partitions == 1 ? "" : "s");
    else
        inspect_say(inspection, INSPECT_FAILURE, "sink", pointer, "%s: topic %s: %s", sink->name,
                    sink->topic, err.text);
    arena_destroy(maker.arena);
    sink_sessions_destroy(maker.sessions);
}
