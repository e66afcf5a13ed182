/*
 * str.h - a slice of text: a pointer and a length.
 *
 * A struct str never owns its bytes. They may contain NUL and need not end with one.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/** The slice of a string literal. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })

/** The same as an initialiser of static data. */
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/** An absent text: ptr is NULL. */
#define STR_NONE ((struct str){ NULL, 0 })

/** The two arguments of printf's "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/** The slice of a C string; NULL gives the empty slice. */
static inline struct str str_from_c(const char *text)
{
    return (struct str){ text, text ? strlen(text) : 0 };
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/** `s` from index `start` on; empty when `s` is not longer. */
static inline struct str str_from(struct str s, size_t start)
{
    return start < s.len ? (struct str){ s.ptr + start, s.len - start } : (struct str){ NULL, 0 };
}

/** `s` without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/** Are they equal, ASCII letters compared without case? Does not depend on a locale. */
bool str_equal_ignore_case(struct str a, struct str b);

/** Order by bytes, a prefix first: a number below, equal to or above 0. */
int str_compare(struct str a, struct str b);

/**
 * Does the whole of `s` match `glob`? `*` matches any bytes, also none, and `?` one UTF-8
 * character; all other bytes match themselves. Takes linear time in practice, quadratic at worst.
 */
bool str_matches_glob(struct str s, struct str glob);
