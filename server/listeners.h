/*
 * listeners.h - where the server listens: as the configuration says, or on the sockets that a
 * service manager has opened for it; and whether it may listen there.
 *
 * Threads: belongs to main's.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"
#include "server/http/listen.h"
#include "server/systemd.h"

struct place {
    struct http_place at; /* port 0: any free one */
    int socket;           /* the manager's, to be closed by whoever listens; 0: none */
};

struct places {
    struct place listen;
    struct place metrics; /* only with `own_metrics` */
    bool own_metrics;     /* /metrics is not served on `listen` */
};

/**
 * The manager's socket named `metrics` is taken for /metrics, the first other one for the rest.
 * ERR_CONFIG: a socket is unfit, or a place can be reached from other machines, and no credential
 * is configured, or this HTTP library can be crashed by anybody (a warning goes to the log where
 * that is accepted).
 */
NODISCARD bool places_find(const struct config *config, struct systemd *systemd, struct places *out,
                           struct error *err);

/** May this configuration be served at these places? ERR_CONFIG as above. */
NODISCARD bool places_permit(const struct places *places, const struct config *config,
                             struct error *err);
