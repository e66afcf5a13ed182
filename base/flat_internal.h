/*
 * flat_internal.h - what the flat*.c and json*.c files share.
 */
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/flat.h"
#include "base/memory.h"

/* Reading. */

/** The text that is read. A function that fails leaves `at` at the fault and sets `reason`. */
struct json_input {
    const unsigned char *begin;
    const unsigned char *at;
    const unsigned char *end;
    const char *reason;
};

/** A string between its quotes: checked, escapes still in place. */
struct json_raw {
    struct str bytes; /* in the text */
    bool escaped;     /* has a `\` */
    bool nul;         /* has a \u0000 */
};

/** An array or object that is being read. */
struct flat_level {
    uint32_t node;            /* its number among the values */
    uint32_t member;          /* of an object: the member being read; 0: between two members */
    uint64_t bloom;           /* of an object: a set of the keys so far, which may contain others */
    bool maybe_second;        /* the member's key was in that set before */
    struct flat_index *index; /* of the keys so far, in a large object */
    const unsigned char *key_at; /* the opening quote of the member's key */
};

/** The members of a large object: open addressing, at most half full. */
struct flat_index {
    uint32_t mask;
    uint32_t slots[]; /* [mask + 1]; values from the object to the member; 0: free */
};

/** flat_read_string.c: reads from after the opening quote to after the closing one. */
NODISCARD bool json_scan_string(struct json_input *in, struct json_raw *out);

/** Write the value of an escaped `raw`, which is not longer, to `to`. Returns its length. */
size_t json_unescape(const struct json_raw *raw, char *to);

/** The place of a fault. */
struct flat_path {
    const struct flat *values;
    const struct flat_level *levels; /* [depth]; outermost first */
    size_t depth;
};

/** flat_read_error.c: "at byte N: reason at /pointer". Returns false. */
bool flat_read_fail(const struct json_input *in, const struct flat_path *path, struct error *err);

enum { FLAT_SCAN_MAX = 16 }; /* an object with more members has an index */

/** flat_find.c: is another member with the key of level->member before it in the object? */
bool flat_is_second(struct arena *arena, struct flat_level *level, const struct flat *values);

/** flat_value.c: a hash of the bytes that a sender cannot predict. */
uint64_t flat_hash_bytes(struct str s);

static inline uint64_t json_load_8(const char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof(word));
    return word;
}

static inline uint64_t json_load_4(const char *from)
{
    uint32_t word;

    memcpy(&word, from, sizeof(word));
    return word;
}

/**
 * The first byte from `at` on that does not stand for itself in a JSON string: a quote, backslash
 * or control character, and with `ascii_only` a byte above 0x7F. `end` when there is none.
 */
static inline const unsigned char *json_skip_plain(const unsigned char *at,
                                                   const unsigned char *end, bool ascii_only)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    const __m128i control = _mm_set1_epi8(0x1F);

    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* As signed numbers, bytes above 0x7F are below the space too. */
        __m128i special = ascii_only ? _mm_cmplt_epi8(bytes, space)
                                     : _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
        __m128i stop = _mm_or_si128(
            special, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);

        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && *at >= 0x20 && *at != '"' && *at != '\\' && (!ascii_only || *at < 0x80))
        at++;
    return at;
}

/** Does a byte of the word not stand for itself in a JSON string? */
static inline bool json_has_special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones * 0x80;
    uint64_t quotes = word ^ ones * '"';
    uint64_t backslashes = word ^ ones * '\\';

    /* A subtraction borrows from bytes that are less, and have no top bit themselves. */
    return ((((word - ones * ' ') & ~word) | ((quotes - ones) & ~quotes) |
             ((backslashes - ones) & ~backslashes)) &
            tops) != 0;
}

