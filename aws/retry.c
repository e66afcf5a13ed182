/*
 * retry.c - see retry.h.
 */
#include "aws/retry.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    BUCKET = 500,
    COST = 14,
    COST_AFTER_THROTTLING = 5,
    REWARD = 1,     /* for a success without a retry */
    PAUSE_MAX = 20, /* units */
    PAUSES_PER_UNIT =
        20,         /* the first pause is so small a part of a unit, except after throttling */
    LONGER_MAX = 5, /* units by which the service may make a pause longer */
};

void aws_retry_init(struct aws_retry *retry, int attempts, int64_t unit_us)
{
    *retry = (struct aws_retry){ .attempts = attempts, .unit_us = unit_us, .tokens = BUCKET };
}

void aws_retry_begin(struct aws_retry *retry)
{
    retry->taken = 0;
    retry->repetitions = 0;
}

/* A random number from 0 to 1; 1 while the kernel's generator is not ready. */
static double any_part(void)
{
    uint32_t number = UINT32_MAX;

    (void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
    return (double)number / (double)UINT32_MAX;
}

/* A random part of the longest pause. */
static int64_t choose_pause(const struct aws_retry *retry, bool throttled)
{
    int64_t first_us = throttled ? retry->unit_us : retry->unit_us / PAUSES_PER_UNIT;
    int64_t longest_us = PAUSE_MAX * retry->unit_us;
    int64_t pause_us = first_us;

    for (int i = 0; i < retry->repetitions && pause_us < longest_us; i++)
        pause_us *= 2;
    if (pause_us > longest_us)
        pause_us = longest_us;
    return (int64_t)(any_part() * (double)pause_us);
}

bool aws_retry_again(struct aws_retry *retry, struct aws_retry_cause cause, int64_t *pause_us)
{
    int cost = cause.throttled ? COST_AFTER_THROTTLING : COST;

    if (retry->repetitions + 1 >= retry->attempts || retry->tokens < cost)
        return false;

    int64_t chosen_us = choose_pause(retry, cause.throttled);
    int64_t most_us = chosen_us + LONGER_MAX * retry->unit_us;
    int64_t asked_us = cause.retry_after_us < most_us ? cause.retry_after_us : most_us;

    retry->tokens -= cost;
    retry->taken = cost;
    retry->repetitions++;
    *pause_us = chosen_us > asked_us ? chosen_us : asked_us;
    return true;
}

void aws_retry_succeeded(struct aws_retry *retry)
{
    retry->tokens += retry->taken > 0 ? retry->taken : REWARD;
    if (retry->tokens > BUCKET)
        retry->tokens = BUCKET;
}
