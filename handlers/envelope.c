/*
 * envelope.c - see envelope.h.
 */
#include "handlers/envelope.h"

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