/** Do all bytes of `s` stand for themselves in a JSON string? The last step overlaps. */
static inline bool json_is_plain(struct str s)
{
    enum { STEP = 16 };
    const unsigned char *at = (const unsigned char *)s.ptr;

    if (s.len >= STEP) {
        const unsigned char *steps_end = at + s.len / STEP * STEP;

        return json_skip_plain(at, steps_end, false) == steps_end &&
               json_skip_plain(at + s.len - STEP, at + s.len, false) == at + s.len;
    }
    if (s.len >= 8)
        return !json_has_special(json_load_8(s.ptr)) &&
               !json_has_special(json_load_8(s.ptr + s.len - 8));
    if (s.len >= 4)
        return !json_has_special(json_load_4(s.ptr) << 32 | json_load_4(s.ptr + s.len - 4));
    return s.len == 0 || json_skip_plain(at, at + s.len, false) == at + s.len;
}

/** Read a string without escapes and of ASCII only. False: it is another one; `in` is unchanged. */
static inline bool json_take_plain(struct json_input *in, struct str *out)
{
    const unsigned char *stop = json_skip_plain(in->at, in->end, true);

    if (UNLIKELY(stop == in->end || *stop != '"'))
        return false;
    *out = (struct str){ (const char *)in->at, (size_t)(stop - in->at) };
    in->at = stop + 1;
    return true;
}

/* Keys. */

/**
 * A hash of a key. The reader takes it of every key of every object, so it reads at most three
 * words of the key. Not for tables of keys that a sender chooses.
 */
static inline uint64_t json_key_hash(struct str key)
{
    uint64_t first = 0;
    uint64_t last = 0;

    if (key.len >= 8) {
        first = json_load_8(key.ptr);
        last = json_load_8(key.ptr + key.len - 8);
        if (key.len > 16)
            first ^= json_load_8(key.ptr + key.len / 2 - 4) << 1;
    } else if (key.len >= 4) {
        first = json_load_4(key.ptr);
        last = json_load_4(key.ptr + key.len - 4);
    } else if (key.len > 0) {
        first = (unsigned char)key.ptr[0];
        last = (uint64_t)(unsigned char)key.ptr[key.len / 2] << 8 |
               (unsigned char)key.ptr[key.len - 1];
    }

    uint64_t hash = (first ^ key.len) * UINT64_C(0x9E3779B97F4A7C15);

    hash = (hash ^ hash >> 32 ^ last) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

/** str_equal() for keys: most have 4 to 16 bytes, two words that may overlap. */
static inline bool json_is_same_key(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    if (a.len >= 8 && a.len <= 16)
        return json_load_8(a.ptr) == json_load_8(b.ptr) &&
               json_load_8(a.ptr + a.len - 8) == json_load_8(b.ptr + b.len - 8);
    if (a.len >= 4 && a.len < 8)
        return json_load_4(a.ptr) == json_load_4(b.ptr) &&
               json_load_4(a.ptr + a.len - 4) == json_load_4(b.ptr + b.len - 4);
    return a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0;
}

/** json_symbols.c: json_symbols_find() with the hash of the key. */
const struct json_symbol *json_symbols_find_hashed(const struct json_symbols *symbols,
                                                   struct str key, uint64_t hash);

/* Numbers. */

/* flat_compare_numbers() relies on the order. */
enum flat_numeric_kind {
    NUMERIC_SMALL, /* an integer of a magnitude below 2^64 */
    NUMERIC_BIG,   /* any other integer */
    NUMERIC_REAL,  /* a double */
};

/** A number's value. */
struct flat_numeric {
    enum flat_numeric_kind kind;
    bool negative;      /* below zero */
    uint64_t magnitude; /* of a small one */
    struct str digits;  /* of a big one, without sign and leading zeros; in the tree */
    double real;        /* of a real one */
};

/** flat_number.c: the value of `number`. */
struct flat_numeric flat_numeric(const struct flat *number);

/** The double nearest to a big integer; may be infinite. */
double flat_big_double(const struct flat_numeric *big);

enum { FLAT_REAL_DIGITS = 312 }; /* the largest double has 309 digits; one byte is for a NUL */

/** Write the digits of `real`, which is whole and finite, without its sign. Returns how many. */
size_t flat_real_digits(double real, char digits[static FLAT_REAL_DIGITS]);
