/*
 * memory.c - see memory.h.
 */
#include "base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

void mem_out_of_memory(void)
{
    (void)fputs("sluice: out of memory\n", stderr);
    abort();
}

void *mem_alloc(size_t size)
{
    return mem_alloc_array(1, size);
}

void *mem_alloc_array(size_t count, size_t size)
{
    return mem_check(calloc(count ? count : 1, size ? size : 1));
}

void *mem_alloc_aligned(size_t alignment, size_t size)
{
    size_t whole = (size + alignment - 1) / alignment * alignment;

    return memset(mem_check(aligned_alloc(alignment, whole)), 0, whole);
}

void *mem_realloc(void *ptr, size_t size)
{
    return mem_check(realloc(ptr, size ? size : 1));
}

void *mem_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    enum { FIRST = 16 };

    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : FIRST;
    return mem_realloc(items, *capacity * size);
}

char *mem_copy(const char *bytes, size_t len)
{
    char *copy = mem_check(malloc(len + 1));

    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *mem_copy_string(const char *text)
{
    return mem_copy(text, strlen(text));
}

void mem_free(void *ptr)
{
    free(ptr);
}

/*
 * glibc raises both limits to the size of the largest allocation that ended, up to 32 MiB and twice
 * as much, unless they are set. Then each thread's heap would keep up to 64 MiB.
 */
enum { OWN_MAPPING = 2 * 1024 * 1024, KEPT_FREE = 1024 * 1024 };

/* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet */
void mem_prepare(void)
{
    (void)mallopt(M_MXFAST, 0);
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}
/* NOLINTEND(concurrency-mt-unsafe) */

void mem_trim(void)
{
    (void)malloc_trim(0);
}
