/*
 * metrics_sinks.h - how often records were handed to each sink, and what it said.
 *
 * What became of the records in the end is counted in the store (metrics_store.h).
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "delivery/pump.h"

/** The series of these sinks' attempts, in Prometheus' text format. */
void metrics_write_attempts(struct buf *out, struct pump *const *pumps, size_t count);
