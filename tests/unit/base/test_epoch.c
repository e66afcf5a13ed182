/*
 * test_epoch.c - claims about base/epoch.h: no thread reads what was freed, none waits for ever.
 *
 * A freed object is filled with another pattern and, under the sanitizers, really gone.
 */
#include "base/epoch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/attr.h"
#include "base/memory.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { READERS = 4, SWAPS = 3000, ALIVE = 0x600D, DEAD = 0xDEAD };

struct object {
    _Atomic int state;
    int number;
};

static _Atomic(struct object *) shared;
static atomic_bool stop;
static atomic_int broken;
static atomic_int backwards;
static atomic_ullong reads;

static struct object *create(int number)
{
    struct object *object = mem_alloc(sizeof(*object));

    atomic_store(&object->state, ALIVE);
    object->number = number;
    return object;
}

static void destroy(struct object *object)
{
    atomic_store(&object->state, DEAD);
    mem_free(object);
}

static int read_once(int last)
{
    epoch_enter();

    const struct object *object = atomic_load(&shared);
    int number = object->number;

    broken += atomic_load(&object->state) != ALIVE;
    backwards += number < last;
    epoch_leave();
    reads++;
    return number;
}

static void *read_until_stopped(void *self)
{
    int last = 0;

    while (!atomic_load(&stop))
        last = read_once(last);
    return self;
}

static void *read_a_little(void *self)
{
    int last = 0;

    for (int i = 0; i < 20; i++)
        last = read_once(last);
    return self;
}

static bool has_been_read(void *self)
{
    (void)self;
    return atomic_load(&reads) > 0;
}

static void swap(int number)
{
    struct object *old = atomic_exchange(&shared, create(number));

    epoch_wait();
    destroy(old);
}

static void readers_never_see_what_was_freed(void)
{
    pthread_t readers[READERS];

    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, read_until_stopped, NULL) == 0);
    CHECK(wait_until(has_been_read, NULL));
    for (int i = 1; i <= SWAPS; i++)
        swap(i);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(readers[i], NULL);
    CHECK_INT(broken, 0);
    CHECK_INT(backwards, 0);
}

static void threads_may_come_and_go(void)
{
    for (int round = 0; round < 50; round++) {
        pthread_t readers[READERS];

        for (int i = 0; i < READERS; i++)
            CHECK(pthread_create(&readers[i], NULL, read_a_little, NULL) == 0);
        swap(SWAPS + round + 1);
        for (int i = 0; i < READERS; i++)
            (void)pthread_join(readers[i], NULL);
    }
    CHECK_INT(broken, 0);
    CHECK_INT(backwards, 0);
}

static atomic_int stage; /* 1: the reader is inside; 2: the writer has finished waiting */
static atomic_bool may_leave;

static void *stay_inside(void *self)
{
    epoch_enter();
    atomic_store(&stage, 1);
    while (!atomic_load(&may_leave))
        continue;
    broken += atomic_load(&stage) != 1;
    epoch_leave();
    return self;
}

static void *wait_for_readers(void *self)
{
    epoch_wait();
    atomic_store(&stage, 2);
    return self;
}

static bool is_inside(void *self)
{
    (void)self;
    return atomic_load(&stage) == 1;
}

static void the_writer_waits_for_who_is_inside_not_for_who_comes_later(void)
{
    pthread_t reader;
    pthread_t writer;

    CHECK(pthread_create(&reader, NULL, stay_inside, NULL) == 0);
    CHECK(wait_until(is_inside, NULL));
    CHECK(pthread_create(&writer, NULL, wait_for_readers, NULL) == 0);
    for (int i = 0; i < 1000; i++) { /* readers that come later pass freely */
        epoch_enter();
        CHECK_INT(atomic_load(&stage), 1);
        epoch_leave();
    }
    atomic_store(&may_leave, true);
    (void)pthread_join(reader, NULL);
    (void)pthread_join(writer, NULL);
    CHECK_INT(atomic_load(&stage), 2);
    CHECK_INT(broken, 0);
}

static void waiting_for_nobody_returns(void)
{
    epoch_wait();
    epoch_enter();
    epoch_leave();
    epoch_wait();
    CHECK(true);
}

int main(void)
{
    atomic_store(&shared, create(0));
    RUN(waiting_for_nobody_returns);
    RUN(readers_never_see_what_was_freed);
    RUN(threads_may_come_and_go);
    RUN(the_writer_waits_for_who_is_inside_not_for_who_comes_later);
    destroy(atomic_load(&shared));
    return test_end();
}
