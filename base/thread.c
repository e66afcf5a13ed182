/*
 * thread.c - see thread.h.
 */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

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

/* On Linux this lowers the priority of this thread only. Without permission it stays. */
void thread_lower_priority(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, 0) + NICENESS);
}
