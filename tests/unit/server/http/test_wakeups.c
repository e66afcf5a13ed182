/*
 * test_wakeups.c - claims about server/http/wakeups.h: a token finds its request, or nothing.
 */
#include "server/http/wakeups.h"

#include "server/http/connection.h"
#include "tests/unit/test.h"

enum { MANY = 100 };

static void a_token_finds_its_connection(void)
{
    struct http_wakeups wakeups = { 0 };
    struct http_connection connections[MANY];
    uint64_t tokens[MANY];

    for (size_t i = 0; i < MANY; i++)
        tokens[i] = http_wakeups_add(&wakeups, &connections[i]);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(tokens[i] != HTTP_NO_TOKEN);
        CHECK(http_wakeups_find(&wakeups, tokens[i]) == &connections[i]);
    }
    CHECK(!http_wakeups_find(&wakeups, HTTP_NO_TOKEN));
    CHECK(!http_wakeups_find(&wakeups, UINT64_MAX));
    http_wakeups_done(&wakeups);
}

static void an_old_token_finds_nothing(void)
{
    struct http_wakeups wakeups = { 0 };
    struct http_connection first;
    struct http_connection second;
    uint64_t old = http_wakeups_add(&wakeups, &first);

    http_wakeups_remove(&wakeups, HTTP_NO_TOKEN);
    http_wakeups_remove(&wakeups, old);
    CHECK(!http_wakeups_find(&wakeups, old));

    uint64_t fresh = http_wakeups_add(&wakeups, &second);

    CHECK_INT((uint32_t)fresh, (uint32_t)old); /* the same slot */
    CHECK(!http_wakeups_find(&wakeups, old));
    http_wakeups_remove(&wakeups, old); /* an old token does not remove the new one */
    CHECK(http_wakeups_find(&wakeups, fresh) == &second);
    http_wakeups_done(&wakeups);
}

static void slots_are_reused(void)
{
    struct http_wakeups wakeups = { 0 };
    struct http_connection connection;

    for (size_t i = 0; i < MANY; i++)
        http_wakeups_remove(&wakeups, http_wakeups_add(&wakeups, &connection));

    size_t capacity = wakeups.capacity;

    CHECK(capacity < MANY);
    for (size_t i = 0; i < capacity; i++)
        (void)http_wakeups_add(&wakeups, &connection);
    CHECK_INT((int64_t)wakeups.capacity, (int64_t)capacity);
    http_wakeups_done(&wakeups);
}

int main(void)
{
    RUN(a_token_finds_its_connection);
    RUN(an_old_token_finds_nothing);
    RUN(slots_are_reused);
    return test_end();
}
