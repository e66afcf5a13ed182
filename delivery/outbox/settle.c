/*
 * settle.c - what became of records that a backlog handed out, in the store: backlog_settle() and
 * backlog_commit().
 *
 * commit_apply() and what it calls run in the committer, the rest in the sink's thread. A commit
 * that seemed to fail may have come through, so changes may be made twice; only rows that are there
 * count.
 */
#include "base/clock.h"
#include "delivery/outbox/committer.h"
#include "delivery/outbox/records.h"

enum { COMMIT_CHANGES = 4096 }; /* in one transaction, since senders wait for it */

static struct store_backlog *settle_backlog(struct backlog *backlog)
{
    return CONTAINER_OF(backlog, struct store_backlog, backlog);
}

static struct str reason_of(const struct change *change)
{
    return change->reason ? str_from_c(change->reason) : STR_NONE;
}

static struct records_death death_of(const struct change *change)
{
    return (struct records_death){ change->seq, change->attempts + 1, reason_of(change),
                                   change->said };
}

static bool end_retry(struct outbox_store *store, struct tally_sink *sink, int64_t seq)
{
    bool gone = false;

    if (!records_delete_retry(store, sink, seq, &gone))
        return false;
    sink->delivered += gone;
    return true;
}

/* Behind an earlier retry with its order key, a record waits until that is gone. */
static bool run_keyed(struct outbox_store *store, enum sql statement, const struct tally_sink *sink,
                      const struct change *change)
{
    return db_run(&store->db, statement, "iiiisi", change->seq, sink->id,
                  (int64_t)(change->verdict == BACKLOG_FAILED), change->next_at_us,
                  reason_of(change), (int64_t)change->order_hash);
}

static bool change_retry(struct outbox_store *store, struct tally_sink *sink,
                         const struct change *change)
{
    const struct records_death death = death_of(change);
    int64_t failed = change->verdict == BACKLOG_FAILED;

    switch (change->verdict) {
    case BACKLOG_FAILED:
    case BACKLOG_DELAYED:
        if (change->order_hash > 0)
            return run_keyed(store, SQL_RETRY_UPDATE_KEYED, sink, change);
        return db_run(&store->db, SQL_RETRY_UPDATE, "iiiis", sink->id, change->seq, failed,
                      change->next_at_us, reason_of(change));
    case BACKLOG_DELIVERED:
        return end_retry(store, sink, change->seq);
    case BACKLOG_DEAD:
        return records_bury_retry(store, sink, &death);
    case BACKLOG_UNTRIED:
    default:
        return true;
    }
}

/* The first record of an ordered sink failed: it stays behind the cursor, if it is still there. */
static void hold_head(struct tally_sink *sink, const struct change *change)
{
    sink->head_attempts += change->verdict == BACKLOG_FAILED;
    sink->head_next_us = change->next_at_us;
}

static bool change_new(struct outbox_store *store, struct tally_sink *sink,
                       const struct change *change)
{
    const struct records_death death = death_of(change);
    int64_t failed = change->verdict == BACKLOG_FAILED;

    if (change->verdict == BACKLOG_DEAD)
        return records_bury_head(store, sink, &death);
    if (change->verdict == BACKLOG_UNTRIED) {
        records_skip(sink, change->seq);
        return true;
    }
    records_pass(&store->tally, sink, change->seq);
    if (change->order_hash > 0 && (failed || change->verdict == BACKLOG_DELAYED))
        return run_keyed(store, SQL_RETRY_ADD_KEYED, sink, change);
    if (failed || change->verdict == BACKLOG_DELAYED)
        return db_run(&store->db, SQL_RETRY_ADD, "iiiis", change->seq, sink->id, failed,
                      change->next_at_us, reason_of(change));
    tally_add_pending(&store->tally, sink, change->seq, -1);
    sink->delivered++;
    return true;
}

