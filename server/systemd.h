/*
 * systemd.h - the protocol between a service manager and its service (sd_notify(3),
 * sd_listen_fds(3)), without libsystemd.
 *
 * Without a service manager every function does nothing.
 *
 * Threads: main only, except systemd_notify() and systemd_notify_reloading().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct systemd;

/** Read and remove the variables that the manager has set. The caller owns it. */
struct systemd *systemd_create(void);

/** Close the sockets that were not taken. NULL is fine. */
void systemd_destroy(struct systemd *systemd);

/** Send a state to the manager: "READY=1", "STOPPING=1", "WATCHDOG=1". */
void systemd_notify(const struct systemd *systemd, const char *state);

/** Notify it that a reload begins; "READY=1" ends the reload. */
void systemd_notify_reloading(const struct systemd *systemd);

/** The interval in which the manager expects "WATCHDOG=1", in microseconds; 0: it does not. */
int64_t systemd_watchdog_us(const struct systemd *systemd);

/**
 * Take the manager's socket `name`; NULL: the first one left whose name is not that of a taken one.
 * The caller closes it. `*out` is -1 when there is none. ERR_CONFIG: it is no listening TCP socket.
 */
NODISCARD bool systemd_take_socket(struct systemd *systemd, const char *name, int *out,
                                   struct error *err);

/** ERR_CONFIG: a socket was not taken, so its clients would wait for ever. */
NODISCARD bool systemd_check_taken(const struct systemd *systemd, struct error *err);
