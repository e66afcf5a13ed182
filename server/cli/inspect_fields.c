/*
 * inspect_fields.c - says what of a sink's calls comes from the record, and so from what senders
 * write: keys, groups, prefixes, types.
 */
#include "delivery/record_format.h"
#include "server/cli/inspect_internal.h"

static void say(const struct inspection *inspection, size_t index, const char *key,
                const char *source)
{
    inspect_say(inspection, INSPECT_FINE, INSPECT_EVENT_FIELD,
                arena_printf(inspection->arena, "/sinks/%zu/%s", index, key).ptr,
                "%s: comes from the record: %s", inspection->config->sinks[index].name, source);
}

/* A pointer into the record; "": none. */
static void say_pointer(const struct inspection *inspection, size_t index, const char *key,
                        const char *pointer)
{
    if (*pointer)
        say(inspection, index, key, pointer);
}

/* A text with places. One that is wrong is reported elsewhere. */
static void say_format(const struct inspection *inspection, size_t index, const char *key,
                       const char *text)
{
    struct record_format *format;
    struct error err;

    if (!record_format_create_timed(str_from_c(text), &format, &err))
        return;
    if (!record_format_is_fixed(format))
        say(inspection, index, key, text);
    record_format_destroy(format);
}

/* Names and pointers; "" as the pointer is the idempotency key. */
static void say_pairs(const struct inspection *inspection, size_t index, const char *key,
                      const struct config_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        say_pointer(inspection, index,
                    arena_printf(inspection->arena, "%s/%s", key, pairs->list[i].key).ptr,
                    pairs->list[i].value);
}

void inspect_sink_fields(const struct inspection *inspection, size_t index)
{
    const struct config_sink *sink = &inspection->config->sinks[index];

    say_pointer(inspection, index, "key", sink->key);
    say_pointer(inspection, index, "partition_key", sink->partition_key);
    say_pointer(inspection, index, "group_id", sink->group_id);
    say_pointer(inspection, index, "time", sink->time);
    say_format(inspection, index, "prefix", sink->prefix);
    say_format(inspection, index, "source", sink->source);
    say_format(inspection, index, "detail_type", sink->detail_type);
    say_pairs(inspection, index, "attributes", &sink->attributes);
    say_pairs(inspection, index, "hash_key", &sink->hash_key);
    say_pairs(inspection, index, "range_key", &sink->range_key);
}