/* Does the cursor stop at the record? */
static bool is_held(const struct backlog *backlog, enum backlog_lane lane,
                    enum backlog_verdict verdict)
{
    return backlog->options.order == BACKLOG_STRICT && lane == BACKLOG_NEW &&
           (verdict == BACKLOG_FAILED || verdict == BACKLOG_DELAYED);
}

static bool apply_change(struct outbox_store *store, const struct backlog *backlog,
                         struct tally_sink *sink, const struct change *change)
{
    if (change->lane == BACKLOG_RETRIES)
        return change_retry(store, sink, change);
    if (change->seq <= sink->cursor)
        return true;
    if (!is_held(backlog, change->lane, change->verdict))
        return change_new(store, sink, change);
    hold_head(sink, change);
    return true;
}

static bool commit_apply(struct outbox_store *store, struct work *work)
{
    struct store_backlog *pending = CONTAINER_OF(work, struct store_backlog, commit.work);
    struct store_commit *commit = &pending->commit;
    const char *name = pending->backlog.sink;
    struct tally_sink *sink = tally_find_sink(&store->tally, name);

    commit->has_failed = !sink;
    if (!sink)
        return !fail(&commit->err, ERR_CONFIG, "the store has no sink %s", name);
    for (size_t i = 0; i < commit->changes.count; i++)
        if (!apply_change(store, &pending->backlog, sink, &commit->changes.items[i]))
            return false;
    return true;
}

static void commit_finish(struct outbox_store *store, struct work *work, const char *failure)
{
    struct store_backlog *pending = CONTAINER_OF(work, struct store_backlog, commit.work);
    struct store_commit *commit = &pending->commit;

    (void)pthread_mutex_lock(&store->outbox.mutex);
    if (failure)
        commit->has_failed = !fail(&commit->err, ERR_UNAVAILABLE, "%s", failure);
    commit->has_ended = true;
    pending->backlog.woken = true;
    (void)pthread_cond_broadcast(&store->outbox.news);
    (void)pthread_mutex_unlock(&store->outbox.mutex);
}

/* Will the record have a retry row with its order key? */
static bool becomes_keyed(const struct change *change)
{
    return change->order_hash > 0 &&
           (change->verdict == BACKLOG_FAILED || change->verdict == BACKLOG_DELAYED);
}

/* It is durable: rows show it from now on. */
static void end_change(struct store_backlog *pending, const struct change *change)
{
    if (change->lane == BACKLOG_RETRIES)
        number_set_remove(&pending->retries, (uint64_t)change->seq);
    if (becomes_keyed(change))
        number_set_remove(&pending->failing_keys, change->order_hash);
}

void store_backlog_decide(struct store_backlog *pending, struct change change)
{
    if (becomes_keyed(&change))
        number_set_add(&pending->failing_keys, change.order_hash);
    if (change.lane == BACKLOG_NEW)
        window_decide(&pending->window, change);
    else
        change_list_add(&pending->settled, change);
}

/* Has the commit that was under way ended? False: it failed. */
static bool end_commit(struct store_backlog *pending, bool wait, struct error *err)
{
    struct store_commit *commit = &pending->commit;
    struct outbox *outbox = pending->backlog.outbox;

    if (!commit->is_under_way)
        return true;
    (void)pthread_mutex_lock(&outbox->mutex);
    while (wait && !commit->has_ended)
        (void)pthread_cond_wait(&outbox->news, &outbox->mutex);
    commit->is_under_way = !commit->has_ended;
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (commit->is_under_way)
        return true;
    if (commit->has_failed) {
        *err = commit->err;
        return false;
    }
    for (size_t i = 0; i < commit->changes.count; i++)
        end_change(pending, &commit->changes.items[i]);
    change_list_clear(&commit->changes);
    return true;
}

static bool begin_commit(struct store_backlog *pending, struct error *err)
{
    static const struct work_operations operations = { commit_apply, NULL, commit_finish };
    struct store_commit *commit = &pending->commit;

    commit->work = (struct work){ .operations = &operations, .bytes = sizeof(*commit) };
    commit->has_ended = commit->has_failed = false;
    commit->is_under_way = committer_enqueue(store_of(pending->backlog.outbox), &commit->work, err);
    return commit->is_under_way;
}

