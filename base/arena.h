/*
 * arena.h - memory that is freed all at once, as at the end of a request.
 *
 * arena_destroy() first destroys the objects that were passed to arena_own(), the last one first,
 * and then frees all memory. Out of memory ends the process (memory.h), so no function returns
 * NULL.
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

/** Destroy the objects that the arena owns, then free it. NULL is fine. */
void arena_destroy(struct arena *arena);

/** For CLEANUP: destroy the arena that the variable points to. */
void arena_cleanup(struct arena **arena);

/** The same as to destroy the arena and create a new one, but cheaper. */
void arena_reset(struct arena *arena);

/** `size` zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

/** `size` bytes, not zeroed, if the arena has them at hand; else NULL. */
char *arena_room(struct arena *arena, size_t size);

/** A copy of `size` bytes, aligned for any type; `bytes` may be NULL when `size` is 0. */
void *arena_keep(struct arena *arena, const void *bytes, size_t size);

/** A copy of `s`; a NUL follows it. */
struct str arena_copy(struct arena *arena, struct str s);

/** Formatted text; a NUL follows it. */
struct str arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Pass ownership of `object` to the arena, which calls `destroy(object)` when it ends. */
void arena_own(struct arena *arena, void *object, void (*destroy)(void *object));

/** An empty buffer of at most `max` bytes, owned by the arena. */
struct buf *arena_buf(struct arena *arena, size_t max);

/** arena_buf() that begins in arena_room(arena, `usual`): for a text that is seldom longer. */
struct buf *arena_buf_in(struct arena *arena, size_t max, size_t usual);
