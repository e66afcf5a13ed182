/*
 * epoch.c - see epoch.h.
 *
 * Each reading thread has a slot that holds the epoch in which it entered, or 0. A thread keeps its
 * slot until it ends. All accesses are sequentially consistent: the store to the slot must be
 * visible before the reader loads the pointer, and the writer's swap before it reads the slots.
 */
#include "base/epoch.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/memory.h"
#include "base/thread.h"

enum { POLL_NS = 50 * 1000 };

struct slot {
    alignas(64) _Atomic uint64_t entered; /* has its own cache line */
    atomic_bool taken;
    struct slot *next; /* set before the slot is published */
};

static _Atomic(struct slot *) slots; /* only grows; the slot of a thread that ended is reused */
static _Atomic uint64_t epoch = 1;

static _Thread_local struct slot *mine; /* until the thread ends */

static void free_slot(void *slot)
{
    atomic_store(&((struct slot *)slot)->taken, false);
    mine = NULL;
}

static struct slot *take_slot(void)
{
    for (struct slot *slot = atomic_load(&slots); slot; slot = slot->next)
        if (!atomic_exchange(&slot->taken, true))
            return slot;

    struct slot *slot = mem_alloc_aligned(alignof(struct slot), sizeof(*slot));

    atomic_store(&slot->taken, true);
    slot->next = atomic_load(&slots);
    while (!atomic_compare_exchange_weak(&slots, &slot->next, slot))
        continue;
    return slot;
}

void epoch_enter(void)
{
    if (!mine) {
        mine = take_slot();
        thread_at_end(free_slot, mine);
    }
    atomic_store(&mine->entered, atomic_load(&epoch));
}

void epoch_leave(void)
{
    atomic_store(&mine->entered, 0);
}

void epoch_wait(void)
{
    uint64_t now = atomic_fetch_add(&epoch, 1) + 1;

    for (struct slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        for (;;) {
            uint64_t entered = atomic_load(&slot->entered);

            if (entered == 0 || entered >= now)
                break;
            (void)nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
        }
    }
}
