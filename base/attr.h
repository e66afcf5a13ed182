/*
 * attr.h - the compiler extensions this program uses, each spelled once.
 */
#pragma once

#include <stddef.h>

/** The result must be looked at. */
#define NODISCARD __attribute__((warn_unused_result))

/** The arguments from `first` on are checked against the format at `fmt` (both count from 1). */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/** `fn(&variable)` runs when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** Does not return. */
#define NORETURN __attribute__((noreturn))

/** How the hot path's branches usually go. */
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/** Elements of an array (not of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** The struct of `type` whose `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
