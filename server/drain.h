/*
 * drain.h - delivers everything that waits in the store, without a server: before its volume is
 * given up.
 *
 * Threads: main only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "server/config/config.h"

/**
 * Open the store, start the sinks, and return when nothing waits for them any more, after
 * `timeout_us` (0: never), or at SIGTERM or SIGINT. `*counters` is what is left. ERR_SYSTEM: a
 * server has the store, or it cannot be opened.
 */
NODISCARD bool drain_run(const struct config *config, int64_t timeout_us,
                         struct outbox_counters *counters, struct error *err);
