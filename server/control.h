/*
 * control.h - the server's end of the control socket, for the commands that change an open store.
 *
 * One thread reads orders from a Unix socket (control_socket.h). Order and answer are a line each,
 * with a JSON object:
 *
 *   {"order":"replay","id":7}             {"ok":true,"status":200,"outcome":"valid"}
 *   {"order":"revive","id":7}             {"ok":true}
 *   {"order":"discard","ids":[7,8]}       {"ok":true,"gone":2}: refused events; discard-dead
 *   {"order":"move","sequence":7}         {"ok":true}
 *   {"order":"drop-sink","name":"hook"}   {"ok":false,"error":"..."}
 *   {"order":"pause","name":"hook"}       {"ok":true}
 *   {"order":"resume","name":"hook"}      {"ok":true}
 *   {"order":"again","sink":"hook",...}   {"ok":true,"count":9,...}: a portion of a replay
 *   {"order":"top"}                       {"ok":true,"top":{...},...}: metrics_write_state()
 *   {"order":"where"}                     {"ok":true,"host":"::1","port":8443,"tls":true}
 *   {"order":"shadow","name":"route-1"}   {"ok":true,"shadow":{...}}: catalog_write_shadow()
 *   {"order":"console"}                   {"ok":true,"url":"http://..."}: a link with a token
 *
 * The same thread runs the orders of the admin API (control_jobs.h, api.h), which also reads rows
 * (orders.h). Orders that change something are logged (`operator`).
 *
 * The same thread posts events again that the registry's failures had refused, once their schema is
 * usable: a few at a time and at lower priority, so that senders are hardly delayed, with orders in
 * between.
 *
 * Threads: all functions belong to one thread. Only control_stop() waits for an order under way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "handlers/handler.h"
#include "handlers/metrics.h"
#include "schema/registry/catalog.h"
#include "server/console_tokens.h"
#include "server/control_jobs.h"
#include "server/http/listen.h"

struct config;
struct control;
struct service;

enum { CONTROL_IDS_MAX = 500 }; /* in one order */

/** Where the server listens, which does not change while it runs. */
struct control_where {
    char host[HTTP_HOST_SIZE];
    uint16_t port;
    bool tls;
    char admin_host[HTTP_HOST_SIZE]; /* "": there is no admin address */
    uint16_t admin_port;
};

/**
 * What orders work with. Must live until control_stop(), or until control_use() has replaced it and
 * control_lags() is false.
 */
struct control_target {
    struct catalog *catalog;       /* knows which schemas are usable */
    struct handler events;         /* of POST /events */
    size_t max_batch;              /* events in one array */
    struct metrics *metrics;       /* for `top` */
    const struct service *service; /* for trials; NULL: there are none */
    const struct config *config;
};

/** The path is copied; the rest is borrowed until control_stop(). */
struct control_options {
    const char *store_path; /* "": no store, and so no control socket */
    struct outbox *outbox;  /* started */
    struct control_target target;
    int64_t deadline_us; /* for one event */
    struct control_where where;
    struct control_jobs *jobs;     /* of the admin API; NULL: there is none */
    struct console_tokens *tokens; /* likewise */
};

/** From now on work with `target`. Does not wait. */
void control_use(struct control *control, const struct control_target *target);

/** Does an order or a step under way still work with a replaced target? */
bool control_lags(struct control *control);

/** Listen. ERR_SYSTEM. The caller owns it. */
NODISCARD bool control_start(const struct control_options *options, struct control **out,
                             struct error *err);

/**
 * Stop the thread; events under way are answered as at their deadline. The outbox must still run.
 * NULL is fine.
 */
void control_stop(struct control *control);

/** Free it, after the outbox has stopped. NULL is fine. */
void control_destroy(struct control *control);
