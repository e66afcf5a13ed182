/*
 * catalog_work.c - the threads and the schedule of looks, and the events that wait for a look.
 *
 * A few threads share the entries: each takes the entry that is due first and that no other thread
 * looks at. So a registry that does not answer for one schema does not delay the others.
 *
 * While an entry has no version, an event waits for the look under way, or causes one unless the
 * last ended less than SPACING_US ago: then the failure of that look is the answer. So while events
 * come, a failure is the answer for at most SPACING_US; while none come, the back-off decides.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "schema/registry/catalog_internal.h"

enum { SPACING_US = 500 * US_PER_MS };

static void waiter_release(void *self)
{
    struct catalog_waiter *waiter = self;

    if (atomic_fetch_sub(&waiter->references, 1) == 1)
        mem_free(waiter);
}

/* Wake the waiters, or only drop them. The mutex is not held: a waker can lock its own. */
static void end_waiters(struct catalog_waiter *waiters, bool wake)
{
    while (waiters) {
        struct catalog_waiter *waiter = waiters;

        waiters = waiter->next;
        if (wake)
            waker_wake(waiter->waker);
        waiter_release(waiter);
    }
}

static void add_waiter(struct catalog_entry *entry, struct waker waker, struct arena *arena)
{
    struct catalog_waiter *waiter = mem_alloc(sizeof(*waiter));

    waiter->waker = waker;
    atomic_init(&waiter->references, 2);
    arena_own(arena, waiter, waiter_release);
    waiter->next = entry->waiters;
    entry->waiters = waiter;
}

/* An epoch protects what is live: a look can replace it. */
static bool has_none(const struct catalog_entry *entry)
{
    bool none = !catalog_enter(entry)->schema;

    catalog_leave();
    return none;
}

bool catalog_await(struct catalog *catalog, struct catalog_entry *entry, struct waker waker,
                   struct arena *arena)
{
    int64_t now_us = clock_monotonic_us();
    bool waits = false;

    (void)pthread_mutex_lock(&catalog->mutex);
    if (has_none(entry) && !atomic_load(&catalog->stopping)) {
        bool is_fresh = now_us - entry->looked_us < SPACING_US;

        waits = entry->looking || !entry->looked_us || (catalog->running && !is_fresh);
        if (waits && !entry->looking && entry->due_us > now_us) {
            entry->due_us = now_us;
            (void)pthread_cond_signal(&catalog->wake);
        }
        if (waits)
            add_waiter(entry, waker, arena);
    }
    (void)pthread_mutex_unlock(&catalog->mutex);
    return waits;
}

void catalog_load_cached(struct catalog *catalog)
{
    for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next)
        catalog_restore(catalog, entry);
}

/* Did the registry itself fail, whatever the schema? */
static bool is_of_all(enum err_code code)
{
    return code == ERR_UNREACHABLE || code == ERR_THROTTLED || code == ERR_UNAVAILABLE;
}

void catalog_load(struct catalog *catalog)
{
    bool is_brief = catalog->options.loads_briefly;
    bool answers = true;

    for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next) {
        catalog_restore(catalog, entry);
        if (is_brief && (!answers || !has_none(entry) || entry->shadow))
            continue;
        catalog_look(catalog, entry);
        answers = !is_of_all(entry->error.code);
    }
}

/* The entry that is due first among those without a look under way; NULL: there is none. */
static struct catalog_entry *find_due(const struct catalog *catalog)
{
    struct catalog_entry *first = NULL;

    for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next)
        if (!entry->looking && (!first || entry->due_us < first->due_us))
            first = entry;
    return first;
}

/* Wait until an entry can be due. The mutex is held. */
static void wait_for(struct catalog *catalog, const struct catalog_entry *next)
{
    if (!next || next->due_us == INT64_MAX) {
        (void)pthread_cond_wait(&catalog->wake, &catalog->mutex);
        return;
    }

    const struct timespec at = clock_timespec(next->due_us);

    (void)pthread_cond_timedwait(&catalog->wake, &catalog->mutex, &at);
}

static void *work(void *self)
{
    struct catalog *catalog = self;

    (void)pthread_mutex_lock(&catalog->mutex);
    while (!atomic_load(&catalog->stopping)) {
        struct catalog_entry *entry = find_due(catalog);

        if (!entry || entry->due_us > clock_monotonic_us()) {
            wait_for(catalog, entry);
            continue;
        }
        entry->looking = true;
        (void)pthread_mutex_unlock(&catalog->mutex);
        catalog_look(catalog, entry);
        (void)pthread_mutex_lock(&catalog->mutex);
        entry->looking = false;

        struct catalog_waiter *waiters = entry->waiters;

        entry->waiters = NULL;
        (void)pthread_mutex_unlock(&catalog->mutex);
        end_waiters(waiters, true);
        (void)pthread_mutex_lock(&catalog->mutex);
    }
    (void)pthread_mutex_unlock(&catalog->mutex);
    return NULL;
}

bool catalog_start(struct catalog *catalog, struct error *err)
{
    size_t wanted = catalog->options.threads ? catalog->options.threads : 1;

    if (wanted > catalog->count + catalog->shadow_count)
        wanted = catalog->count ? catalog->count + catalog->shadow_count : 1;
    catalog->threads = mem_alloc_array(wanted, sizeof(pthread_t));
    (void)pthread_mutex_lock(&catalog->mutex);
    catalog->running = true; /* catalog_await() causes looks from now on */
    (void)pthread_mutex_unlock(&catalog->mutex);
    while (catalog->thread_count < wanted) {
        if (!thread_start(&catalog->threads[catalog->thread_count], "catalog", work, catalog,
                          err)) {
            catalog_stop(catalog);
            return false;
        }
        catalog->thread_count++;
    }
    return true;
}

void catalog_stop(struct catalog *catalog)
{
    const struct registry *registry = &catalog->options.registry;

    (void)pthread_mutex_lock(&catalog->mutex);
    atomic_store(&catalog->stopping, true);
    (void)pthread_cond_broadcast(&catalog->wake);
    (void)pthread_mutex_unlock(&catalog->mutex);
    if (registry->interrupt)
        registry->interrupt(registry->self);
    while (catalog->thread_count > 0)
        (void)pthread_join(catalog->threads[--catalog->thread_count], NULL);
    mem_free(catalog->threads);
    catalog->threads = NULL;
    for (struct catalog_entry *entry = catalog->entries; entry; entry = entry->next) {
        end_waiters(entry->waiters, false);
        entry->waiters = NULL;
        catalog_save_samples(catalog, entry);
    }
}
