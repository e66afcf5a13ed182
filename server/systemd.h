/*
 * systemd.h - what a service manager and its service say to each other (sd_notify(3),
 * sd_listen_fds(3)), in its own words: no library is needed for it.
 *
 * Without a manager every function does nothing. Threads: all belong to main's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct systemd;

/** Take from the environment what the manager has put there, once. The caller owns it. */
struct systemd *systemd_create(void);

/** Sockets that nobody took are closed. NULL is fine. */
void systemd_destroy(struct systemd *systemd);

/** Tell the manager, as "READY=1" or "STOPPING=1". */
void systemd_tell(const struct systemd *systemd, const char *state);

/** Tell it that a reload begins; "READY=1" tells of its end. */
void systemd_tell_reloading(const struct systemd *systemd);

/** How often the manager wants to hear "WATCHDOG=1", in microseconds; 0: it does not. */
int64_t systemd_watchdog_us(const struct systemd *systemd);

/**
 * Take the socket that the manager calls `name` (NULL: the first that is left and has not the name
 * of one that was taken), to be closed by the caller. `*out` is -1 when there is none. ERR_CONFIG:
 * it is not a TCP socket that listens.
 */
NODISCARD bool systemd_take_socket(struct systemd *systemd, const char *name, int *out,
                                   struct error *err);

/** ERR_CONFIG: a socket was not taken, and whoever connects to it would wait for ever. */
NODISCARD bool systemd_check_taken(const struct systemd *systemd, struct error *err);
