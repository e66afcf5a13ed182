/*
 * samples.h - recently accepted payloads, on which a new schema is tested.
 *
 * Bounded in number, bytes and age. The set takes every payload until it is full; later ones
 * replace random ones, less and less often, so that the samples spread over hours at any rate. An
 * offer usually costs one comparison, and never waits.
 *
 * Threads: any; samples_destroy() when this owner does not use the set any more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/flat.h"
#include "base/str.h"

enum {
    SAMPLES_BYTES_MAX = 1024 * 1024, /* all texts together */
    SAMPLES_TEXT_MAX = 64 * 1024,    /* of one text; a longer one is not kept */
    SAMPLES_AGE_MAX_S = 24 * 60 * 60,
};

struct samples;

/** An empty set for `capacity` (> 0) samples. The caller owns it. */
struct samples *samples_create(size_t capacity);

/** Another reference to the set, ended by samples_destroy(). */
struct samples *samples_share(struct samples *samples);

/** NULL is fine. */
void samples_destroy(struct samples *samples);

/** Offer a payload that was accepted at `now_us` (clock_now_us()). The set can keep its text. */
void samples_offer(struct samples *samples, const struct flat *payload, int64_t now_us);

/** How many samples were taken so far, replaced ones included. */
uint64_t samples_taken(struct samples *samples);

/** Write a line for each sample, its time and its text, for samples_add() in another process. */
void samples_write(struct samples *samples, struct buf *out);

/** Add the sample of a line that samples_write() wrote. Other lines, and times in the future, are
 * ignored. */
void samples_add(struct samples *samples, struct str line, int64_t now_us);

/** The texts of the `*count` samples that are not too old at `now_us`; in the arena. */
struct str *samples_copy(struct samples *samples, int64_t now_us, struct arena *arena,
                         size_t *count);
