/*
 * eventbridge.c - see eventbridge.h.
 *
 * A record is the event's detail, which must be an object; another one becomes {"record": ...}.
 */
#include "delivery/sinks/eventbridge.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/tracing/context.h"
#include "delivery/record_format.h"
#include "delivery/record_text.h"

enum {
    EVENTBRIDGE_ENTRIES = 10,
    EVENTBRIDGE_CALL_BYTES = 256 * 1024,   /* what every region takes */
    EVENTBRIDGE_EVENT_BYTES = 1024 * 1024, /* of one event alone, where it is allowed */
    EVENTBRIDGE_TIME_BYTES = 14,           /* that a time counts */
    EVENTBRIDGE_SOURCE_BYTES = 256,
    EVENTBRIDGE_TYPE_BYTES = 128,
};

struct sink_eventbridge {
    struct arena *arena;
    const char *bus; /* "": the default one */
    struct record_format *source;
    struct record_format *detail_type;
    struct json_pointer *time; /* NULL: none */
};

/* The parts of one event. */
struct eventbridge_event {
    struct str source;
    struct str detail_type;
    struct str detail;
    struct str trace; /* ptr NULL: none; it does not count */
    int64_t time_us;
};

/* The time in the record; without one the time of acceptance. */
static int64_t event_time(const struct sink_eventbridge *bridge, const struct entries_item *item)
{
    const struct flat *value = NULL;
    int64_t us;

    if (flat_pointer_find(bridge->time, item->tree, &value, NULL) == JSON_FOUND &&
        record_time(value, &us))
        return us;
    return item->record->accepted_us;
}

static bool fill_text(const struct record_format *format, size_t max, struct entries_item *item,
                      struct str *out)
{
    const struct record_format_place place = { .record = item->tree,
                                               .max = max,
                                               .arena = item->arena };

    return record_format_fill(format, &place, out, &item->error);
}

static bool make_event(const struct sink_eventbridge *bridge, struct entries_item *item,
                       struct eventbridge_event *event)
{
    struct str record = item->record->bytes;

    if (!fill_text(bridge->source, EVENTBRIDGE_SOURCE_BYTES, item, &event->source))
        return fail_within(&item->error, "source");
    if (str_starts_with(event->source, STR("aws.")))
        return fail(&item->error, ERR_INVALID,
                    "source: EventBridge takes none that begins with aws.");
    if (!fill_text(bridge->detail_type, EVENTBRIDGE_TYPE_BYTES, item, &event->detail_type))
        return fail_within(&item->error, "detail_type");
    event->detail = str_starts_with(json_span(record), STR("{"))
                        ? record
                        : arena_printf(item->arena, "{\"record\":%.*s}", STR_ARG(record));
    event->trace = trace_context_for_aws(item->arena, item->record->origin.traceparent);
    item->size = event->source.len + event->detail_type.len + event->detail.len;
    if (bridge->time) {
        event->time_us = event_time(bridge, item);
        item->size += EVENTBRIDGE_TIME_BYTES;
    }
    if (item->size > EVENTBRIDGE_EVENT_BYTES)
        return fail(&item->error, ERR_INVALID, "the event has %zu bytes; EventBridge takes %d",
                    item->size, EVENTBRIDGE_EVENT_BYTES);
    return true;
}

static enum entries_added eventbridge_add(void *self, struct entries_call *call,
                                          struct entries_item *item)
{
    const struct sink_eventbridge *bridge = self;
    struct eventbridge_event event;

    if (!make_event(bridge, item, &event))
        return ENTRIES_IMPOSSIBLE;
    buf_add_char(call->body, '{');
    member_text(call->body, "Source", event.source);
    member_text(call->body, "DetailType", event.detail_type);
    if (bridge->time)
        member_int(call->body, "Time", event.time_us / US_PER_S);
    if (*bridge->bus)
        member_text(call->body, "EventBusName", str_from_c(bridge->bus));
    if (event.trace.ptr)
        member_text(call->body, "TraceHeader", event.trace);
    member_text(call->body, "Detail", event.detail);
    buf_add_char(call->body, '}');
    return ENTRIES_ADDED;
}

static void eventbridge_judge(void *self, struct entries_call *call, struct json_object *answer)
{
    (void)self;
    entries_judge_by_position(call, answer, "Entries", "EventId");
}

static size_t eventbridge_cost(void *self, const struct sink_record *record)
{
    (void)self;
    return record->bytes.len + EVENTBRIDGE_TYPE_BYTES;
}

static void eventbridge_destroy(void *self)
{
    struct sink_eventbridge *bridge = self;

    record_format_destroy(bridge->source);
    record_format_destroy(bridge->detail_type);
    json_pointer_destroy(bridge->time);
    arena_destroy(bridge->arena);
    mem_free(bridge);
}

static bool compile_texts(struct sink_eventbridge *bridge,
                          const struct sink_eventbridge_options *options, struct error *err)
{
    return record_format_create(str_from_c(options->source), &bridge->source, err) &&
           record_format_create(str_from_c(options->detail_type), &bridge->detail_type, err) &&
           entries_pointer(options->time, &bridge->time, err);
}

static bool reads_records(const struct sink_eventbridge *bridge)
{
    return bridge->time || record_format_needs_record(bridge->source) ||
           record_format_needs_record(bridge->detail_type);
}

bool sink_eventbridge(const struct sink_eventbridge_options *options, struct sink *out,
                      struct error *err)
{
    struct sink_eventbridge *bridge = mem_alloc(sizeof(*bridge));

    bridge->arena = arena_create();
    bridge->bus = arena_copy(bridge->arena, str_from_c(options->bus)).ptr;
    if (compile_texts(bridge, options, err) &&
        entries_create(&options->entries,
                       &(struct entries_target){
                           .service = "eventbridge",
                           .operation = "PutEvents",
                           .right = "events:PutEvents",
                           .max_records = EVENTBRIDGE_ENTRIES,
                           .max_bytes = EVENTBRIDGE_CALL_BYTES,
                           .reads_records = reads_records(bridge),
                           .head = STR("{\"Entries\":["),
                           .separator = STR(","),
                           .tail = STR("]}"),
                           .add = eventbridge_add,
                           .judge = eventbridge_judge,
                           .cost = eventbridge_cost,
                           .destroy = eventbridge_destroy,
                           .self = bridge,
                       },
                       out, err))
        return true;
    eventbridge_destroy(bridge);
    return false;
}
