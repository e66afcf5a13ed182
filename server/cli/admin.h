/*
 * admin.h - what the command line may do to a store, whether a server has it open or not.
 *
 * With a server, orders go to it over its control socket; without one, the store is opened here,
 * with its lock, for as long as this lives.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"
#include "server/resubmit.h"

struct admin;

/** ERR_CONFIG: the configuration has no store; ERR_SYSTEM. `config` must outlive it; caller owns.
 */
NODISCARD bool admin_open(const struct config *config, struct admin **out, struct error *err);

/** NULL is fine. */
void admin_close(struct admin *admin);

/** Post refused event `id` again. ERR_NOT_FOUND or ERR_INVALID: no such; ERR_SYSTEM: the server is
 * gone. */
NODISCARD bool admin_replay(struct admin *admin, int64_t id, struct resubmit_answer *out,
                            struct error *err);

/** Deliver dead record `id` again. Errors as above. */
NODISCARD bool admin_revive(struct admin *admin, int64_t id, struct error *err);

/** Set record `seq` aside that `sink` waits for, NULL: the one that does. ERR_NOT_FOUND or
 * ERR_INVALID: none does. */
NODISCARD bool admin_move(struct admin *admin, const char *sink, int64_t seq, struct error *err);

/** Forget a sink that is not configured any more. ERR_NOT_FOUND or ERR_INVALID: it is, or there is
 * none. */
NODISCARD bool admin_drop_sink(struct admin *admin, const char *name, struct error *err);
