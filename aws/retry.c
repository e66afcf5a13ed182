/*
 * retry.c - see retry.h.
 */
#include "aws/retry.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    BUCKET = 500,
    COST = 5,
    COST_OF_TIMEOUT = 10,
    REWARD = 1,     /* for a success without a retry */
    PAUSE_MAX = 20, /* units */
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

bool aws_retry_again(struct aws_retry *retry, bool timed_out, int64_t *pause_us)
{
    int cost = timed_out ? COST_OF_TIMEOUT : COST;
    int64_t units = INT64_C(1) << retry->repetitions;

    if (retry->repetitions + 1 >= retry->attempts || retry->tokens < cost)
        return false;
    retry->tokens -= cost;
    retry->taken = cost;
    retry->repetitions++;
    units = units < PAUSE_MAX ? units : PAUSE_MAX;
    *pause_us = (int64_t)(any_part() * (double)(units * retry->unit_us));
    return true;
}

void aws_retry_succeeded(struct aws_retry *retry)
{
    retry->tokens += retry->taken > 0 ? retry->taken : REWARD;
    if (retry->tokens > BUCKET)
        retry->tokens = BUCKET;
}
