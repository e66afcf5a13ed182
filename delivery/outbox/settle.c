/*
 * settle.c - what became of records that a backlog handed out, in the store: backlog_settle().
 *
 * Only store_backlog_settle() runs in the sink's thread, the rest in the committer. A report that
 * seemed to fail may have come through, so records may be settled twice; only rows that are there
 * count.
 */
#include "delivery/outbox/committer.h"
#include "delivery/outbox/records.h"

struct settling {
    const struct backlog *backlog;
    const struct backlog_result *results;
    size_t count;
};

static struct str reason_of(const struct backlog_result *result)
{
    return result->reason ? str_from_c(result->reason) : STR_NONE;
}

static struct records_death death_of(const struct backlog_record *record,
                                     const struct backlog_result *result)
{
    return (struct records_death){ record->seq, record->attempts + 1, reason_of(result) };
}

static bool end_retry(struct outbox_store *store, struct tally_sink *sink, int64_t seq)
{
    bool gone = false;

    if (!records_delete_retry(store, sink, seq, &gone))
        return false;
    sink->delivered += gone;
    return true;
}

static bool settle_retry(struct outbox_store *store, struct tally_sink *sink,
                         const struct backlog_record *record, const struct backlog_result *result)
{
    const struct records_death death = death_of(record, result);
    int64_t failed = result->verdict == BACKLOG_FAILED;

    switch (result->verdict) {
    case BACKLOG_FAILED:
    case BACKLOG_DELAYED:
        return db_run(&store->db, SQL_RETRY_UPDATE, "iiiis", sink->id, record->seq, failed,
                      result->next_at_us, reason_of(result));
    case BACKLOG_DELIVERED:
        return end_retry(store, sink, record->seq);
    case BACKLOG_DEAD:
        return records_bury_retry(store, sink, &death);
    case BACKLOG_UNTRIED:
    default:
        return true;
    }
}

/* The first record of an ordered sink failed: it stays behind the cursor, if it is still there. */
static void hold_head(struct tally_sink *sink, const struct backlog_result *result)
{
    if (result->seq <= sink->cursor)
        return;
    sink->head_attempts += result->verdict == BACKLOG_FAILED;
    sink->head_next_us = result->next_at_us;
}

static bool settle_new(struct outbox_store *store, struct tally_sink *sink,
                       const struct backlog_record *record, const struct backlog_result *result)
{
    const struct records_death death = death_of(record, result);
    int64_t failed = result->verdict == BACKLOG_FAILED;

    if (record->seq <= sink->cursor)
        return true;
    if (result->verdict == BACKLOG_DEAD)
        return records_bury_head(store, sink, &death);
    records_pass(sink, record->seq);
    if (result->verdict != BACKLOG_DELIVERED)
        return db_run(&store->db, SQL_RETRY_ADD, "iiiis", record->seq, sink->id, failed,
                      result->next_at_us, reason_of(result));
    tally_add_pending(&store->tally, sink, record->seq, -1);
    sink->delivered++;
    return true;
}

static bool settle_all(struct outbox_store *store, const struct settling *settling,
                       struct tally_sink *sink)
{
    const struct backlog *backlog = settling->backlog;

    for (size_t i = 0; i < settling->count; i++) {
        const struct backlog_record *record = &backlog->records[i];
        const struct backlog_result *result = &settling->results[i];
        bool stays = backlog->ordered &&
                     (result->verdict == BACKLOG_FAILED || result->verdict == BACKLOG_DELAYED);

        if (backlog->lane == BACKLOG_RETRIES) {
            if (!settle_retry(store, sink, record, result))
                return false;
            continue;
        }
        if (stays)
            hold_head(sink, result);
        if (stays || result->verdict == BACKLOG_UNTRIED)
            return true; /* so do all that follow */
        if (!settle_new(store, sink, record, result))
            return false;
    }
    return true;
}

static bool settle(struct outbox_store *store, void *arg, struct error *err)
{
    const struct settling *settling = arg;
    struct tally_sink *sink = tally_find_sink(&store->tally, settling->backlog->sink);

    if (!sink || settling->count > settling->backlog->count)
        return fail(err, ERR_CONFIG, "nothing of sink %s is under way", settling->backlog->sink);
    return settle_all(store, settling, sink) || db_fail(&store->db, "store", err);
}

bool store_backlog_settle(struct backlog *backlog, const struct backlog_result *results,
                          size_t count, struct error *err)
{
    struct settling settling = { backlog, results, count };

    return committer_run(backlog->outbox, settle, &settling, err);
}
