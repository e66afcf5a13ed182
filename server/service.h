/*
 * service.h - the parts that handle events, built from a configuration; everything but the network.
 *
 * Threads: all functions belong to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aws/session.h"
#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "handlers/auth/auth.h"
#include "handlers/events.h"
#include "handlers/health.h"
#include "handlers/metrics.h"
#include "handlers/route.h"
#include "handlers/slow_lane.h"
#include "schema/registry/catalog.h"
#include "server/admin_guard.h"
#include "server/api.h"
#include "server/config/config.h"
#include "server/console.h"
#include "server/secrets.h"
#include "server/sinks.h"

/** All parts; owned by the service, except what it borrows. */
struct service {
    struct config *catalog_config; /* that the catalog was made from; shared */
    struct aws_session *session;   /* NULL: AWS is not used */
    struct catalog_pin *pins;
    struct catalog *catalog;
    struct routes *routes;
    struct secrets *secrets;   /* NULL: none of AWS Secrets Manager is named */
    struct auth *auth;         /* NULL: no credential is configured */
    struct outbox *outbox;     /* NULL: neither store nor sink is configured, or not for serving */
    struct sinks *sinks;       /* NULL when there is no outbox */
    struct sink_set *sink_set; /* likewise; those of this configuration */
    struct health *health;
    struct metrics *metrics;
    struct events *events;
    struct auth *admin_auth;   /* NULL: no credential of the admin address is configured */
    struct admin_guard *guard; /* NULL: there is no admin address */
    struct api *api;           /* likewise */
    struct console *console;   /* likewise */
    bool borrows_catalog;      /* with its pins: of the predecessor or the successor */
    bool borrows_store;        /* with all sinks, likewise */
};

enum {
    SERVICE_HANDLERS = 5,
    SERVICE_ADMIN_HANDLERS = 3 + API_HANDLERS + CONSOLE_HANDLERS,
};

struct service_options {
    size_t (*connections)(void *self);            /* for the metrics; NULL: none */
    size_t (*inflight_bytes)(void *self);         /* likewise */
    bool (*lacks_memory)(void *self);             /* of health.h; likewise */
    int64_t (*certificate_expires_s)(void *self); /* of metrics.h; NULL: none */
    void *self;
    struct slow_lane *lane;        /* must outlive the service; NULL: none */
    struct service *predecessor;   /* NULL: none */
    struct control_jobs *jobs;     /* of the admin API; NULL: there is no admin address */
    struct console_tokens *tokens; /* likewise; both must outlive the service */
    const char *admin_host;        /* the address */
    struct tracer *tracer;         /* must outlive the service; NULL: none */
};

/**
 * Build everything, load the schemas and open the store. The caller starts the store and the sinks.
 * `options` NULL: not for serving, so nothing is written or kept. The caller owns it; `config` must
 * outlive it.
 *
 * With a predecessor, the service borrows its store, its sinks, its counts and, if the same schemas
 * are read in the same way, its catalog, until service_succeed(). ERR_CONFIG: a schema is not
 * usable that the predecessor can use.
 */
NODISCARD bool service_create(const struct config *config, const struct service_options *options,
                              struct service **out, struct error *err);

/**
 * service_create() without options that asks no network: of a registry other than files it takes
 * the versions that a server keeps on disk.
 */
NODISCARD bool service_create_offline(const struct config *config, struct service **out,
                                      struct error *err);

/** The store of a configuration, which knows its sinks. ERR_SYSTEM, ERR_CONFIG. */
NODISCARD bool service_open_store(const struct config *config, struct outbox **outbox,
                                  struct error *err);

/**
 * The store learns of the sinks that the predecessor does not have; if there are none, it may be
 * failing. ERR_CONFIG, ERR_UNAVAILABLE.
 */
NODISCARD bool service_add_sinks(const struct service *service, const struct service *predecessor,
                                 const struct config *config, struct error *err);

/** A service with a catalog only, which has loaded each schema once. */
NODISCARD bool service_create_schemas(const struct config *config, struct service **out,
                                      struct error *err);

/** The slot of that sink of the configuration; its index, if the service is not for serving. */
size_t service_sink_slot(const struct service *service, size_t index);

/**
 * Start the threads of the authentication, before the first request. `predecessor` (may be NULL)
 * passes on the keys that it has fetched. ERR_SYSTEM.
 */
NODISCARD bool service_start(struct service *service, struct service *predecessor,
                             struct error *err);

/** The service serves: transfer ownership of the shared parts from the predecessor to it. */
void service_succeed(struct service *service, struct service *predecessor);

/** All handlers; the last is that of /metrics. */
void service_handlers(const struct service *service, struct handler out[static SERVICE_HANDLERS]);

/** Those of the admin address. */
void service_admin_handlers(const struct service *service,
                            struct handler out[static SERVICE_ADMIN_HANDLERS]);

/** Destroy predecessors first. NULL is fine. */
void service_destroy(struct service *service);
