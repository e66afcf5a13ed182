/*
 * vector.h - arrays that grow while a schema is compiled.
 */
#pragma once

#include <stdint.h>

#include "base/memory.h"

/** `items` with room for one more than `count`; moves them when they were full. */
static inline void *vector_grow(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 4 : 32;
    return mem_realloc(items, *capacity * size);
}
