/*
 * test_retry.c - claims about aws/retry.h.
 */
#include "aws/retry.h"

#include "base/clock.h"
#include "tests/unit/test.h"

static void a_call_has_three_tries(void)
{
    struct aws_retry retry;
    int64_t pause_us = -1;
    int64_t longest_us[2] = { 0, 0 };

    aws_retry_init(&retry, 3, US_PER_S);
    for (int i = 0; i < 40; i++) {
        aws_retry_begin(&retry);
        for (int n = 0; n < 2; n++) {
            CHECK(aws_retry_again(&retry, false, &pause_us));
            CHECK(pause_us >= 0 && pause_us <= US_PER_S << n);
            longest_us[n] = pause_us > longest_us[n] ? pause_us : longest_us[n];
        }
        CHECK(!aws_retry_again(&retry, false, &pause_us));
    }
    CHECK(longest_us[0] > US_PER_S / 4);
    CHECK(longest_us[1] > US_PER_S);
}

static void the_bucket_runs_dry_and_fills_again(void)
{
    struct aws_retry retry;
    int64_t pause_us;
    int tries = 0;

    aws_retry_init(&retry, 3, US_PER_S);
    for (int i = 0; i < 100; i++) {
        aws_retry_begin(&retry);
        while (aws_retry_again(&retry, i % 2 == 0, &pause_us))
            tries++;
    }
    CHECK(tries > 60 && tries < 80);
    CHECK(retry.tokens < 10);

    /* A success at the first try is worth one token, one later all that its call took last. */
    for (int i = 0; i < 10; i++) {
        aws_retry_begin(&retry);
        aws_retry_succeeded(&retry);
    }
    CHECK(retry.tokens >= 10);
    aws_retry_begin(&retry);

    int before = retry.tokens;

    CHECK(aws_retry_again(&retry, true, &pause_us));
    CHECK_INT(retry.tokens, before - 10);
    aws_retry_succeeded(&retry);
    CHECK_INT(retry.tokens, before);
}

static void a_full_bucket_stays_full(void)
{
    struct aws_retry retry;

    aws_retry_init(&retry, 3, US_PER_S);
    for (int i = 0; i < 10; i++)
        aws_retry_succeeded(&retry);
    CHECK_INT(retry.tokens, 500);
}

int main(void)
{
    RUN(a_call_has_three_tries);
    RUN(the_bucket_runs_dry_and_fills_again);
    RUN(a_full_bucket_stays_full);
    return test_end();
}
