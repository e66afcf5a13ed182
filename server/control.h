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
 * is usable: as many at a time as one commit takes well, so that senders hardly notice, and orders
 * in between.
 *
 * Threads: all functions belong to one thread. None waits for an order, except control_stop().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "handlers/handler.h"
#include "schema/registry/catalog.h"
#include "server/http/listen.h"

struct control;

/** Where the server listens; the same as long as it runs. */
struct control_where {
    char host[HTTP_HOST_SIZE];
    uint16_t port;
    bool tls;
};

/** What orders work with; alive until control_stop(), or control_use() and !control_lags(). */
struct control_target {
    struct catalog *catalog; /* says which schemas are usable */
    struct handler events;   /* of POST /events */
    size_t max_batch;        /* events of an array that it takes */
};

/** All borrowed, and alive until control_stop(); the path is copied. */
struct control_options {
    const char *store_path;
    struct outbox *outbox; /* started */
    struct control_target target;
    int64_t deadline_us; /* for one answer */
    struct control_where where;
};

/** Use this from now on, in the place of what control_start() got. Does not wait for anything. */
void control_use(struct control *control, const struct control_target *target);

/** Is something still under way with what control_use() has replaced? */
bool control_lags(struct control *control);

/** Listen. ERR_SYSTEM. The caller owns it. */
NODISCARD bool control_start(const struct control_options *options, struct control **out,
                             struct error *err);

/**
 * End the thread; events under way are answered as if their time were over. The outbox must still
 * run. NULL is fine.
 */
void control_stop(struct control *control);

/** Free it, after the outbox has ended. NULL is fine. */
void control_destroy(struct control *control);
