/*
 * json_internal.h - what the json*.c files share.
 */
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json.h"
#include "base/memory.h"

/** `value`, which json-c made. NULL means out of memory and ends the process. */
static inline struct json_object *json_made(struct json_object *value)
{
    return (struct json_object *)mem_check(value);
}

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
struct json_place {
    bool in_array;
    size_t index;        /* of the element being read */
    size_t displacement; /* slots between the members and those that their hashes name, summed */
    struct json_raw key; /* of the member being read; bytes.ptr is NULL between two members */
};

/** json_read_string.c: reads from after the opening quote to after the closing one. */
NODISCARD bool json_scan_string(struct json_input *in, struct json_raw *out);

/** The value of an escaped `raw`, in `scratch` until its next use. */
struct str json_unescape(const struct json_raw *raw, struct buf *scratch);

/** The value of `raw`, in the text or in `scratch`. */
static inline struct str json_bytes(const struct json_raw *raw, struct buf *scratch)
{
    return UNLIKELY(raw->escaped) ? json_unescape(raw, scratch) : raw->bytes;
}

/** json_read_number.c: reads a number, whose first byte is a digit or `-`. */
NODISCARD bool json_scan_number(struct json_input *in, struct json_object **out);

/** json_read_error.c: "at byte N: reason at /pointer"; `places` outermost first. Returns false. */
bool json_read_fail(const struct json_input *in, const struct json_place *places, size_t depth,
                    struct error *err);

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

/* Numbers. */

/** The text of a number that json-c's types cannot hold exactly; kept with a json-c double. */
struct json_source {
    bool integer; /* neither fraction nor exponent */
    size_t len;
    char text[]; /* a NUL follows */
};

/** The text of this double, or NULL when it was not read from a text. */
static inline const struct json_source *json_source(struct json_object *number)
{
    return (const struct json_source *)json_object_get_userdata(number);
}

/* json_compare_numbers() relies on the order. */
enum json_numeric_kind {
    NUMERIC_SMALL, /* an integer of a magnitude below 2^64 */
    NUMERIC_BIG,   /* any other integer */
    NUMERIC_REAL,  /* a double */
};

/** A number's value. */
struct json_numeric {
    enum json_numeric_kind kind;
    bool negative;      /* below zero */
    uint64_t magnitude; /* of a small one */
    struct str digits;  /* of a big one, without sign and leading zeros; in the tree */
    double real;        /* of a real one; of a big one the nearest double, may be infinite */
};

/** json_number.c: the value of `number`. */
struct json_numeric json_numeric(struct json_object *number);

enum { JSON_REAL_DIGITS = 312 }; /* the largest double has 309 digits; one byte is for a NUL */

/** Write the digits of `real`, which is whole and finite, without its sign. Returns how many. */
size_t json_real_digits(double real, char digits[static JSON_REAL_DIGITS]);
