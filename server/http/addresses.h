/*
 * addresses.h - how many connections each client address has.
 *
 * An IPv4 address counts whole, also when it comes mapped into IPv6; an IPv6 address by its /64,
 * because one customer has that many.
 *
 * Threads: one mutex inside; any thread may call any function.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

struct http_addresses;

/** What counts as one client. */
struct http_address {
    uint64_t prefix;
    sa_family_t family; /* AF_INET or AF_INET6; 0: none of both */
    uint64_t rest;      /* of an IPv6 address; not compared */
};

struct http_address http_address_of(const struct sockaddr_storage *peer);

enum { HTTP_ADDRESS_TEXT = 46 }; /* bytes, with the NUL */

/** The whole address, as people write it; "" when it is none. */
const char *http_address_text(struct http_address address, char text[static HTTP_ADDRESS_TEXT]);

/**
 * Counts for up to `max_connections` connections, each address up to `max_each`. The caller owns
 * it. All memory is taken here.
 */
struct http_addresses *http_addresses_create(size_t max_connections, size_t max_each);

/** NULL is fine. */
void http_addresses_destroy(struct http_addresses *addresses);

/** Count a connection in, unless its address has its fill. NULL: no limit. */
NODISCARD bool http_addresses_enter(struct http_addresses *addresses, struct http_address address);

/** How many it has now. */
size_t http_addresses_count(struct http_addresses *addresses, struct http_address address);

/** Count one out that went in. NULL: no limit. */
void http_addresses_leave(struct http_addresses *addresses, struct http_address address);
