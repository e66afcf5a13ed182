/*
 * orders.h - what an operator can ask of a running server, and tell it to do: one implementation
 * for the control socket (control.h) and the admin API (api.h).
 *
 * An order has a name and members, an answer has members. Those of the control socket are in
 * control.h, those of the API in docs/console.md.
 *
 * Threads: orders are run by the control thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "delivery/outbox/outbox.h"
#include "delivery/outbox/view.h"
#include "server/console_tokens.h"
#include "server/control.h"
#include "server/history.h"
#include "server/kept_answers.h"
#include "server/resubmit.h"

/** What orders work with. */
struct orders {
    struct outbox *outbox;
    struct outbox_view *view;        /* NULL: there is no store */
    struct resubmitter *resubmitter; /* posts refused events again */
    struct resubmitter *trial;       /* the same, but stores and counts nothing */
    struct console_tokens *tokens;   /* NULL: there is no admin address */
    const struct history *history;   /* NULL: likewise */
    struct kept_answers *kept;       /* forgotten when an order changes something */
    const struct control_where *where;
    const struct control_target *target;
};

struct order {
    struct str name;
    struct json_object *members; /* an object */
    struct str by;         /* for the log: how the API's caller proved itself; else ptr NULL */
    struct str request_id; /* likewise */
    int64_t uid;           /* of the control socket's client; -1: not known */
};

/**
 * Run an order, and log it if it changes something. Adds members to `answer`, each with a comma
 * before it. ERR_MALFORMED: there is no such order; ERR_INVALID, ERR_NOT_FOUND, ERR_UNAVAILABLE,
 * ...: it was not done; then `answer` is of no use.
 */
NODISCARD bool orders_run(const struct orders *orders, const struct order *order,
                          struct buf *answer, struct error *err);
