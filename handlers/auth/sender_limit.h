/*
 * sender_limit.h - how many failures a second each sender may cause.
 *
 * For what costs much before it is known who asks. A table of fixed size: senders whose numbers
 * fall on the same place share it. Which ones do is keyed at random.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sender_limit;

/** The caller owns it. About 24 KiB. */
struct sender_limit *sender_limit_create(double per_second);

/** NULL is fine. */
void sender_limit_destroy(struct sender_limit *limit);

/** May this sender (struct request) cause one more failure at `now_us` (monotonic)? */
bool sender_limit_has(const struct sender_limit *limit, uint64_t sender, int64_t now_us);

/** It has caused one. */
void sender_limit_count(struct sender_limit *limit, uint64_t sender, int64_t now_us);
