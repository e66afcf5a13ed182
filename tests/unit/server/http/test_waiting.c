/*
 * test_waiting.c - claims about server/http/waiting.h: a token finds its request, or nobody.
 */
#include "server/http/waiting.h"

#include "server/http/loop.h"
#include "tests/unit/test.h"

enum { MANY = 100 };

static void finds_whom_it_means(void)
{
    struct http_waiting waiting = { 0 };
    struct http_connection connections[MANY];
    uint64_t tokens[MANY];

    for (size_t i = 0; i < MANY; i++)
        tokens[i] = http_waiting_enter(&waiting, &connections[i]);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(tokens[i] != HTTP_NO_TOKEN);
        CHECK(http_waiting_find(&waiting, tokens[i]) == &connections[i]);
    }
    CHECK(!http_waiting_find(&waiting, HTTP_NO_TOKEN));
    CHECK(!http_waiting_find(&waiting, UINT64_MAX));
    http_waiting_done(&waiting);
}

static void finds_nobody_who_has_left(void)
{
    struct http_waiting waiting = { 0 };
    struct http_connection first;
    struct http_connection second;
    uint64_t old = http_waiting_enter(&waiting, &first);

    http_waiting_leave(&waiting, HTTP_NO_TOKEN);
    http_waiting_leave(&waiting, old);
    CHECK(!http_waiting_find(&waiting, old));

    uint64_t fresh = http_waiting_enter(&waiting, &second);

    CHECK_INT((uint32_t)fresh, (uint32_t)old); /* the same place */
    CHECK(!http_waiting_find(&waiting, old));
    http_waiting_leave(&waiting, old); /* again, and it does not throw the other out */
    CHECK(http_waiting_find(&waiting, fresh) == &second);
    http_waiting_done(&waiting);
}

static void takes_no_more_places_than_needed(void)
{
    struct http_waiting waiting = { 0 };
    struct http_connection connection;

    for (size_t i = 0; i < MANY; i++)
        http_waiting_leave(&waiting, http_waiting_enter(&waiting, &connection));

    size_t capacity = waiting.capacity;

    CHECK(capacity < MANY);
    for (size_t i = 0; i < capacity; i++)
        (void)http_waiting_enter(&waiting, &connection);
    CHECK_INT((int64_t)waiting.capacity, (int64_t)capacity);
    http_waiting_done(&waiting);
}

int main(void)
{
    RUN(finds_whom_it_means);
    RUN(finds_nobody_who_has_left);
    RUN(takes_no_more_places_than_needed);
    return test_end();
}
