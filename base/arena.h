/*
 * arena.h - memory that lives exactly as long as one request.
 *
 * Allocate freely, free nothing: arena_destroy() returns every byte at once, after closing what
 * was handed over with arena_own(), last one first. Out of memory ends the process (memory.h), so
 * no function here returns NULL.
 *
 * Threads: an arena belongs to one thread at a time.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

struct arena;

/** A new, empty arena. The caller owns it. */
struct arena *arena_create(void);

/** Close what the arena owns, then free it. NULL is fine. */
void arena_destroy(struct arena *arena);

/** Close what it owns and forget the rest; what is left is as good as new, and cheaper. */
void arena_reset(struct arena *arena);

/** `size` zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

/** A copy of `size` bytes, aligned for any type. */
void *arena_keep(struct arena *arena, const void *bytes, size_t size);

/** A copy of `s`; the byte after its end is NUL. */
struct str arena_copy(struct arena *arena, struct str s);

/** Formatted text; the byte after its end is NUL. */
struct str arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Hand `object` over: `destroy(object)` runs in arena_destroy(). */
void arena_own(struct arena *arena, void *object, void (*destroy)(void *object));

/** An empty buffer of at most `max` bytes that dies with the arena. */
struct buf *arena_buf(struct arena *arena, size_t max);
