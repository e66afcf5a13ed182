/*
 * thread.c - see thread.h.
 */
#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    NAME_SIZE = 16, /* the kernel's, with the NUL */
    NICENESS = 10,  /* added to that of the process */
};

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *self), void *self,
                  struct error *err)
{
    char short_name[NAME_SIZE];
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */

    int errnum = pthread_create(thread, NULL, run, self);

    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum)
        return fail_errno(err, ERR_SYSTEM, errnum, "cannot start thread %s", name);
    (void)snprintf(short_name, sizeof(short_name), "%s", name);
    (void)pthread_setname_np(*thread, short_name);
    return true;
}

/* What a thread does when it ends: a list in the value of a key. */
struct at_end {
    struct at_end *next;
    void (*run)(void *object);
    void *object;
};

static pthread_once_t at_end_once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end_key;

static void run_at_end(void *first)
{
    struct at_end *next;

    for (struct at_end *each = first; each; each = next) {
        next = each->next;
        each->run(each->object);
        mem_free(each);
    }
}

static void create_at_end_key(void)
{
    int errnum = pthread_key_create(&at_end_key, run_at_end);

    assert(errnum == 0); /* the program has far fewer keys than PTHREAD_KEYS_MAX */
    (void)errnum;
}

void thread_at_end(void (*run)(void *object), void *object)
{
    struct at_end *added = mem_alloc(sizeof(*added));

    (void)pthread_once(&at_end_once, create_at_end_key);
    *added = (struct at_end){ pthread_getspecific(at_end_key), run, object };
    if (pthread_setspecific(at_end_key, added) != 0)
        mem_out_of_memory();
}

/* On Linux this lowers the priority of this thread only. Without permission it stays. */
void thread_lower_priority(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, 0) + NICENESS);
}
