/*
 * inbox.c - see inbox.h.
 *
 * Two sets of arrays swap roles at each take, so that the lock is held briefly and nothing is
 * allocated once they have grown. Only the first message wakes the loop: a batch costs one write.
 */
#include "server/http/inbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

bool http_inbox_init(struct http_inbox *inbox, struct error *err)
{
    *inbox = (struct http_inbox){ 0 };
    (void)pthread_mutex_init(&inbox->mutex, NULL);
    inbox->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->event < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "eventfd");
    return true;
}

void http_inbox_done(struct http_inbox *inbox)
{
    if (inbox->event >= 0)
        (void)close(inbox->event);
    (void)pthread_mutex_destroy(&inbox->mutex);
    mem_free(inbox->posted.arrivals);
    mem_free(inbox->posted.tokens);
    mem_free(inbox->taken.arrivals);
    mem_free(inbox->taken.tokens);
}

/* The messages that were posted, locked; unlock_posted() must follow. */
static struct http_messages *lock_posted(struct http_inbox *inbox, bool *was_empty)
{
    (void)pthread_mutex_lock(&inbox->mutex);
    *was_empty = inbox->posted.arrival_count + inbox->posted.token_count == 0;
    return &inbox->posted;
}

static void unlock_posted(struct http_inbox *inbox, bool was_empty)
{
    (void)pthread_mutex_unlock(&inbox->mutex);
    if (was_empty)
        http_inbox_wake(inbox);
}

void http_inbox_add_arrival(struct http_inbox *inbox, const struct http_arrival *arrival)
{
    bool was_empty;
    struct http_messages *posted = lock_posted(inbox, &was_empty);

    posted->arrivals = mem_grow(posted->arrivals, posted->arrival_count, &posted->arrival_capacity,
                                sizeof(posted->arrivals[0]));
    posted->arrivals[posted->arrival_count++] = *arrival;
    unlock_posted(inbox, was_empty);
}

void http_inbox_add_token(struct http_inbox *inbox, uint64_t token)
{
    bool was_empty;
    struct http_messages *posted = lock_posted(inbox, &was_empty);

    posted->tokens = mem_grow(posted->tokens, posted->token_count, &posted->token_capacity,
                              sizeof(posted->tokens[0]));
    posted->tokens[posted->token_count++] = token;
    unlock_posted(inbox, was_empty);
}

void http_inbox_wake(struct http_inbox *inbox)
{
    (void)eventfd_write(inbox->event, 1);
}

const struct http_messages *http_inbox_take(struct http_inbox *inbox)
{
    (void)eventfd_read(inbox->event, &(eventfd_t){ 0 }); /* first: a later message wakes again */
    inbox->taken.arrival_count = 0;
    inbox->taken.token_count = 0;
    (void)pthread_mutex_lock(&inbox->mutex);

    struct http_messages posted = inbox->posted;

    inbox->posted = inbox->taken;
    inbox->taken = posted;
    (void)pthread_mutex_unlock(&inbox->mutex);
    return &inbox->taken;
}
