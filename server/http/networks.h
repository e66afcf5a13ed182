/*
 * networks.h - address blocks, and the client behind proxies that are in them.
 *
 * A proxy appends the address of its client to X-Forwarded-For. The addresses before that count
 * only if a trusted proxy appended them: so the client is the last address that is not a trusted
 * proxy.
 *
 * Threads: immutable after the start; shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "server/http/addresses.h"

/** The addresses that begin with the same `bits` bits. IPv4 is mapped into IPv6. */
struct http_network {
    uint8_t bytes[16];
    unsigned bits;
};

struct http_networks {
    const struct http_network *list;
    size_t count;
};

/** Read `10.0.0.0/8`, `fd00::/8` or a single address. Bits after the prefix must be zero. */
NODISCARD bool http_network_read(struct str text, struct http_network *out);

/** Is the address in it? IPv4 is mapped into IPv6. */
bool http_network_has(const struct http_network *network, const uint8_t bytes[static 16]);

/** Is `peer` in one of them? */
bool http_networks_have(const struct http_networks *networks, const struct sockaddr_storage *peer);

/**
 * The client of a request that came from a trusted proxy with these values of X-Forwarded-For, in
 * their order. `proxy` when they hold no valid address.
 */
struct http_address http_networks_client(const struct http_networks *trusted,
                                         const struct str *values, size_t count,
                                         struct http_address proxy);
