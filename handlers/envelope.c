/*
 * envelope.c - see envelope.h.
 */
#include "handlers/envelope.h"

#include "base/clock.h"

bool envelope_payload(const struct route *route, const struct flat *event, struct arena *arena,
                      const struct flat **out, struct error *err)
{
    if (flat_pointer_find(route->payload, event, out, NULL) == JSON_FOUND)
        return true;

    struct str key = json_pointer_dotted(route->payload, json_pointer_depth(route->payload), arena);

    return fail(err, ERR_MALFORMED, "Invalid EventBridge payload: missing '%.*s' key",
                STR_ARG(key));
}

struct str envelope_id(const struct route *route, const struct flat *event)
{
    const struct flat *value;

    if (flat_pointer_find(route->id, event, &value, NULL) != JSON_FOUND || !flat_is_string(value))
        return STR_NONE;

    struct str id = flat_str(value);

    return id.len >= 1 && id.len <= EVENT_ID_MAX ? id : STR_NONE;
}

/* A member of the envelope; ptr NULL: no such member, or there is no event, or no object. */
static struct str find_member(const struct flat *event, struct str key)
{
    return event && flat_is_object(event) ? flat_find_str(event, key) : STR_NONE;
}

int64_t envelope_time(const struct flat *event)
{
    int64_t us;

    return clock_parse(find_member(event, STR("time")), &us) ? us : OUTBOX_NO_TIME;
}

struct str envelope_replay_name(const struct flat *event)
{
    struct str name = find_member(event, STR("replay-name"));

    return name.len > 0 ? name : STR_NONE;
}
