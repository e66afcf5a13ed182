/*
 * admin.h - changes that the command line makes to a store, whether a server has it open or not.
 *
 * With a server they are orders over its control socket; without one, the store is opened here,
 * with its lock, until admin_close().
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "server/cli/control_client.h"
#include "server/config/config.h"
#include "server/resubmit.h"

struct admin;

/** `config` has a store and must outlive it. ERR_CONFIG, ERR_SYSTEM. The caller owns it. */
NODISCARD bool admin_open(const struct config *config, struct admin **out, struct error *err);

/** For admin_replay() only, which then stores nothing. As admin_open(). */
NODISCARD bool admin_open_trial(const struct config *config, struct admin **out, struct error *err);

/** NULL is fine. */
void admin_close(struct admin *admin);

/**
 * Post refused event `id` again. ERR_NOT_FOUND, or from a server ERR_INVALID: there is none;
 * ERR_SYSTEM: the server is gone.
 */
NODISCARD bool admin_replay(struct admin *admin, int64_t id, struct resubmit_answer *out,
                            struct error *err);

/** Discard refused events, or dead records; `*gone`: how many were there. Errors as above. */
NODISCARD bool admin_discard(struct admin *admin, bool dead, const struct control_ids *ids,
                             size_t *gone, struct error *err);

/** Deliver dead record `id` again. Errors as above. */
NODISCARD bool admin_revive(struct admin *admin, int64_t id, struct error *err);

/**
 * Set record `seq`, which `sink` waits for, aside; NULL: of whichever sink waits for it.
 * Errors as above: none does.
 */
NODISCARD bool admin_move(struct admin *admin, const char *sink, int64_t seq, struct error *err);

/** Pause a sink, or end its pause. Errors as above: there is no such sink. */
NODISCARD bool admin_pause_sink(struct admin *admin, const char *name, bool paused,
                                struct error *err);

/** A portion of a replay, as outbox_replay(). Errors as above. */
NODISCARD bool admin_replay_records(struct admin *admin, struct outbox_replay *replay,
                                    struct error *err);

/** Forget a sink that is no longer configured. Errors as above: it still is, or there is none. */
NODISCARD bool admin_drop_sink(struct admin *admin, const char *name, struct error *err);
