/*
 * sinks.h - the configured sinks, each with the pump that delivers to it.
 *
 * Threads: all functions belong to one thread, except sinks_reopen() and what pump.h allows for the
 * pumps.
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

/**
 * Opens nothing, and copies everything. `tracer` takes the spans of deliveries and must outlive the
 * sinks; NULL: none. ERR_SYSTEM. The caller owns it.
 */
NODISCARD bool sinks_create(const struct config *config, struct tracer *tracer, struct sinks **out,
                            struct error *err);

/** Start delivering. `outbox` was created with these sinks and must outlive them. */
NODISCARD bool sinks_start(struct sinks *sinks, struct outbox *outbox, struct error *err);

/** Reopen files and connections, and retry waiting records at once. */
void sinks_reopen(struct sinks *sinks);

/** Deliver what is ready, for at most `timeout_us`, and stop. */
void sinks_stop(struct sinks *sinks, int64_t timeout_us);

/** Stop them at once, and free them. NULL is fine. */
void sinks_destroy(struct sinks *sinks);

/** All pumps; valid until sinks_destroy(). */
struct pump *const *sinks_pumps(const struct sinks *sinks, size_t *count);
