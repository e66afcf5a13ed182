/*
 * control.h - orders from the command line to the server that has the store open.
 *
 * One thread takes them over a Unix socket (control_socket.h), an order a line and an answer a
 * line, both JSON objects:
 *
 *   {"order":"replay","id":7}             {"ok":true,"status":200,"outcome":"valid"}
 *   {"order":"revive","id":7}             {"ok":true}
 *   {"order":"move","sequence":7}         {"ok":true}
 *   {"order":"drop-sink","name":"hook"}   {"ok":false,"error":"..."}
 *   {"order":"where"}                     {"ok":true,"host":"::1","port":8443,"tls":true}
 *
 * The same thread posts events again that were refused for the registry's sake, once their schema
 * is usable.
 *
 * Threads: all functions belong to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox.h"
#include "handlers/handler.h"
#include "schema/catalog.h"
#include "server/http_listen.h"

struct control;

/** Where the server listens; the same as long as it runs. */
struct control_where {
    char host[HTTP_HOST_SIZE];
    uint16_t port;
    bool tls;
};

/** All borrowed, and alive until control_stop() or control_use(); the path is copied. */
struct control_options {
    const char *store_path;
    struct outbox *outbox;   /* started */
    struct catalog *catalog; /* says which schemas are usable */
    struct handler events;   /* of POST /events */
    int64_t deadline_us;     /* for one event's answer */
    struct control_where where;
};

/**
 * Use these from now on, for what replaced them; returns when nothing is under way with the old
 * ones.
 */
void control_use(struct control *control, struct handler events, struct catalog *catalog);

/** Listen. ERR_SYSTEM. The caller owns it. */
NODISCARD bool control_start(const struct control_options *options, struct control **out,
                             struct error *err);

/** End what is under way and the thread; the outbox must still run. NULL is fine. */
void control_stop(struct control *control);

/** Free it, after the outbox has ended. NULL is fine. */
void control_destroy(struct control *control);
