/*
 * test_token_cache.c - claims about handlers/auth/token_cache.h.
 */
#include "handlers/auth/token_cache.h"

#include <pthread.h>
#include <stdio.h>

#include "base/attr.h"
#include "tests/unit/test.h"

static struct token_entry entry(const char *token, uint64_t generation, int64_t expires_us)
{
    struct token_entry made = { .generation = generation, .expires_us = expires_us };

    secret_digest(str_from_c(token), made.digest);
    return made;
}

static bool knows(struct token_cache *cache, const char *token, uint64_t generation, int64_t now_us)
{
    struct token_entry asked = entry(token, generation, 0);

    return token_cache_find(cache, &asked, now_us);
}

static void add(struct token_cache *cache, const char *token, uint64_t generation,
                int64_t expires_us)
{
    const struct token_entry good = entry(token, generation, expires_us);

    token_cache_add(cache, &good);
}

static void a_token_is_known_until_it_expires(void)
{
    struct token_cache *cache = token_cache_create();

    CHECK(!knows(cache, "a", 1, 0));
    add(cache, "a", 1, 100);
    CHECK(knows(cache, "a", 1, 0));
    CHECK(knows(cache, "a", 1, 99));
    CHECK(!knows(cache, "a", 1, 100));
    CHECK(!knows(cache, "b", 1, 0));
    token_cache_destroy(cache);
    token_cache_destroy(NULL);
}

static void bad_ones_are_known_with_their_reason(void)
{
    struct token_cache *cache = token_cache_create();
    struct token_entry bad = entry("bad", 1, 100);
    struct token_entry found = entry("bad", 1, 0);

    bad.reason = "expired";
    bad.forged = true;
    token_cache_add(cache, &bad);
    add(cache, "good", 1, 100);
    CHECK(token_cache_find(cache, &found, 0));
    CHECK_STR(str_from_c(found.reason), "expired");
    CHECK(found.forged);
    found = entry("good", 1, 0);
    CHECK(token_cache_find(cache, &found, 0));
    CHECK(!found.reason && !found.forged);
    token_cache_destroy(cache);
}

static void other_keys_forget_it(void)
{
    struct token_cache *cache = token_cache_create();

    add(cache, "a", 1, 100);
    CHECK(!knows(cache, "a", 2, 0));
    add(cache, "a", 2, 50);
    CHECK(knows(cache, "a", 2, 0));
    CHECK(!knows(cache, "a", 1, 0)); /* one place a token */
    CHECK(!knows(cache, "a", 2, 60));
    token_cache_destroy(cache);
}

/* Far more than there is room for: the ones that last longest are more likely to stay. */
static void what_expires_first_makes_room(void)
{
    enum { TOKENS = 20000, LASTING = 100 };
    struct token_cache *cache = token_cache_create();
    size_t known = 0;
    char token[32];

    for (int i = 0; i < TOKENS; i++) {
        (void)snprintf(token, sizeof(token), "%d", i);
        add(cache, token, 1, i < LASTING ? 1000000 : 1000);
    }
    for (int i = 0; i < LASTING; i++) {
        (void)snprintf(token, sizeof(token), "%d", i);
        known += knows(cache, token, 1, 0);
    }
    CHECK(known >= LASTING * 9 / 10);
    add(cache, "late", 1, 10);
    CHECK(knows(cache, "late", 1, 0));
    token_cache_destroy(cache);
}

static void *use(void *self)
{
    struct token_cache *cache = self;
    char token[32];

    for (int i = 0; i < 3000; i++) {
        (void)snprintf(token, sizeof(token), "%d", i % 100);
        add(cache, token, 1, 1000);
        (void)knows(cache, token, 1, 0);
    }
    return NULL;
}

static void threads_may_share_it(void)
{
    struct token_cache *cache = token_cache_create();
    pthread_t threads[3];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, use, cache) == 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        (void)pthread_join(threads[i], NULL);
    CHECK(knows(cache, "7", 1, 0));
    CHECK(!knows(cache, "100", 1, 0));
    token_cache_destroy(cache);
}

int main(void)
{
    RUN(a_token_is_known_until_it_expires);
    RUN(bad_ones_are_known_with_their_reason);
    RUN(other_keys_forget_it);
    RUN(what_expires_first_makes_room);
    RUN(threads_may_share_it);
    return test_end();
}
