/*
 * housekeeping.h - what a server does beside serving, and what may wait for the disk: reloading,
 * looking at files that may have changed, ending services that a reload has replaced.
 *
 * All of it runs in one thread of its own, so that main only waits for signals and is there for
 * SIGTERM and the watchdog whatever the disk does.
 *
 * Threads: all functions belong to main's.
 */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "server/control.h"
#include "server/reload.h"
#include "server/systemd.h"

struct housekeeping;

/** All borrowed, and alive until housekeeping_stop(). */
struct housekeeping_options {
    struct reload_options reload;
    const struct systemd *systemd;
    struct control *control; /* NULL: no store */
};

/** Start the thread; `force` is what serves now. ERR_SYSTEM. The caller owns it. */
NODISCARD bool housekeeping_start(const struct housekeeping_options *options,
                                  const struct force *force, struct housekeeping **out,
                                  struct error *err);

/** Reload soon. Requests that come before it begins are one. */
void housekeeping_reload(struct housekeeping *housekeeping);

/** The server ends: what is in force stays, whatever a reload is at. Does not wait for one. */
struct force housekeeping_freeze(struct housekeeping *housekeeping);

/** End the thread, after what it is at, and the threads of replaced services. NULL is fine. */
void housekeeping_stop(struct housekeeping *housekeeping);

/** End the replaced services; the server has stopped. NULL is fine. */
void housekeeping_destroy(struct housekeeping *housekeeping);

/** What orders work with while `force` serves. */
struct control_target housekeeping_target(const struct force *force);

/** Log as it says from now on. */
void housekeeping_log(const struct config_log *config);

/** Warn of a configuration that sends secrets in clear text, or has routes that are never reached.
 */
void housekeeping_warn(const struct config *config);
