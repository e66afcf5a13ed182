/*
 * test_rate.c - claims about base/rate.h.
 */
#include "base/rate.h"

#include "tests/unit/test.h"

static unsigned taken_at(struct rate *rate, int64_t now_us, unsigned tries)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < tries; i++)
        taken += rate_take(rate, now_us) ? 1 : 0;
    return taken;
}

static void the_rate_allows_one_second_at_once_and_then_its_pace(void)
{
    struct rate rate;
    int64_t now_us = 5000000;

    rate_init(&rate, 10);
    CHECK_INT(taken_at(&rate, now_us, 100), 10);
    CHECK(!rate_has(&rate, now_us));
    CHECK_INT(taken_at(&rate, now_us + 99999, 100), 0);
    CHECK(rate_has(&rate, now_us + 100000));
    CHECK_INT(taken_at(&rate, now_us + 100000, 100), 1);
    CHECK_INT(taken_at(&rate, now_us + 350000, 100), 2);
    CHECK_INT(taken_at(&rate, now_us + 60000000, 100), 10);
}

static void a_slow_rate_still_gives_a_token(void)
{
    struct rate rate;

    rate_init(&rate, 0.5);
    CHECK_INT(taken_at(&rate, 1000, 10), 1);
    CHECK_INT(taken_at(&rate, 1001000, 10), 0);
    CHECK_INT(taken_at(&rate, 2001000, 10), 1);
}

static void no_rate_is_no_limit(void)
{
    struct rate rate;

    rate_init(&rate, 0);
    CHECK_INT(taken_at(&rate, 0, 1000), 1000);
}

int main(void)
{
    RUN(the_rate_allows_one_second_at_once_and_then_its_pace);
    RUN(a_slow_rate_still_gives_a_token);
    RUN(no_rate_is_no_limit);
    return test_end();
}
