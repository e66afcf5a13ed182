/*
 * arena.c - see arena.h.
 *
 * A list of blocks, the newest first. The struct arena is in its first block, so that a small
 * request needs one allocation. Each thread keeps first blocks for its next arenas: a block is too
 * large for the quick path of glibc's malloc().
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"

enum {
    BLOCK_SIZE = 4096,
    SPARES_MAX = 256, /* blocks, 1 MiB, that a thread keeps */
};

struct block {
    struct block *next;
    alignas(max_align_t) char bytes[];
};

struct owned {
    struct owned *next;
    void *object;
    void (*destroy)(void *object);
};

struct arena {
    char *free;           /* the next free byte */
    size_t left;          /* free bytes from there */
    struct block *blocks; /* newest first; the last one holds this struct */
    struct owned *owned;  /* newest first */
};

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct block *block_create(size_t size)
{
    /* Not zeroed: arena_alloc() zeroes what it returns. */
    return mem_realloc(NULL, sizeof(struct block) + size);
}

/* The spare blocks of this thread, the last one first: it may still be in the processor's cache. */
static _Thread_local struct {
    struct block *first;
    size_t count;
    bool ends_with_thread;
} spares;

static void free_spares(void *unused)
{
    (void)unused;
    while (spares.first) {
        struct block *block = spares.first;

        spares.first = block->next;
        mem_free(block);
    }
    spares.count = 0;
    spares.ends_with_thread = false;
}

static struct block *first_block_create(void)
{
    struct block *block = spares.first;

    if (!block)
        return block_create(BLOCK_SIZE);
    spares.first = block->next;
    spares.count--;
    return block;
}

static void first_block_destroy(struct block *block)
{
    if (spares.count == SPARES_MAX || IS_ADDRESS_SANITIZED) {
        mem_free(block);
        return;
    }
    if (UNLIKELY(!spares.ends_with_thread))
        thread_at_end(free_spares, NULL);
    spares.ends_with_thread = true;
    block->next = spares.first;
    spares.first = block;
    spares.count++;
}

/* Make an arena at the beginning of its first block. */
static struct arena *arena_begin(struct block *block)
{
    struct arena *arena = (struct arena *)(void *)block->bytes;
    size_t used = aligned(sizeof(*arena));

    block->next = NULL;
    *arena = (struct arena){
        .free = block->bytes + used,
        .left = BLOCK_SIZE - used,
        .blocks = block,
    };
    return arena;
}

struct arena *arena_create(void)
{
    return arena_begin(first_block_create());
}

/* Destroy what the arena owns; free all blocks except the first one, which is returned. */
static struct block *arena_end(struct arena *arena)
{
    for (struct owned *owned = arena->owned; owned; owned = owned->next)
        owned->destroy(owned->object);

    struct block *block = arena->blocks;

    while (block->next) {
        struct block *next = block->next;

        mem_free(block);
        block = next;
    }
    return block;
}

void arena_cleanup(struct arena **arena)
{
    arena_destroy(*arena);
}

void arena_reset(struct arena *arena)
{
    (void)arena_begin(arena_end(arena));
}

void arena_destroy(struct arena *arena)
{
    if (arena)
        first_block_destroy(arena_end(arena));
}

/* `size` bytes, not zeroed. */
static void *arena_take(struct arena *arena, size_t size)
{
    size_t needed = aligned(size);

    if (needed < size)
        abort();
    if (needed > arena->left) {
        size_t room = needed > BLOCK_SIZE / 4 ? needed : BLOCK_SIZE;
        struct block *block = block_create(room);

        block->next = arena->blocks;
        arena->blocks = block;
        if (needed == room) /* a block of its own; the rest of the old block stays in use */
            return block->bytes;
        arena->free = block->bytes;
        arena->left = room;
    }

    void *ptr = arena->free;

    arena->free += needed;
    arena->left -= needed;
    return ptr;
}

char *arena_room(struct arena *arena, size_t size)
{
    return size <= arena->left && !IS_ADDRESS_SANITIZED ? arena_take(arena, size) : NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(arena_take(arena, size), 0, size);
}

void *arena_keep(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_take(arena, size);

    return size > 0 ? memcpy(copy, bytes, size) : copy;
}

struct str arena_copy(struct arena *arena, struct str s)
{
    char *copy = arena_take(arena, s.len + 1);

    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct str){ copy, s.len };
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        return (struct str){ "", 0 };

    char *text = arena_alloc(arena, (size_t)len + 1);

    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    return (struct str){ text, (size_t)len };
}

void arena_own(struct arena *arena, void *object, void (*destroy)(void *object))
{
    struct owned *owned = arena_alloc(arena, sizeof(*owned));

    *owned = (struct owned){ arena->owned, object, destroy };
    arena->owned = owned;
}

static void end_buf(void *buf)
{
    buf_done(buf);
}

static struct buf *own_buf(struct arena *arena, size_t max, char *room, size_t size)
{
    struct buf *buf = arena_alloc(arena, sizeof(*buf));

    buf_init_in(buf, max, room, size);
    arena_own(arena, buf, end_buf);
    return buf;
}

struct buf *arena_buf(struct arena *arena, size_t max)
{
    return own_buf(arena, max, NULL, 0);
}

struct buf *arena_buf_in(struct arena *arena, size_t max, size_t usual)
{
    return own_buf(arena, max, arena_room(arena, usual), usual);
}
