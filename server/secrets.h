/*
 * secrets.h - the secrets of AWS Secrets Manager that a configuration names, kept up to date in
 * base/vault.h.
 *
 * EventBridge keeps the credential of a connection in such a secret, so that one rotation changes
 * both sides. A member of the secret's JSON is named by ARN#KEY.
 *
 * Threads: `secrets` asks AWS every 5 minutes, and soon after secrets_ask_soon(), which any thread
 * may call. The other functions belong to one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"

struct secrets;

/**
 * The secrets that the configuration names, not asked for yet. NULL: it names none. The caller owns
 * it. ERR_CONFIG: the settings of AWS are wrong.
 */
NODISCARD bool secrets_create(const struct config *config, struct secrets **out, struct error *err);

/** Stop the thread and free; the vault keeps the secrets. NULL is fine. */
void secrets_destroy(struct secrets *secrets);

/** Ask for one now. ERR_CONFIG: it cannot be had. */
NODISCARD bool secrets_ask(struct secrets *secrets, const char *name, struct error *err);

/** Ask for all of them now. False: one could not be had; `err` is the first reason. */
NODISCARD bool secrets_load(struct secrets *secrets, struct error *err);

/** Start the thread. NULL is fine. ERR_SYSTEM. */
NODISCARD bool secrets_start(struct secrets *secrets, struct error *err);

/** A credential was wrong: ask now, at most every 30 seconds. */
void secrets_ask_soon(struct secrets *secrets);
