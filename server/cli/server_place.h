/*
 * server_place.h - how a command of the same machine reaches a server, and whether it is alive.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/fetch.h"
#include "server/config/config.h"
#include "server/control.h"

enum { SERVER_PLACE_URL_SIZE = 2048 };

struct server_place {
    char url[SERVER_PLACE_URL_SIZE];
    bool wants_proxy_header; /* from this machine */
};

/** The place of a server with this configuration that listens there. */
struct server_place server_place_of(const struct config *config, const struct control_where *where);

/**
 * Ask its /healthz, within 2 seconds; its certificate is not verified. ERR_UNREACHABLE: it does not
 * answer; ERR_UNAVAILABLE: not with 200.
 */
NODISCARD bool server_place_ask(struct fetch_client *client, const struct server_place *place,
                                struct error *err);

/** The same; false also when the answer is not that of this program. */
bool server_place_is_own(struct fetch_client *client, const struct server_place *place);
