/*
 * accept.c - an event: a duplicate, a new record in the outbox, or one for the quarantine.
 */
#include <stdio.h>

#include "base/log.h"
#include "delivery/outbox/outbox_internal.h"

enum { KEY_HASH = 8 }; /* bytes of the identity's hash in a key */

static const struct outbox_result no_room = { OUTBOX_UNAVAILABLE, .reason = "store full" };

struct str outbox_make_key(const struct outbox *outbox, const struct outbox_item *item, int64_t seq,
                           char text[static OUTBOX_RECORD_KEY_SIZE])
{
    int len;

    if (item->id.ptr && !item->reused)
        return item->id;
    if (!item->id.ptr) {
        len = snprintf(text, OUTBOX_RECORD_KEY_SIZE, "%s-%lld", outbox->store_id, (long long)seq);
        return (struct str){ text, (size_t)len };
    }
    memcpy(text, item->id.ptr, item->id.len);
    len = (int)item->id.len;
    text[len++] = ':';
    for (size_t i = 0; i < KEY_HASH; i++)
        len += snprintf(text + len, 3, "%02x", item->identity[i]);
    return (struct str){ text, (size_t)len };
}

static size_t count_configured(const struct tally *tally)
{
    size_t count = 0;

    for (size_t i = 0; i < tally->sink_count; i++)
        count += tally->sinks[i].configured != 0;
    return count;
}

/* A record that no sink wants has no receiver, so it is not kept. */
static bool add_record(struct outbox *outbox, const struct outbox_item *item)
{
    struct tally *tally = &outbox->tally;
    char text[OUTBOX_RECORD_KEY_SIZE];
    int64_t seq = tally->numbers[TALLY_NEXT_SEQ]++;
    struct str key = outbox_make_key(outbox, item, seq, text);

    if (count_configured(tally) == 0)
        return true;
    for (size_t i = 0; i < tally->sink_count; i++) {
        tally->sinks[i].enqueued += tally->sinks[i].configured;
        tally_add_pending(tally, &tally->sinks[i], seq, tally->sinks[i].configured);
    }
    tally_add_waiting(tally, seq, (int64_t)(item->body.len + key.len + OUTBOX_ROW_BYTES));
    return outbox_db_run(&outbox->db, SQL_RECORD_ADD, "isisssb", seq, key, outbox->now_us,
                         item->registry, item->schema, item->version, item->body);
}

static bool accept_new(struct outbox *outbox, const struct outbox_item *item,
                       struct outbox_result *result)
{
    struct tally *tally = &outbox->tally;

    if (outbox_is_full(outbox, item->body.len + OUTBOX_ROW_BYTES +
                                   count_configured(tally) * OUTBOX_WAY_BYTES)) {
        outbox->turned_away = true;
        *result = no_room;
        return true;
    }
    if (!add_record(outbox, item) || !outbox_seen_add(outbox, item) ||
        !outbox_resolve(outbox, item))
        return false;
    tally->numbers[TALLY_ACCEPTED]++;
    if (item->reused && !item->is_replay) { /* an archive's replay has its event's id: no fault */
        tally->numbers[TALLY_IDS_REUSED]++;
        LOG_EVENT(LOG_WARN, "event_id_reused", LOG_STR("event_id", log_identifier(item->id)));
    }
    *result = (struct outbox_result){ OUTBOX_ACCEPTED, item->reused, item->processed_at_us, NULL };
    return true;
}

static bool refuse(struct outbox *outbox, const struct outbox_item *item,
                   struct outbox_result *result)
{
    if (!item->is_not_kept)
        return outbox_refuse(outbox, item, result);
    *result = (struct outbox_result){ .verdict = OUTBOX_NOT_KEPT };
    return true;
}

/* An event that was accepted before is a duplicate, whatever the schema says now. */
bool outbox_take(struct outbox *outbox, struct outbox_item *item, struct outbox_result *result)
{
    int64_t processed_us = 0;
    enum outbox_seen seen = outbox_seen_find(outbox, item, &processed_us);

    if (seen == OUTBOX_SEEN_BROKEN)
        return false;
    item->reused = seen == OUTBOX_ID_REUSED;
    if (seen != OUTBOX_SEEN)
        return item->outcome ? refuse(outbox, item, result) : accept_new(outbox, item, result);
    outbox->tally.numbers[TALLY_DUPLICATES]++;
    *result = (struct outbox_result){ OUTBOX_DUPLICATE, false, processed_us, NULL };
    return outbox_resolve(outbox, item);
}

bool outbox_recall(struct outbox *outbox, const struct outbox_item *item,
                   struct outbox_result *result)
{
    int64_t processed_us = 0;
    enum outbox_seen seen = outbox_seen_find(outbox, item, &processed_us);

    *result = no_room;
    if (seen == OUTBOX_SEEN)
        *result = (struct outbox_result){ OUTBOX_DUPLICATE, false, processed_us, NULL };
    else if (item->is_not_kept)
        *result = (struct outbox_result){ .verdict = OUTBOX_NOT_KEPT };
    return seen != OUTBOX_SEEN_BROKEN;
}
