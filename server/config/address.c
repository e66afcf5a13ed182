/*
 * address.c - where to listen, taken apart.
 *
 * Numeric addresses only, and `localhost` for 127.0.0.1: a name that must be looked up could mean
 * another address tomorrow.
 */
#include "server/config/config_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { MAX_PORT = 65535, MAX_PORT_DIGITS = 5 };

static bool read_port(struct str text, uint16_t *port)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > MAX_PORT_DIGITS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= MAX_PORT;
}

static bool is_loopback4(const unsigned char *bytes)
{
    return bytes[0] == 127;
}

static bool read_host(struct config_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (!address->ipv6 && inet_pton(AF_INET, address->host, &v4) == 1) {
        address->loopback = is_loopback4((const unsigned char *)&v4);
        return true;
    }
    if (!address->ipv6 || inet_pton(AF_INET6, address->host, &v6) != 1)
        return false;
    address->loopback =
        IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && is_loopback4(&v6.s6_addr[12]));
    return true;
}

bool config_address_parse(struct arena *arena, struct str text, struct config_address *out)
{
    struct config_address address = { 0 };
    const char *colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
    struct str host;

    if (!colon)
        return false;
    host = (struct str){ text.ptr, (size_t)(colon - text.ptr) };
    if (!read_port(str_from(text, host.len + 1), &address.port))
        return false;
    if (str_starts_with(host, STR("[")) && str_ends_with(host, STR("]"))) {
        address.ipv6 = true;
        host = (struct str){ host.ptr + 1, host.len - 2 };
    } else if (str_equal(host, STR("localhost"))) {
        host = STR("127.0.0.1");
    }
    address.text = arena_copy(arena, text).ptr;
    address.host = arena_copy(arena, host).ptr;
    if (!read_host(&address))
        return false;
    *out = address;
    return true;
}
