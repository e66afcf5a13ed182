/*
 * notices.c - what the store gives up by its bounds, in the log at most once a minute.
 *
 * The first loss is logged at once, later ones together when a minute has passed. Lines are written
 * after the transaction that counted them.
 */
#include "base/clock.h"
#include "base/log.h"
#include "delivery/outbox/outbox_internal.h"

enum { PAUSE_US = US_PER_MINUTE };

static const struct {
    enum tally_number number;
    const char *event;
    const char *bound; /* the setting */
} kinds[OUTBOX_NOTICES] = {
    { TALLY_DEAD_EVICTED, "dead_records_dropped", "store.dead_max_size" },
    { TALLY_REFUSED_CROWDED, "quarantine_overflow", "store.quarantine" },
    { TALLY_REFUSED_TOO_LARGE, "quarantine_too_small", "store.quarantine.max_size" },
};

void outbox_notices_begin(struct outbox *outbox)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        outbox->notices[i] = (struct outbox_notice){ outbox->tally.numbers[kinds[i].number], 0 };
}

void outbox_notices_log(struct outbox *outbox)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct outbox_notice *notice = &outbox->notices[i];
        int64_t count = outbox->tally.numbers[kinds[i].number];

        if (count == notice->logged || clock_monotonic_us() < notice->next_us)
            continue;
        LOG_EVENT(LOG_WARN, kinds[i].event, LOG_INT("count", count - notice->logged),
                  LOG_STR("bound", str_from_c(kinds[i].bound)));
        *notice = (struct outbox_notice){ count, clock_monotonic_us() + PAUSE_US };
    }
}
