/*
 * addresses.c - a hash table with linear probing, at most half full; see addresses.h.
 *
 * The hash has a random key, so that clients cannot choose addresses that collide.
 */
#include "server/http/addresses.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

struct entry {
    struct http_address address;
    size_t count; /* 0: free */
};

struct http_addresses {
    pthread_mutex_t mutex;
    uint64_t key;
    size_t max_each;
    size_t mask; /* size of the table - 1 */
    struct entry entries[];
};

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

struct http_address http_address_of(const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, peer, sizeof(v4));
        return (struct http_address){ .prefix = ntohl(v4.sin_addr.s_addr), .family = AF_INET };
    }
    if (peer->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, peer, sizeof(v6));
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            return (struct http_address){ .prefix = big_endian(v6.sin6_addr.s6_addr + 12, 4),
                                          .family = AF_INET };
        return (struct http_address){ big_endian(v6.sin6_addr.s6_addr, 8), AF_INET6,
                                      big_endian(v6.sin6_addr.s6_addr + 8, 8) };
    }
    return (struct http_address){ 0 };
}

const char *http_address_text(struct http_address address, char text[static HTTP_ADDRESS_TEXT])
{
    uint64_t parts[] = { htobe64(address.prefix), htobe64(address.rest) };
    uint32_t v4 = htobe32((uint32_t)address.prefix);
    const void *bytes = address.family == AF_INET ? (const void *)&v4 : parts;

    if (!address.family || !inet_ntop(address.family, bytes, text, HTTP_ADDRESS_TEXT))
        text[0] = '\0';
    return text;
}

struct http_addresses *http_addresses_create(size_t max_connections, size_t max_each)
{
    size_t size = 16;

    while (size / 2 < max_connections)
        size *= 2;

    struct http_addresses *addresses =
        mem_alloc(sizeof(*addresses) + size * sizeof(addresses->entries[0]));

    (void)pthread_mutex_init(&addresses->mutex, NULL);
    addresses->key = hash_key();
    addresses->max_each = max_each;
    addresses->mask = size - 1;
    return addresses;
}

void http_addresses_destroy(struct http_addresses *addresses)
{
    if (!addresses)
        return;
    (void)pthread_mutex_destroy(&addresses->mutex);
    mem_free(addresses);
}

/* The place where the search for an address begins. */
static size_t home(const struct http_addresses *addresses, struct http_address address)
{
    return hash_keyed(addresses->key, address.prefix ^ address.family) & addresses->mask;
}

/* The index of the address's entry, or of the free entry where it belongs. */
static size_t find(const struct http_addresses *addresses, struct http_address address)
{
    size_t at = home(addresses, address);

    for (;;) {
        const struct entry *entry = &addresses->entries[at];

        if (entry->count == 0 ||
            (entry->address.prefix == address.prefix && entry->address.family == address.family))
            return at;
        at = (at + 1) & addresses->mask;
    }
}

/* Close the gap, so that no search for a later entry ends at it. */
static void vacate(struct http_addresses *addresses, size_t gap)
{
    size_t at = gap;

    for (;;) {
        at = (at + 1) & addresses->mask;

        struct entry *entry = &addresses->entries[at];

        if (entry->count == 0)
            break;

        size_t from_home = (at - home(addresses, entry->address)) & addresses->mask;
        size_t from_gap = (at - gap) & addresses->mask;

        if (from_home >= from_gap) {
            addresses->entries[gap] = *entry;
            gap = at;
        }
    }
    addresses->entries[gap] = (struct entry){ 0 };
}

bool http_addresses_enter(struct http_addresses *addresses, struct http_address address)
{
    if (!addresses)
        return true;
    (void)pthread_mutex_lock(&addresses->mutex);

    struct entry *entry = &addresses->entries[find(addresses, address)];
    bool room = entry->count < addresses->max_each;

    if (room) {
        entry->address = address;
        entry->count++;
    }
    (void)pthread_mutex_unlock(&addresses->mutex);
    return room;
}

size_t http_addresses_count(struct http_addresses *addresses, struct http_address address)
{
    (void)pthread_mutex_lock(&addresses->mutex);

    size_t count = addresses->entries[find(addresses, address)].count;

    (void)pthread_mutex_unlock(&addresses->mutex);
    return count;
}

void http_addresses_leave(struct http_addresses *addresses, struct http_address address)
{
    if (!addresses)
        return;
    (void)pthread_mutex_lock(&addresses->mutex);

    size_t at = find(addresses, address);

    assert(addresses->entries[at].count > 0);
    if (--addresses->entries[at].count == 0)
        vacate(addresses, at);
    (void)pthread_mutex_unlock(&addresses->mutex);
}
