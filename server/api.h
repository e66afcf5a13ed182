/*
 * api.h - the JSON API of the admin address, below /api/v1/; docs/console.md lists its paths.
 *
 * A request becomes an order (orders.h), which the control thread runs. So the threads of the admin
 * address never wait for the disk, and orders run one after another.
 *
 * Threads: created and destroyed by one thread; the handlers run on the admin address's loop.
 */
#pragma once

#include <stddef.h>

#include "handlers/handler.h"
#include "server/admin_guard.h"
#include "server/control_jobs.h"

struct api;

/** Both are borrowed. The caller owns it. */
struct api *api_create(const struct admin_guard *guard, struct control_jobs *jobs);

/** NULL is fine. */
void api_destroy(struct api *api);

enum { API_HANDLERS = 17 };

void api_handlers(struct api *api, struct handler out[static API_HANDLERS]);
