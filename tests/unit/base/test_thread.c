/*
 * test_thread.c - a started thread runs, has its name, and takes no signal.
 */
#include "base/thread.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/unit/test.h"

struct seen {
    bool blocks_term;
    bool blocks_usr1;
};

static void *look(void *self)
{
    struct seen *seen = self;
    sigset_t mask;

    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->blocks_term = sigismember(&mask, SIGTERM) == 1;
    seen->blocks_usr1 = sigismember(&mask, SIGUSR1) == 1;
    return self;
}

static void runs_and_takes_no_signal(void)
{
    struct error err;
    struct seen seen = { 0 };
    pthread_t thread;
    void *result = NULL;
    sigset_t mask;

    CHECK(thread_start(&thread, "a-name-that-is-too-long", look, &seen, &err));
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK(result == &seen);
    CHECK(seen.blocks_term && seen.blocks_usr1);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK_INT(sigismember(&mask, SIGUSR1), 0);
}

static char ended[4];

static void note_end(void *name)
{
    ended[strlen(ended)] = *(const char *)name;
    if (*(const char *)name == 'b')
        thread_at_end(note_end, (void *)"d"); /* added while the thread ends */
}

static void *add_ends(void *self)
{
    thread_at_end(note_end, (void *)"a");
    thread_at_end(note_end, (void *)"b");
    return strlen(ended) == 0 ? self : NULL;
}

static void ends_in_the_opposite_order(void)
{
    int self = 0;
    struct error err;
    pthread_t thread;
    void *result = NULL;

    CHECK(thread_start(&thread, "ends", add_ends, &self, &err));
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK(result == &self);
    CHECK_STR(str_from_c(ended), "bad");
}

static void *wait_for_end(void *self)
{
    pthread_mutex_t *end = self;

    (void)pthread_mutex_lock(end);
    (void)pthread_mutex_unlock(end);
    return NULL;
}

static void is_named_when_the_call_returns(void)
{
    pthread_mutex_t end = PTHREAD_MUTEX_INITIALIZER;
    char name[32];
    struct error err;
    pthread_t thread;

    (void)pthread_mutex_lock(&end);
    CHECK(thread_start(&thread, "a-name-that-is-too-long", wait_for_end, &end, &err));
    CHECK_INT(pthread_getname_np(thread, name, sizeof(name)), 0);
    CHECK_STR(str_from_c(name), "a-name-that-is-");
    (void)pthread_mutex_unlock(&end);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void *lower_priority(void *self)
{
    int *niceness = self;

    thread_lower_priority();
    *niceness = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

static void lowers_the_priority_of_one_thread(void)
{
    int before = getpriority(PRIO_PROCESS, 0);
    int niceness = 0;
    struct error err;
    pthread_t thread;

    CHECK(thread_start(&thread, "low", lower_priority, &niceness, &err));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(niceness > before || niceness == 19);
    CHECK_INT(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
    RUN(runs_and_takes_no_signal);
    RUN(ends_in_the_opposite_order);
    RUN(is_named_when_the_call_returns);
    RUN(lowers_the_priority_of_one_thread);
    return test_end();
}
