/*
 * test_networks.c - claims about server/http/networks.h.
 */
#include "server/http/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/attr.h"
#include "tests/unit/test.h"

static struct sockaddr_storage peer_of(const char *text)
{
    struct sockaddr_storage peer = { 0 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(&peer, &v4, sizeof(v4));
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(&peer, &v6, sizeof(v6));
    return peer;
}

static struct http_address address_of(const char *text)
{
    struct sockaddr_storage peer = peer_of(text);

    return http_address_of(&peer);
}

static void reads_blocks_and_single_addresses(void)
{
    static const struct {
        const char *text;
        bool ok;
        const char *inside;
        const char *outside;
    } cases[] = {
        { "10.0.0.0/8", true, "10.255.255.255", "11.0.0.0" },
        { "10.0.0.0/8", true, "::ffff:10.1.2.3", "::a01:203" },
        { "192.0.2.128/25", true, "192.0.2.128", "192.0.2.127" },
        { "192.0.2.7", true, "192.0.2.7", "192.0.2.8" },
        { "192.0.2.7/32", true, "192.0.2.7", "192.0.2.6" },
        { "0.0.0.0/0", true, "255.255.255.255", "2001:db8::1" },
        { "::/0", true, "2001:db8::1", NULL },
        { "fd00::/8", true, "fdff::1", "fe00::1" },
        { "2001:db8:8000::/33", true, "2001:db8:8000::1", "2001:db8:7fff::1" },
        { "::1", true, "::1", "::2" },
        { "10.0.0.1/8", false, NULL, NULL },
        { "10.0.0.0/33", false, NULL, NULL },
        { "::/129", false, NULL, NULL },
        { "10.0.0.0/", false, NULL, NULL },
        { "10.0.0.0/8x", false, NULL, NULL },
        { "10.0.0.0/1000", false, NULL, NULL },
        { "10.0.0", false, NULL, NULL },
        { "/8", false, NULL, NULL },
        { "", false, NULL, NULL },
        { "host/8", false, NULL, NULL },
        { "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222", false, NULL, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_network network;
        struct http_networks networks = { &network, 1 };

        TEST_CASE(cases[i].text);
        CHECK(http_network_read(str_from_c(cases[i].text), &network) == cases[i].ok);
        if (cases[i].inside) {
            struct sockaddr_storage peer = peer_of(cases[i].inside);

            CHECK(http_networks_have(&networks, &peer));
        }
        if (cases[i].outside) {
            struct sockaddr_storage peer = peer_of(cases[i].outside);

            CHECK(!http_networks_have(&networks, &peer));
        }
    }
}

static void a_peer_of_another_kind_is_in_no_block(void)
{
    struct sockaddr_storage peer = { .ss_family = AF_UNIX };
    struct http_network network;

    CHECK(http_network_read(STR("::/0"), &network));
    CHECK(!http_networks_have(&(struct http_networks){ &network, 1 }, &peer));
    CHECK(!http_networks_have(&(struct http_networks){ NULL, 0 }, &peer));
}

static void the_client_is_the_last_address_that_no_trusted_proxy_has(void)
{
    static const struct {
        const char *name;
        const char *values[3];
        const char *client; /* NULL: the proxy itself */
    } cases[] = {
        { "none", { NULL }, NULL },
        { "empty", { "" }, NULL },
        { "one", { "192.0.2.1" }, "192.0.2.1" },
        { "white space", { "  192.0.2.1\t" }, "192.0.2.1" },
        { "what the client made up comes first", { "127.0.0.1, 192.0.2.1" }, "192.0.2.1" },
        { "through two proxies", { "1.1.1.1, 192.0.2.1, 10.2.2.2" }, "192.0.2.1" },
        { "in two headers", { "1.1.1.1", "192.0.2.1" }, "192.0.2.1" },
        { "in two headers, through two proxies", { "192.0.2.1", "10.2.2.2" }, "192.0.2.1" },
        { "all are proxies", { "10.1.1.1, 10.2.2.2" }, "10.1.1.1" },
        { "IPv6", { "2001:db8::1" }, "2001:db8::1" },
        { "with a port", { "192.0.2.1:4711" }, "192.0.2.1" },
        { "IPv6 with a port", { "[2001:db8::1]:4711" }, "2001:db8::1" },
        { "IPv6 in brackets", { "[2001:db8::1]" }, "2001:db8::1" },
        { "no address", { "unknown" }, NULL },
        { "no address at the end", { "192.0.2.1, unknown" }, NULL },
        { "no address before a proxy", { "192.0.2.1, unknown, 10.2.2.2" }, "10.2.2.2" },
        { "an empty member", { "192.0.2.1," }, NULL },
        { "an open bracket", { "[2001:db8::1" }, "2001:db8::1" },
        { "only a bracket", { "[" }, NULL },
        { "only a colon", { ":" }, NULL },
    };
    struct http_network network;
    struct http_networks trusted = { &network, 1 };
    struct http_address proxy = address_of("10.9.9.9");

    CHECK(http_network_read(STR("10.0.0.0/8"), &network));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str values[COUNT_OF(cases[i].values)];
        size_t count = 0;

        for (; count < COUNT_OF(values) && cases[i].values[count]; count++)
            values[count] = str_from_c(cases[i].values[count]);

        struct http_address client = http_networks_client(&trusted, values, count, proxy);
        struct http_address expected = cases[i].client ? address_of(cases[i].client) : proxy;

        TEST_CASE(cases[i].name);
        CHECK_INT(client.family, expected.family);
        CHECK(client.prefix == expected.prefix);
    }
}

int main(void)
{
    RUN(reads_blocks_and_single_addresses);
    RUN(a_peer_of_another_kind_is_in_no_block);
    RUN(the_client_is_the_last_address_that_no_trusted_proxy_has);
    return test_end();
}
