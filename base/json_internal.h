/*
 * json_internal.h - what the json*.c files share; nobody else includes it.
 */
#pragma once

#include <stdlib.h>

#include "base/json.h"

/* A text on its way through the reader. The pieces below move `at`; when one fails, `at` is the
 * byte at fault and `reason` says why. */
struct json_input {
    const unsigned char *begin;
    const unsigned char *at;
    const unsigned char *end;
    const char *reason;
};

/** A string between its quotes, checked but still escaped. */
struct json_raw {
    struct str bytes; /* in the text */
    bool escaped;     /* there is a `\` in it */
    bool nul;         /* there is a \u0000 in it */
};

/** Where in an array or object the reader is. */
struct json_place {
    bool in_array;
    size_t index;        /* the element being read */
    size_t strayed;      /* slots between the members and where their hashes want them, summed */
    struct json_raw key; /* the member being read; bytes.ptr is NULL between two members */
};

/** json_read_string.c: `at` is behind the opening quote and ends behind the closing one. */
NODISCARD bool json_scan_string(struct json_input *in, struct json_raw *out);

/** The bytes that an escaped `raw` stands for, in `scratch` until its next use. */
struct str json_unescape(const struct json_raw *raw, struct buf *scratch);

/** The bytes that `raw` stands for, if need be in `scratch`. */
static inline struct str json_bytes(const struct json_raw *raw, struct buf *scratch)
{
    return UNLIKELY(raw->escaped) ? json_unescape(raw, scratch) : raw->bytes;
}

/** json_read_number.c: `at` is at a digit or `-`. */
NODISCARD bool json_scan_number(struct json_input *in, struct json_object **out);

/** json_read_error.c: "at byte N: reason at /pointer", `places` outermost first. Returns false. */
bool json_read_fail(const struct json_input *in, const struct json_place *places, size_t depth,
                    struct error *err);

/* A number whose text says more than json-c's types can: it hangs on a json-c double. */
struct json_source {
    bool integer; /* neither fraction nor exponent */
    size_t len;
    char text[]; /* NUL behind it */
};

/** The text that came with this double, or NULL when the program made it. */
static inline const struct json_source *json_source(struct json_object *number)
{
    return (const struct json_source *)json_object_get_userdata(number);
}

/** Out of memory ends the process, in json-c too. */
static inline struct json_object *json_made(struct json_object *value)
{
    if (UNLIKELY(!value))
        abort();
    return value;
}
