/*
 * evaluated.h - the set of evaluated properties or items of one value, for unevaluated*.
 *
 * A property is identified by its place in the object, so it is marked without a search.
 *
 * Threads: belongs to one check.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/flat.h"
#include "base/memory.h"

enum { EVALUATED_INLINE_WORDS = 4 };

struct evaluated {
    uint64_t inline_words[EVALUATED_INLINE_WORDS];
    uint64_t *words; /* a bit set: inline_words, or heap memory for large values */
    size_t word_count;
    bool all; /* every property or item is evaluated, whatever the bits are */
};

static inline void evaluated_begin(struct evaluated *seen, const struct flat *value)
{
    size_t bits = 0;

    if (flat_is_object(value) || flat_is_array(value))
        bits = flat_count(value);
    seen->all = false;
    seen->word_count = (bits + 63) / 64;
    if (seen->word_count <= EVALUATED_INLINE_WORDS) {
        memset(seen->inline_words, 0, sizeof(seen->inline_words));
        seen->words = seen->inline_words;
    } else {
        seen->words = mem_alloc_array(seen->word_count, sizeof(uint64_t));
    }
}

static inline void evaluated_done(struct evaluated *seen)
{
    if (seen->words != seen->inline_words)
        mem_free(seen->words);
}

static inline void evaluated_mark(struct evaluated *seen, size_t at)
{
    seen->words[at / 64] |= UINT64_C(1) << at % 64;
}

static inline bool evaluated_has(const struct evaluated *seen, size_t at)
{
    return seen->all || (seen->words[at / 64] >> at % 64 & 1) != 0;
}

/** Add the marks of `from`. Both sets must be for the same value. */
static inline void evaluated_merge(struct evaluated *into, const struct evaluated *from)
{
    into->all = into->all || from->all;
    for (size_t i = 0; i < from->word_count; i++)
        into->words[i] |= from->words[i];
}
