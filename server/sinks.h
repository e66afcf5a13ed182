/*
 * sinks.h - the sinks of the process, each with the pump that delivers to it.
 *
 * Each configuration has a set of sinks. A sink has a slot, the number of its bit in the masks of
 * routes and records (delivery/outbox/outbox.h), as long as a set has a sink of its name. In the
 * next set a sink with the same settings has the same pump. If they have changed, the new pump
 * starts when the old one has ended its deliveries. When no set has the sink any more, its pump
 * ends likewise, and the outbox removes it.
 *
 * Threads: all functions belong to one thread at a time, except what pump.h allows for the pumps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump.h"
#include "server/config/config.h"

struct sinks;

/** The sinks of one configuration. */
struct sink_set;

/**
 * None yet. `tracer` takes the spans of deliveries and must outlive the sinks; NULL: none. The
 * caller owns it.
 */
struct sinks *sinks_create(struct tracer *tracer);

/** Stop all at once, and free them; destroy the sets first. NULL is fine. */
void sinks_destroy(struct sinks *sinks);

/**
 * Opens nothing, and copies everything. The first set has the slots 0, 1, ... ERR_SYSTEM,
 * ERR_CONFIG. The caller owns it.
 */
NODISCARD bool sink_set_create(struct sinks *sinks, const struct config *config,
                               struct sink_set **out, struct error *err);

/** sinks_tend() ends those that no other set has. NULL is fine. */
void sink_set_destroy(struct sink_set *set);

/** The pumps in the order of the configuration; valid until sink_set_destroy(). */
struct pump *const *sink_set_pumps(const struct sink_set *set, size_t *count);

/** The slot of that sink of the configuration. */
size_t sink_set_slot(const struct sink_set *set, size_t index);

/** Names of sinks, with commas in between. */
struct sink_changes {
    struct str added;
    struct str removed;
    struct str changed;
};

/** How `after` differs from `before`; texts in `arena`. */
struct sink_changes sink_set_compare(const struct sink_set *before, const struct sink_set *after,
                                     struct arena *arena);

/** Start delivering to the first set. `outbox` knows its sinks and must outlive them. */
NODISCARD bool sinks_start(struct sinks *sinks, const struct sink_set *set, struct outbox *outbox,
                           struct error *err);

/** Deliver to this set from now on. `outbox` knows its sinks; sinks_tend() starts its pumps. */
void sinks_use(struct sinks *sinks, const struct sink_set *set);

/** End and start pumps, without waiting for deliveries. False: call it again soon. */
bool sinks_tend(struct sinks *sinks);

/** Reopen files and connections, and retry waiting records at once. */
void sinks_reopen(struct sinks *sinks);

/** Deliver what is ready, for at most `timeout_us`, and stop. */
void sinks_stop(struct sinks *sinks, int64_t timeout_us);
