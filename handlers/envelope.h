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
#include "base/flat.h"
#include "delivery/outbox/outbox.h"
#include "handlers/route.h"

enum { EVENT_ID_MAX = 256 }; /* bytes */

/** The payload, any JSON value. ERR_MALFORMED names the missing key. */
NODISCARD bool envelope_payload(const struct route *route, const struct flat *event,
                                struct arena *arena, const struct flat **out, struct error *err);

/** The id, a string of 1 to EVENT_ID_MAX bytes; ptr NULL: none. */
struct str envelope_id(const struct route *route, const struct flat *event);

/**
 * The member `time` in microseconds since 1970; OUTBOX_NO_TIME: none in the form of RFC 3339. The
 * event may be NULL, here and below: the text was malformed.
 */
int64_t envelope_time(const struct flat *event);

/** The name of the replay that sent the event; ptr NULL: not from a replay. */
struct str envelope_replay_name(const struct flat *event);
