/*
 * mailbox.c - see mailbox.h.
 *
 * Two sets of lists swap roles at each look, so that the lock is held for an instant and nothing
 * is allocated once they have grown. Only what comes into an empty box rings: a batch of a hundred
 * costs one write.
 */
#include "server/http/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "server/http/http_internal.h"

enum { FIRST_CAPACITY = 16 };

bool http_mailbox_init(struct http_mailbox *mailbox, struct error *err)
{
    *mailbox = (struct http_mailbox){ 0 };
    (void)pthread_mutex_init(&mailbox->mutex, NULL);
    mailbox->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->event < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "eventfd");
    return true;
}

void http_mailbox_done(struct http_mailbox *mailbox)
{
    if (mailbox->event >= 0)
        (void)close(mailbox->event);
    (void)pthread_mutex_destroy(&mailbox->mutex);
    mem_free(mailbox->posted.arrivals);
    mem_free(mailbox->posted.tokens);
    mem_free(mailbox->taken.arrivals);
    mem_free(mailbox->taken.tokens);
}

static bool is_empty(const struct http_mail *mail)
{
    return mail->arrival_count + mail->token_count == 0;
}

/* `items`, with room for one more. */
static void *with_room(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : FIRST_CAPACITY;
    return mem_realloc(items, *capacity * size);
}

void http_mailbox_add_arrival(struct http_mailbox *mailbox, const struct http_arrival *arrival)
{
    struct http_mail *mail = &mailbox->posted;

    (void)pthread_mutex_lock(&mailbox->mutex);

    bool first = is_empty(mail);

    mail->arrivals = with_room(mail->arrivals, mail->arrival_count, &mail->arrival_capacity,
                               sizeof(mail->arrivals[0]));
    mail->arrivals[mail->arrival_count++] = *arrival;
    (void)pthread_mutex_unlock(&mailbox->mutex);
    if (first)
        http_mailbox_ring(mailbox);
}

void http_mailbox_add_token(struct http_mailbox *mailbox, uint64_t token)
{
    struct http_mail *mail = &mailbox->posted;

    (void)pthread_mutex_lock(&mailbox->mutex);

    bool first = is_empty(mail);

    mail->tokens =
        with_room(mail->tokens, mail->token_count, &mail->token_capacity, sizeof(mail->tokens[0]));
    mail->tokens[mail->token_count++] = token;
    (void)pthread_mutex_unlock(&mailbox->mutex);
    if (first)
        http_mailbox_ring(mailbox);
}

void http_mailbox_ring(struct http_mailbox *mailbox)
{
    (void)eventfd_write(mailbox->event, 1);
}

const struct http_mail *http_mailbox_take(struct http_mailbox *mailbox)
{
    (void)eventfd_read(mailbox->event, &(eventfd_t){ 0 }); /* first: what comes later rings anew */
    mailbox->taken.arrival_count = 0;
    mailbox->taken.token_count = 0;
    (void)pthread_mutex_lock(&mailbox->mutex);

    struct http_mail posted = mailbox->posted;

    mailbox->posted = mailbox->taken;
    mailbox->taken = posted;
    (void)pthread_mutex_unlock(&mailbox->mutex);
    return &mailbox->taken;
}
