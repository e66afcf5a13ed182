/*
 * attr.h - the compiler extensions this program uses, each spelled once.
 */
#pragma once

#include <stddef.h>

/** The compiler warns when the result is not used. */
#define NODISCARD __attribute__((warn_unused_result))

/** Check the arguments from number `first` on against the format, number `fmt` (from 1). */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/** Call `fn(&variable)` when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** The function does not return. */
#define NORETURN __attribute__((noreturn))

/** The usual value of a condition on a hot path. */
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/** Is this a build with AddressSanitizer, which must see the end of all memory? */
#if defined(__SANITIZE_ADDRESS__)
#define IS_ADDRESS_SANITIZED 1
#elif defined(__has_feature) /* clang before 21 */
#if __has_feature(address_sanitizer)
#define IS_ADDRESS_SANITIZED 1
#endif
#endif
#ifndef IS_ADDRESS_SANITIZED
#define IS_ADDRESS_SANITIZED 0
#endif

/** The number of elements of an array (not of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** The struct of `type` whose `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
