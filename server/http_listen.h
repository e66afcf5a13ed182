/*
 * http_listen.h - sockets that listen.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http.h"

/**
 * A socket listening where `listener` says, and the port it got. The caller closes it. ERR_SYSTEM
 * with address and port in the text.
 */
NODISCARD bool http_listen(const struct http_listener *listener, int *fd, uint16_t *port,
                           struct error *err);
