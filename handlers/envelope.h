/*
 * envelope.h - the parts of an event: payload, id, time, replay name.
 *
 * EventBridge delivers `{"id":..., "detail-type":..., "source":..., "detail":{...}}`, a wrapped
 * `{"Data":..., "Metadata":...}` or a bare payload, so the route has the places of payload and id.
 *
 * Threads: pure functions.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "delivery/outbox/outbox.h"
#include "handlers/route.h"

enum { EVENT_ID_MAX = 256 }; /* bytes */

/** The payload, any JSON value. ERR_MALFORMED names the missing key. */
NODISCARD bool envelope_payload(const struct route *route, struct json_object *event,
                                struct arena *arena, struct json_object **out, struct error *err);

/** The id, a string of 1 to EVENT_ID_MAX bytes; ptr NULL: none. */
struct str envelope_id(const struct route *route, struct json_object *event);

/** The member `time` in microseconds since 1970; OUTBOX_NO_TIME: none in the form of RFC 3339. */
int64_t envelope_time(struct json_object *event);

/** The name of the replay that sent the event; ptr NULL: not from a replay. */
struct str envelope_replay_name(struct json_object *event);
