/*
 * test_stall.c - claims about delivery/outbox/outbox.h when the disk does not answer.
 */
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool hangs;

static void set_hangs(bool value)
{
    (void)pthread_mutex_lock(&mutex);
    hangs = value;
    (void)pthread_cond_broadcast(&opened);
    (void)pthread_mutex_unlock(&mutex);
}

/* Stands in for the C library's, for SQLite, too. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
    (void)pthread_mutex_lock(&mutex);
    while (hangs)
        (void)pthread_cond_wait(&opened, &mutex);
    (void)pthread_mutex_unlock(&mutex);
    return (int)syscall(SYS_fdatasync, fd);
}

static void *submit(void *self)
{
    struct store *store = self;
    struct outbox_event event = store_event("a", "{}");

    CHECK_INT(store_submit(store, &event).verdict, OUTBOX_ACCEPTED);
    return NULL;
}

static bool is_in_trouble(void *self)
{
    const struct store *store = self;

    return outbox_trouble(store->outbox) != NULL;
}

static bool is_fine(void *self)
{
    return !is_in_trouble(self);
}

static void says_that_the_disk_stalls(void)
{
    struct store store;
    pthread_t sender;

    store_init(&store);
    store.options.stall_us = 20000;
    store_open(&store);
    CHECK(!is_in_trouble(&store));
    set_hangs(true);
    CHECK_INT(pthread_create(&sender, NULL, submit, &store), 0);
    CHECK(wait_until(is_in_trouble, &store));
    CHECK_STR(str_from_c(outbox_trouble(store.outbox)), "stalled");
    set_hangs(false);
    CHECK_INT(pthread_join(sender, NULL), 0);
    CHECK(wait_until(is_fine, &store));
    store_done(&store);
}

int main(void)
{
    RUN(says_that_the_disk_stalls);
    return test_end();
}
