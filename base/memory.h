/*
 * memory.h - heap memory that is never NULL.
 *
 * Out of memory ends the process: the supervisor starts it again, what was acknowledged is on
 * stable storage, and EventBridge retries the rest (docs/decisions/003). In return everything a
 * sender can make grow has a limit that is checked before it gets here.
 *
 * Threads: as malloc(3).
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/** End the process, with a line on standard error. */
NORETURN void mem_out_of_memory(void);

/** `ptr`, which a library has allocated; NULL means out of memory and ends the process. */
static inline void *mem_check(void *ptr)
{
    if (UNLIKELY(!ptr))
        mem_out_of_memory();
    return ptr;
}

/** `size` zeroed bytes. Ended by mem_free(). */
void *mem_alloc(size_t size);

/** `count` zeroed elements of `size` bytes; the product is checked. */
void *mem_alloc_array(size_t count, size_t size);

/** `size` zeroed bytes at a multiple of `alignment` (a power of two). Ended by mem_free(). */
void *mem_alloc_aligned(size_t alignment, size_t size);

/** As realloc(3); new bytes are not zeroed. */
void *mem_realloc(void *ptr, size_t size);

/**
 * `items`, `count` elements of `size` bytes, with room for one more; they move when `*capacity` is
 * reached, which then doubles. New elements are not zeroed. Start with NULL and a capacity of 0.
 */
NODISCARD void *mem_grow(void *items, size_t count, size_t *capacity, size_t size);

/** A copy of `len` bytes with a NUL behind them. */
char *mem_copy(const char *bytes, size_t len);

/** A copy of a C string. */
char *mem_copy_string(const char *text);

/** NULL is fine. */
void mem_free(void *ptr);

/**
 * For a process in which many requests are under way at once, each with many small pieces: free
 * pieces are joined at once, not all of them whenever a larger one is wanted. Before the first
 * thread.
 */
void mem_prepare(void);

/** Give memory that is free back to the system. Costs up to milliseconds: not on a hot path. */
void mem_trim(void);
