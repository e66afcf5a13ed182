/*
 * memory.h - heap memory that is never NULL.
 *
 * Out of memory ends the process (docs/decisions/003): the supervisor restarts it, acknowledged
 * events are on stable storage, and EventBridge sends the others again. Whatever a sender can make
 * grow has a limit, which is checked before memory is allocated.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/** Write a line to standard error and end the process. */
NORETURN void mem_out_of_memory(void);

/** Returns `ptr`, which a library allocated. NULL means out of memory and ends the process. */
static inline void *mem_check(void *ptr)
{
    if (UNLIKELY(!ptr))
        mem_out_of_memory();
    return ptr;
}

/** `size` zeroed bytes. Freed by mem_free(), as everything below. */
void *mem_alloc(size_t size);

/** `count` zeroed elements of `size` bytes each. An overflow of the product ends the process. */
void *mem_alloc_array(size_t count, size_t size);

/** `size` zeroed bytes at a multiple of `alignment`, a power of two. */
void *mem_alloc_aligned(size_t alignment, size_t size);

/** Resize as realloc(3) does. New bytes are not zeroed. */
void *mem_realloc(void *ptr, size_t size);

/**
 * Make room for one more element. `items` has `count` elements of `size` bytes, and room for
 * `*capacity`. Returns the new address: when the room is used up, it doubles and the elements may
 * move. The new room is not zeroed. The first call passes NULL and a capacity of 0.
 */
NODISCARD void *mem_grow(void *items, size_t count, size_t *capacity, size_t size);

/** A copy of `len` bytes, with a NUL after them. */
char *mem_copy(const char *bytes, size_t len);

/** A copy of a C string. */
char *mem_copy_string(const char *text);

/** Free. NULL is fine. */
void mem_free(void *ptr);

/**
 * Configure the allocator for many requests at once, each with many small allocations: free
 * neighbours are merged immediately, instead of all of them when a large allocation needs it. The
 * memory of large allocations, such as the tree of a body of 2 MiB, is returned to the system when
 * they end. Call before the first thread starts.
 */
void mem_prepare(void);

/** Return free memory to the system. Takes up to milliseconds: not for a hot path. */
void mem_trim(void);
