/*
 * addresses.h - client addresses, and the number of connections of each.
 *
 * An IPv4 address counts as a whole, also when it is mapped into IPv6. An IPv6 address counts by
 * its /64, because that is what one customer gets.
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

/** What counts as one client: family and prefix. */
struct http_address {
    uint64_t prefix;
    sa_family_t family; /* AF_INET or AF_INET6; 0: neither */
    uint64_t rest;      /* the lower half of an IPv6 address; not compared */
};

struct http_address http_address_of(const struct sockaddr_storage *peer);

enum { HTTP_ADDRESS_TEXT = 46 }; /* bytes, with the NUL */

/** The whole address in its usual notation; "" for family 0. */
const char *http_address_text(struct http_address address, char text[static HTTP_ADDRESS_TEXT]);

/**
 * Counts for up to `max_connections` connections, up to `max_each` of one address. The caller owns
 * it. Allocates all its memory here.
 */
struct http_addresses *http_addresses_create(size_t max_connections, size_t max_each);

/** NULL is fine. */
void http_addresses_destroy(struct http_addresses *addresses);

/** Count one more connection; false: its address is at the limit. NULL: there is no limit. */
NODISCARD bool http_addresses_enter(struct http_addresses *addresses, struct http_address address);

/** The number of connections of this address. */
size_t http_addresses_count(struct http_addresses *addresses, struct http_address address);

/** Count one connection less. NULL: there is no limit. */
void http_addresses_leave(struct http_addresses *addresses, struct http_address address);