bool store_backlog_commit(struct backlog *backlog, bool wait, struct error *err)
{
    struct store_backlog *pending = settle_backlog(backlog);
    struct store_commit *commit = &pending->commit;

    do {
        if (!end_commit(pending, wait, err))
            return false;
        if (commit->is_under_way)
            return true;
        if (commit->changes.count == 0)
            change_list_move(&pending->settled, &commit->changes, COMMIT_CHANGES);
        if (commit->changes.count == 0)
            return true;
        if (!begin_commit(pending, err))
            return false;
    } while (wait);
    return true;
}

/* A record that waits becomes a retry, which is due. */
static void become_retry(struct store_backlog *pending, const struct window_entry *entry)
{
    struct change change = entry->change;

    change.lane = BACKLOG_NEW;
    change.verdict = BACKLOG_DELAYED;
    change.next_at_us = clock_now_us();
    store_backlog_decide(pending, change);
}

/* Later records were delivered: those that failed before them must not hold the cursor. */
static void pass_obstacles(struct store_backlog *pending)
{
    struct window_entry *entry;

    while ((entry = window_obstacle(&pending->window))) {
        become_retry(pending, entry);
        window_shift(&pending->window, &pending->settled);
    }
}

static void decide_record(struct store_backlog *pending, const struct backlog_batch *batch,
                          const struct backlog_record *record, const struct backlog_result *result)
{
    struct change change = change_make(record, batch->lane, result);

    change_keep_words(&change, batch->said);
    store_backlog_decide(pending, change);
}

void store_backlog_settle(struct backlog *backlog, struct backlog_batch *batch,
                          const struct backlog_result *results)
{
    static const struct backlog_result untried = { .verdict = BACKLOG_UNTRIED };
    struct store_backlog *pending = settle_backlog(backlog);
    struct change_list *settled = &pending->settled;
    const struct backlog_record *held = NULL;

    for (size_t i = 0; i < batch->count; i++) {
        const struct backlog_record *record = &batch->records[i];
        const struct backlog_result *result = results ? &results[i] : &untried;
        bool is_untried = result->verdict == BACKLOG_UNTRIED;
        bool stays = is_held(backlog, batch->lane, result->verdict);

        if (stays)
            held = record;
        if (batch->lane == BACKLOG_NEW && (is_untried || stays))
            window_give_back(&pending->window, record->seq, result->reason != NULL);
        else if (is_untried)
            number_set_remove(&pending->retries, (uint64_t)record->seq);
        else
            decide_record(pending, batch, record, result);
        if (record->order_hash > 0)
            number_set_remove(&pending->busy_keys, record->order_hash);
    }
    window_shift(&pending->window, settled);
    pass_obstacles(pending);
    if (held)
        change_list_add(settled, change_make(held, BACKLOG_NEW, &results[held - batch->records]));
}

/* Turn records that wait before a settled one into retries, so that the cursor can pass them. */
static void unblock(struct store_backlog *pending)
{
    struct window_entry *entry;

    window_drop_end(&pending->window);
    while ((entry = window_next_waiting(&pending->window, 0)))
        become_retry(pending, entry);
    window_shift(&pending->window, &pending->settled);
}

void store_backlog_close(struct backlog *backlog)
{
    struct store_backlog *pending = settle_backlog(backlog);
    struct error err;
    bool durable;

    unblock(pending);
    durable = store_backlog_commit(backlog, true, &err);
    (void)durable; /* else the records are delivered again */
    db_close(&pending->db);
    window_done(&pending->window);
    number_set_done(&pending->retries);
    number_set_done(&pending->busy_keys);
    number_set_done(&pending->failing_keys);
    change_list_done(&pending->settled);
    change_list_done(&pending->commit.changes);
}
