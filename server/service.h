/*
 * service.h - the pipeline put together from a configuration, without a network.
 *
 * Threads: create, load and destroy belong to one thread.
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
#include "server/config/config.h"
#include "server/sinks.h"

/** All parts; owned by the service. */
struct service {
    struct config *catalog_config; /* what the catalog was made from; shared */
    struct aws_session *session;   /* NULL: nothing of AWS is used */
    struct catalog_pin *pins;
    struct catalog *catalog;
    struct routes *routes;
    struct auth *auth;     /* NULL: no credential is configured */
    struct outbox *outbox; /* NULL: neither store nor sink is configured, or nothing is served */
    struct sinks *sinks;   /* NULL when there is no outbox */
    struct health *health;
    struct metrics *metrics;
    struct events *events;
    bool borrows_catalog; /* with its pins: a predecessor's, or a successor's */
    bool borrows_store;   /* likewise */
};

enum { SERVICE_HANDLERS = 5 };

struct service_options {
    size_t (*connections)(void *self);            /* for the metrics; NULL: there are none */
    size_t (*inflight_bytes)(void *self);         /* likewise */
    bool (*lacks_memory)(void *self);             /* of health.h; likewise */
    int64_t (*certificate_expires_s)(void *self); /* of metrics.h; NULL: there is none */
    void *self;
    struct slow_lane *lane;      /* must outlive the service; NULL: none */
    struct service *predecessor; /* NULL: none, see below */
};

/**
 * Build everything, load the schemas and open the store (which is for the caller to start, as are
 * the sinks);
 * `options` NULL: not for serving, so nothing is written and nothing kept. The caller owns it;
 * `config` must outlive it.
 *
 * With a predecessor the store, the counts and, when nothing about them changes, the live schemas
 * are its; a schema that it has and that would be missing is an error (ERR_CONFIG). It owns them
 * until service_succeed().
 */
NODISCARD bool service_create(const struct config *config, const struct service_options *options,
                              struct service **out, struct error *err);

/** Of a service only `catalog`, with one look at each schema: for looking at them. */
NODISCARD bool service_create_schemas(const struct config *config, struct service **out,
                                      struct error *err);

/** Does a server keep copies of schemas in registry.cache_dir? */
bool service_needs_cache(const struct config_registry *config);

/**
 * Start what runs beside the requests; before the first of them. What `predecessor` (may be NULL)
 * has fetched already need not be fetched again. ERR_SYSTEM.
 */
NODISCARD bool service_start(struct service *service, struct service *predecessor,
                             struct error *err);

/** The successor serves: what it has of its predecessor is its own now. */
void service_succeed(struct service *service, struct service *predecessor);

/** All handlers; that of /metrics is the last. */
void service_handlers(const struct service *service, struct handler out[static SERVICE_HANDLERS]);

/** Predecessors first. NULL is fine. */
void service_destroy(struct service *service);
