/*
 * dead_letters.h - the messages in the dead-letter queue of a rule of EventBridge.
 *
 * Threads: one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"

struct dead_letters;

/** One message; it lives until the next dead_letters_take(). */
struct dead_letter {
    struct str id;
    struct str body; /* the event */
    struct str receipt;
    struct str error_code; /* the attribute ERROR_CODE; "" when there is none */
    int64_t sent_us;       /* since 1970; 0: not known */
};

/** The queue at that URL, with AWS's settings of `config`. ERR_CONFIG. The caller owns it. */
NODISCARD bool dead_letters_open(const char *queue_url, const struct config *config,
                                 struct dead_letters **out, struct error *err);

/** Give back what was not removed, and free. NULL is fine. */
void dead_letters_close(struct dead_letters *letters);

/** About how many messages there are; 0: not known. */
uint64_t dead_letters_count(struct dead_letters *letters);

/** Take up to ten messages, which are hidden from others for 5 minutes. 0: there are no more,
 * except those that were kept. */
NODISCARD bool dead_letters_take(struct dead_letters *letters, const struct dead_letter **list,
                                 size_t *count, struct error *err);

/** Remove a message for ever. */
NODISCARD bool dead_letters_remove(struct dead_letters *letters, const struct dead_letter *letter,
                                   struct error *err);

/** Another take shows the message again soon after dead_letters_close(). */
void dead_letters_keep(struct dead_letters *letters, const struct dead_letter *letter);
