/*
 * samples.h - a few payloads that were accepted of late, to try a new schema on.
 *
 * Bounded in number, bytes and age. The first ones are all taken; later ones take the place of
 * random others, ever less often, so that what is kept spreads over hours whatever the rate.
 * Offering one costs a clock comparison, seldom more, and never waits.
 *
 * Threads: any; samples_destroy() when nobody uses it for this owner any more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

enum {
    SAMPLES_BYTES_MAX = 1024 * 1024, /* all texts together */
    SAMPLES_TEXT_MAX = 64 * 1024,    /* one text; what is longer is not kept */
    SAMPLES_AGE_MAX_S = 24 * 60 * 60,
};

struct samples;

/** An empty set for `capacity` (> 0) samples. The caller owns it. */
struct samples *samples_create(size_t capacity);

/** The same set for another owner; each ends it with samples_destroy(). */
struct samples *samples_share(struct samples *samples);

/** NULL is fine. */
void samples_destroy(struct samples *samples);

/** This payload was accepted at `now_us` (clock_now_us()). It may be kept, as text. */
void samples_offer(struct samples *samples, struct json_object *payload, int64_t now_us);

/** How many were kept so far, those included that are gone again. */
uint64_t samples_taken(struct samples *samples);

/** For samples_add(), in another process: a line each, when it was taken and its text. */
void samples_write(struct samples *samples, struct buf *out);

/** One that samples_write() has written; what is no such line, or from the future, is ignored. */
void samples_add(struct samples *samples, struct str line, int64_t now_us);

/** Those that are not too old at `now_us`, as texts in the arena; how many, in `*count`. */
struct str *samples_copy(struct samples *samples, int64_t now_us, struct arena *arena,
                         size_t *count);
