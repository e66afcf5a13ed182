/*
 * control_client.h - the command line's end of the control socket (control.h).
 *
 * Threads: a client belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "server/control.h"
#include "server/resubmit.h"

struct control_client;

/** Connect. NULL: no server has the store open. The caller owns it. */
struct control_client *control_client_open(const char *store_path);

/** NULL is fine. */
void control_client_close(struct control_client *client);

/*
 * The orders of control.h. ERR_INVALID with the server's text when it refuses; ERR_SYSTEM: the
 * connection broke, and it is unknown whether the order was run.
 */

NODISCARD bool control_client_replay(struct control_client *client, int64_t id,
                                     struct resubmit_answer *out, struct error *err);

/** Rows of the store, at most CONTROL_IDS_MAX. */
struct control_ids {
    const int64_t *list;
    size_t count;
};

/** Discard refused events, or dead records; `*gone`: how many were there. */
NODISCARD bool control_client_discard(struct control_client *client, bool dead,
                                      const struct control_ids *ids, size_t *gone,
                                      struct error *err);

NODISCARD bool control_client_revive(struct control_client *client, int64_t id, struct error *err);

/** `sink` NULL: whichever sink waits for the record. */
NODISCARD bool control_client_move(struct control_client *client, const char *sink, int64_t seq,
                                   struct error *err);

NODISCARD bool control_client_drop_sink(struct control_client *client, const char *name,
                                        struct error *err);

NODISCARD bool control_client_pause(struct control_client *client, const char *name, bool paused,
                                    struct error *err);

/** What catalog_write_shadow() writes of the route. The caller releases `*out`. */
NODISCARD bool control_client_shadow(struct control_client *client, const char *route,
                                     struct json_object **out, struct error *err);

/** A portion of a replay, as outbox_replay(). */
NODISCARD bool control_client_again(struct control_client *client, struct outbox_replay *replay,
                                    struct error *err);

/** What metrics_write_state() writes. The caller releases `*out`. */
NODISCARD bool control_client_top(struct control_client *client, struct json_object **out,
                                  struct error *err);

/** The same. Waits for the answer at most a few seconds. */
NODISCARD bool control_client_top_soon(struct control_client *client, struct json_object **out,
                                       struct error *err);

/** Add a link to the console. ERR_INVALID: the server has no admin address. */
NODISCARD bool control_client_console(struct control_client *client, struct buf *url,
                                      struct error *err);

/** Where the server listens. Waits for the answer at most a few seconds. */
NODISCARD bool control_client_where(struct control_client *client, struct control_where *out,
                                    struct error *err);
