/*
 * test_limits.c - quotas, counts by address, safe versions of MHD.
 */
#include "server/http/quota.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/attr.h"
#include "server/http/addresses.h"
#include "server/http/mhd.h"
#include "tests/unit/test.h"

static void a_quota_holds_no_more_than_its_maximum(void)
{
    struct http_quota quota = { .max = 10 };

    CHECK(http_quota_take(&quota, 10));
    CHECK(!http_quota_take(&quota, 1));
    CHECK(http_quota_take(&quota, 0));
    http_quota_give(&quota, 4);
    CHECK(!http_quota_take(&quota, 5));
    CHECK(!http_quota_take(&quota, SIZE_MAX));
    CHECK(http_quota_take(&quota, 4));
}

static struct http_address address(const char *text)
{
    struct sockaddr_storage peer = { 0 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(&peer, &v4, sizeof(v4));
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(&peer, &v6, sizeof(v6));
    return http_address_of(&peer);
}

static void an_address_is_counted_as_one_customer(void)
{
    static const struct {
        const char *one;
        const char *other;
        bool same;
    } cases[] = {
        { "10.0.0.1", "10.0.0.1", true },
        { "10.0.0.1", "10.0.0.2", false },
        { "::ffff:10.0.0.1", "10.0.0.1", true },
        { "2001:db8::1", "2001:db8::ffff:2", true },
        { "2001:db8::1", "2001:db8:0:1::1", false },
        { "::a00:1", "10.0.0.1", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_addresses *addresses = http_addresses_create(4, 1);

        TEST_CASE(cases[i].other);
        CHECK(http_addresses_enter(addresses, address(cases[i].one)));
        CHECK(http_addresses_enter(addresses, address(cases[i].other)) == !cases[i].same);
        CHECK_INT((int64_t)http_addresses_count(addresses, address(cases[i].other)), 1);
        http_addresses_destroy(addresses);
    }
}

static void counts_hold_while_addresses_come_and_go(void)
{
    enum { CLIENTS = 500, EACH = 2 };
    struct http_addresses *addresses = http_addresses_create((size_t)CLIENTS * EACH, EACH);
    unsigned wrong = 0;

    for (uint64_t i = 0; i < CLIENTS; i++) {
        struct http_address client = { i, AF_INET, 0 };

        wrong += !http_addresses_enter(addresses, client);
        wrong += !http_addresses_enter(addresses, client);
        wrong += http_addresses_enter(addresses, client);
    }
    for (uint64_t i = 0; i < CLIENTS; i += 2)
        for (int k = 0; k < EACH; k++)
            http_addresses_leave(addresses, (struct http_address){ i, AF_INET, 0 });
    for (uint64_t i = 0; i < CLIENTS; i++)
        wrong +=
            http_addresses_enter(addresses, (struct http_address){ i, AF_INET, 0 }) != (i % 2 == 0);
    CHECK_INT(wrong, 0);
    http_addresses_destroy(addresses);
}

static void no_table_is_no_limit(void)
{
    struct http_address client = { 1, AF_INET, 0 };

    CHECK(http_addresses_enter(NULL, client));
    http_addresses_leave(NULL, client);
    http_addresses_destroy(NULL);
}

static void knows_the_safe_versions_of_mhd(void)
{
    static const struct {
        const char *version;
        bool safe;
    } cases[] = {
        { "0.9.75", true },   { "0.9.77", true }, { "1.0.0", false }, { "1.0.1", false },
        { "1.0.1-4", false }, { "1.0.9", false }, { "1.0.10", true }, { "1.0.11", true },
        { "1.1.0", true },    { "1.0.", false },  { "2.0.0", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].version);
        CHECK(http_mhd_is_safe(cases[i].version) == cases[i].safe);
    }
    TEST_CASE("what is loaded");
    CHECK(http_mhd_version()[0] >= '0' && http_mhd_version()[0] <= '9');
}

int main(void)
{
    RUN(a_quota_holds_no_more_than_its_maximum);
    RUN(an_address_is_counted_as_one_customer);
    RUN(counts_hold_while_addresses_come_and_go);
    RUN(no_table_is_no_limit);
    RUN(knows_the_safe_versions_of_mhd);
    return test_end();
}
