/*
 * test_retry.c - claims about aws/retry.h.
 */
#include "aws/retry.h"

#include "base/attr.h"
#include "base/clock.h"
#include "tests/unit/test.h"

static const struct aws_retry_cause trouble = { 0 };
static const struct aws_retry_cause throttling = { .throttled = true };

/* Make calls whose attempts all fail. `first_us` is the longest first pause. */
static void check_three_tries(struct aws_retry_cause cause, int64_t first_us)
{
    struct aws_retry retry;
    int64_t pause_us = -1;
    int64_t longest_us[2] = { 0, 0 };

    for (int i = 0; i < 40; i++) {
        aws_retry_init(&retry, 3, US_PER_S);
        aws_retry_begin(&retry);
        for (int n = 0; n < 2; n++) {
            CHECK(aws_retry_again(&retry, cause, &pause_us));
            CHECK(pause_us >= 0 && pause_us <= first_us << n);
            longest_us[n] = pause_us > longest_us[n] ? pause_us : longest_us[n];
        }
        CHECK(!aws_retry_again(&retry, cause, &pause_us));
    }
    CHECK(longest_us[0] > first_us / 4);
    CHECK(longest_us[1] > first_us);
}

static void a_call_has_three_tries(void)
{
    check_three_tries(throttling, US_PER_S);
    check_three_tries(trouble, US_PER_S / 20);
}

static void no_pause_is_longer_than_twenty_seconds(void)
{
    struct aws_retry retry;
    int64_t pause_us = -1;
    int64_t longest_us = 0;

    for (int i = 0; i < 40; i++) {
        aws_retry_init(&retry, 100, US_PER_S);
        while (aws_retry_again(&retry, throttling, &pause_us))
            longest_us = pause_us > longest_us ? pause_us : longest_us;
    }
    CHECK(longest_us > 10 * US_PER_S && longest_us <= 20 * US_PER_S);
}

static void the_service_may_ask_for_a_longer_pause(void)
{
    static const struct {
        int64_t asked_us;
        int64_t least_us;
        int64_t most_us;
    } cases[] = {
        { 1, 0, US_PER_S / 20 },
        { 2 * US_PER_S, 2 * US_PER_S, 2 * US_PER_S },
        { 100 * US_PER_S, 5 * US_PER_S, 5 * US_PER_S + US_PER_S / 20 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_retry retry;
        int64_t pause_us = -1;

        aws_retry_init(&retry, 3, US_PER_S);
        CHECK(aws_retry_again(
            &retry, (struct aws_retry_cause){ .retry_after_us = cases[i].asked_us }, &pause_us));
        CHECK(pause_us >= cases[i].least_us && pause_us <= cases[i].most_us);
    }
}

static void one_attempt_is_not_retried(void)
{
    struct aws_retry retry;
    int64_t pause_us = -1;

    aws_retry_init(&retry, 1, US_PER_S);
    CHECK(!aws_retry_again(&retry, trouble, &pause_us));
    CHECK_INT(retry.tokens, 500);
}

static void the_bucket_runs_dry_and_fills_again(void)
{
    struct aws_retry retry;
    int64_t pause_us;
    int tries = 0;

    aws_retry_init(&retry, 3, US_PER_S);
    for (int i = 0; i < 100; i++) {
        aws_retry_begin(&retry);
        while (aws_retry_again(&retry, i % 2 == 0 ? throttling : trouble, &pause_us))
            tries++;
    }
    CHECK(tries > 45 && tries < 65);
    CHECK(retry.tokens < 5);

    /* A success at the first try is worth one token, one later all that its call took last. */
    for (int i = 0; i < 14; i++) {
        aws_retry_begin(&retry);
        aws_retry_succeeded(&retry);
    }
    CHECK(retry.tokens >= 14);
    aws_retry_begin(&retry);

    int before = retry.tokens;

    CHECK(aws_retry_again(&retry, trouble, &pause_us));
    CHECK_INT(retry.tokens, before - 14);
    aws_retry_succeeded(&retry);
    CHECK_INT(retry.tokens, before);
    aws_retry_begin(&retry);
    CHECK(aws_retry_again(&retry, throttling, &pause_us));
    CHECK_INT(retry.tokens, before - 5);
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
    RUN(no_pause_is_longer_than_twenty_seconds);
    RUN(the_service_may_ask_for_a_longer_pause);
    RUN(one_attempt_is_not_retried);
    RUN(the_bucket_runs_dry_and_fills_again);
    RUN(a_full_bucket_stays_full);
    return test_end();
}
