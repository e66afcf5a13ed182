/*
 * listen.h - listening sockets.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/http.h"

enum { HTTP_HOST_SIZE = 46 };

/* The address that a socket listens on. */
struct http_place {
    char host[HTTP_HOST_SIZE]; /* in numbers, without brackets */
    uint16_t port;
    bool loopback; /* reachable from this machine only */
};

struct http_place http_listen_place(int fd);

/** Could a server listen there? Binds a socket briefly. ERR_SYSTEM as http_listen(). */
NODISCARD bool http_can_listen(const char *address, uint16_t port, struct error *err);

/**
 * A listening socket for `listener`, which may bring its own, and the port that it has. The caller
 * closes it. ERR_SYSTEM, with address and port in the text.
 */
NODISCARD bool http_listen(const struct http_listener *listener, int *fd, uint16_t *port,
                           struct error *err);
