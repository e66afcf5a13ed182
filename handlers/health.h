/*
 * health.h - GET / and /healthz (is the process there?) and /readyz (would an event be taken?).
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

/** All three must outlive it; `outbox` NULL: no store. The caller owns it. */
struct health *health_create(struct catalog *catalog, const struct outbox *outbox,
                             const char *version);

/** NULL is fine. */
void health_destroy(struct health *health);

/** From now on not ready: the server is going away. */
void health_set_draining(struct health *health);

/** `lacks_memory(self)`: was a body refused recently because there was no memory for it? */
void health_ask_memory(struct health *health, bool (*lacks_memory)(void *self), void *self);

/** Would an event be taken now? */
bool health_is_ready(const struct health *health);

/** GET /: name and version. */
struct handler health_root_handler(struct health *health);

/** GET /healthz: 200 while the process runs; depends on nothing. */
struct handler health_live_handler(struct health *health);

/** GET /readyz: 200 or 503, with each check's word. */
struct handler health_ready_handler(struct health *health);
