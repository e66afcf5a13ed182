/*
 * listeners.h - the addresses that the server listens on: those of the configuration, or sockets
 * that a service manager has opened; and whether the configuration may be served there.
 *
 * Threads: main only.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"
#include "server/http/listen.h"
#include "server/systemd.h"

struct listener {
    struct http_place at; /* port 0: any free one */
    int socket;           /* the service manager's; http_start() takes it over; 0: none */
};

struct listeners {
    struct listener main;
    struct listener metrics; /* used with `own_metrics` only */
    struct listener admin;   /* used with `has_admin` only */
    bool own_metrics;        /* /metrics is served on `metrics`, not on `main` */
    bool has_admin;          /* and on `admin` */
};

/**
 * The service manager's socket named `metrics` serves /metrics, the one named `admin` is the admin
 * address, its first other socket serves the rest.
 * ERR_CONFIG: a socket is no listening TCP socket, or there is one too many; or as
 * listeners_check(). Logs a warning when an exposed listener runs on an unsafe HTTP library.
 */
NODISCARD bool listeners_find(const struct config *config, struct systemd *systemd,
                              struct listeners *out, struct error *err);

/**
 * May `config` be served on these listeners? ERR_CONFIG: other machines can reach one of them, and
 * no credential is configured.
 */
NODISCARD bool listeners_check(const struct listeners *listeners, const struct config *config,
                               struct error *err);
