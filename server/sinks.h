/*
 * sinks.h - the configured sinks, each with the pump that delivers to it.
 *
 * Threads: all functions belong to one thread, but for sinks_reopen(), and for what pump.h says of
 * the pumps.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump.h"
#include "server/config/config.h"

struct sinks;

/** Nothing is opened yet. Everything is copied. ERR_SYSTEM. The caller owns it. */
NODISCARD bool sinks_create(const struct config *config, struct sinks **out, struct error *err);

/** Start delivering. `outbox` knows of these sinks and outlives them. */
NODISCARD bool sinks_start(struct sinks *sinks, struct outbox *outbox, struct error *err);

/** Files and connections are opened anew, and what waits to be tried again is tried at once. */
void sinks_reopen(struct sinks *sinks);

/** Deliver what is ready, for at most `patience_us`, and end. */
void sinks_stop(struct sinks *sinks, int64_t patience_us);

/** Stops them at once. NULL is fine. */
void sinks_destroy(struct sinks *sinks);

/** All pumps, as long as the sinks are there. */
struct pump *const *sinks_pumps(const struct sinks *sinks, size_t *count);
