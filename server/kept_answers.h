/*
 * kept_answers.h - answers that take long to find, kept for some seconds for the next client that
 * asks the same.
 *
 * A few are kept, the latest. One that took long is kept longer: to find it takes a tenth of the
 * time at most.
 *
 * Threads: kept answers belong to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { KEPT_ANSWERS_MAX = 4 };

struct kept_answers;

/** The caller owns it. */
struct kept_answers *kept_answers_create(void);

/** NULL is fine. */
void kept_answers_destroy(struct kept_answers *kept);

/** Add the answer to `out`. False: none is kept. Times are by clock_monotonic_us(). */
bool kept_answers_find(const struct kept_answers *kept, struct str question, int64_t now_us,
                       struct buf *out);

/** Keep an answer that was found from `begun_us` to `now_us`; both texts are copied. */
void kept_answers_add(struct kept_answers *kept, struct str question, struct str answer,
                      int64_t begun_us, int64_t now_us);

/** Something has changed: forget all. */
void kept_answers_clear(struct kept_answers *kept);
