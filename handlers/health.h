/*
 * health.h - GET / and /healthz (does the process run?) and /readyz (would an event be accepted?).
 *
 * Threads: health_set_draining() from any thread; the handlers run on any loop thread.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "delivery/outbox/outbox.h"
#include "handlers/handler.h"
#include "schema/registry/catalog.h"

struct health;

/** All three must outlive the result, which the caller owns. `outbox` NULL: no store. */
struct health *health_create(struct catalog *catalog, const struct outbox *outbox,
                             const char *version);

/** NULL is fine. */
void health_destroy(struct health *health);

/** Not ready from now on: the server stops. */
void health_set_draining(struct health *health);

/** `lacks_memory(self)`: was a body refused recently for lack of memory? */
void health_ask_memory(struct health *health, bool (*lacks_memory)(void *self), void *self);

/** Would an event be accepted now? */
bool health_is_ready(const struct health *health);

/** GET /: name and version. */
struct handler health_root_handler(struct health *health);

/** GET /healthz: 200 while the process runs, whatever else fails. */
struct handler health_live_handler(struct health *health);

/** GET /readyz: 200 or 503, with the result of each check. */
struct handler health_ready_handler(struct health *health);
