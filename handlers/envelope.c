/*
 * envelope.c - see envelope.h.
 */
#include "handlers/envelope.h"

#include "base/clock.h"

bool envelope_payload(const struct route *route, struct json_object *event, struct arena *arena,
                      struct json_object **out, struct error *err)
{
    if (json_pointer_find(route->payload, event, out, NULL) == JSON_FOUND)
        return true;

    struct str key = json_pointer_dotted(route->payload, json_pointer_depth(route->payload), arena);

    return fail(err, ERR_MALFORMED, "Invalid EventBridge payload: missing '%.*s' key",
                STR_ARG(key));
}

struct str envelope_id(const struct route *route, struct json_object *event)
{
    struct json_object *value;

    if (json_pointer_find(route->id, event, &value, NULL) != JSON_FOUND || !json_is_string(value))
        return STR_NONE;

    struct str id = json_str(value);

    return id.len >= 1 && id.len <= EVENT_ID_MAX ? id : STR_NONE;
}

/* A member of the envelope; ptr NULL: no such member, or the event is not an object. */
static struct str find_member(struct json_object *event, const char *key)
{
    return json_is_object(event) ? json_find_str(event, key) : STR_NONE;
}

int64_t envelope_time(struct json_object *event)
{
    int64_t us;

    return clock_parse(find_member(event, "time"), &us) ? us : OUTBOX_NO_TIME;
}

struct str envelope_replay_name(struct json_object *event)
{
    struct str name = find_member(event, "replay-name");

    return name.len > 0 ? name : STR_NONE;
}
