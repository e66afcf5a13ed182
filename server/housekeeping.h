/*
 * housekeeping.h - the server's work beside requests that may wait for the disk: it reloads the
 * configuration, looks at files that may have changed, and destroys the services that a reload has
 * replaced.
 *
 * All of it runs in one thread of its own. Main only waits for signals and feeds the watchdog, so
 * it answers SIGTERM whatever the disk does.
 *
 * Threads: all functions are for main only.
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

/** Start the thread; `current` is what serves now. ERR_SYSTEM. The caller owns it. */
NODISCARD bool housekeeping_start(const struct housekeeping_options *options,
                                  const struct generation *current, struct housekeeping **out,
                                  struct error *err);

/** Ask for a reload. Several requests before it begins are one. */
void housekeeping_reload(struct housekeeping *housekeeping);

/** From now on no reload changes anything. Returns what serves; does not wait for the disk. */
struct generation housekeeping_freeze(struct housekeeping *housekeeping);

/** Wait for the thread to end, then stop the threads of replaced services. NULL is fine. */
void housekeeping_stop(struct housekeeping *housekeeping);

/** Destroy the replaced services, after the server has stopped. NULL is fine. */
void housekeeping_destroy(struct housekeeping *housekeeping);

/** What control orders work with while `generation` serves. */
struct control_target housekeeping_target(const struct generation *generation);

/** Configure the log. */
void housekeeping_log(const struct config_log *config);

/** Log a warning for secrets sent in clear text, and for each route that is never reached. */
void housekeeping_warn(const struct config *config);
