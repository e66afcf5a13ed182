/*
 * networks.c - see networks.h.
 */
#include "server/http/networks.h"
#include "base/chars.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { MAPPED_BITS = 96, ADDRESS_BITS = 128 };

static void map(const struct in_addr *v4, uint8_t bytes[static 16])
{
    memset(bytes, 0, 10);
    memset(bytes + 10, 0xff, 2);
    memcpy(bytes + 12, v4, sizeof(*v4));
}

/* A numeric address, without brackets or port. `*first_bit`: where its own bits begin. */
static bool read_address(struct str text, uint8_t bytes[static 16], unsigned *first_bit)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
        return false;
    (void)snprintf(copy, sizeof(copy), "%.*s", STR_ARG(text));
    *first_bit = 0;
    if (inet_pton(AF_INET6, copy, bytes) == 1)
        return true;
    if (inet_pton(AF_INET, copy, &v4) != 1)
        return false;
    map(&v4, bytes);
    *first_bit = MAPPED_BITS;
    return true;
}

/* Bit `index`; 0 is the first and highest one. */
static bool bit(const uint8_t bytes[static 16], unsigned index)
{
    return bytes[index / 8] >> (7 - index % 8) & 1;
}

bool http_network_read(struct str text, struct http_network *out)
{
    const char *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    struct str address = { text.ptr, slash ? (size_t)(slash - text.ptr) : text.len };
    struct http_network network;
    unsigned first = 0;
    int64_t bits = 0;

    if (!read_address(address, network.bytes, &first))
        return false;
    network.bits = ADDRESS_BITS;
    if (slash) {
        if (!whole_number(str_from(text, address.len + 1), ADDRESS_BITS - first, &bits))
            return false;
        network.bits = first + (unsigned)bits;
    }
    for (unsigned i = network.bits; i < ADDRESS_BITS; i++)
        if (bit(network.bytes, i))
            return false;
    *out = network;
    return true;
}

bool http_network_has(const struct http_network *network, const uint8_t bytes[static 16])
{
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;

    return memcmp(network->bytes, bytes, whole) == 0 &&
           (rest == 0 || (network->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0);
}

static bool have(const struct http_networks *networks, const uint8_t bytes[static 16])
{
    for (size_t i = 0; i < networks->count; i++)
        if (http_network_has(&networks->list[i], bytes))
            return true;
    return false;
}

bool http_networks_have(const struct http_networks *networks, const struct sockaddr_storage *peer)
{
    uint8_t bytes[16];
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (peer->ss_family == AF_INET) {
        memcpy(&v4, peer, sizeof(v4));
        map(&v4.sin_addr, bytes);
    } else if (peer->ss_family == AF_INET6) {
        memcpy(&v6, peer, sizeof(v6));
        memcpy(bytes, &v6.sin6_addr, sizeof(bytes));
    } else {
        return false;
    }
    return have(networks, bytes);
}

static struct http_address address_of(const uint8_t bytes[static 16])
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr_storage peer = { 0 };

    memcpy(&v6.sin6_addr, bytes, sizeof(v6.sin6_addr));
    memcpy(&peer, &v6, sizeof(v6));
    return http_address_of(&peer);
}

/* Some proxies append the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
static struct str without_port(struct str text)
{
    const char *end = NULL;

    if (str_starts_with(text, STR("["))) {
        text = str_from(text, 1);
        end = text.len > 0 ? memchr(text.ptr, ']', text.len) : NULL;
    } else {
        end = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
        if (end && memrchr(text.ptr, ':', text.len) != end)
            end = NULL; /* several colons: IPv6 without a port */
    }
    return end ? (struct str){ text.ptr, (size_t)(end - text.ptr) } : text;
}

/* Remove the last member of a list; false: the list was empty. */
static bool take_last(struct str *list, struct str *member)
{
    const char *comma = list->len > 0 ? memrchr(list->ptr, ',', list->len) : NULL;
    size_t before = comma ? (size_t)(comma - list->ptr) : 0;

    if (list->len == 0)
        return false;
    *member = str_trim(comma ? str_from(*list, before + 1) : *list);
    list->len = before;
    return true;
}

struct http_address http_networks_client(const struct http_networks *trusted,
                                         const struct str *values, size_t count,
                                         struct http_address proxy)
{
    struct http_address client = proxy;

    while (count > 0) {
        struct str list = values[--count];
        struct str member;

        while (take_last(&list, &member)) {
            uint8_t bytes[16];
            unsigned first;

            if (!read_address(without_port(member), bytes, &first))
                return client; /* the members before it cannot be trusted either */
            client = address_of(bytes);
            if (!have(trusted, bytes))
                return client;
        }
    }
    return client;
}
