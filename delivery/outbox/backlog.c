/*
 * backlog.c - see backlog.h.
 */
#include "delivery/outbox/backlog.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "delivery/outbox/outbox_internal.h"

enum { SLACK_US = US_PER_S }; /* clocks are corrected by less than that without being wrong */

bool backlog_open(struct outbox *outbox, const char *sink, bool ordered, struct backlog **out,
                  struct error *err)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    const struct tally_sink *row = tally_find_sink(&outbox->published, sink);
    bool known = row && row->configured;

    (void)pthread_mutex_unlock(&outbox->mutex);
    if (!known)
        return fail(err, ERR_CONFIG, "the store was not told of sink %s", sink);

    struct backlog *backlog = mem_alloc(sizeof(*backlog));

    if (!outbox_is_in_memory(outbox) &&
        !outbox_db_open(&backlog->db, outbox->options.path, OUTBOX_READ_ONLY, err)) {
        mem_free(backlog);
        return false;
    }
    backlog->outbox = outbox;
    memcpy(backlog->sink, sink, strnlen(sink, OUTBOX_NAME_SIZE - 1));
    backlog->ordered = ordered;
    backlog->arena = arena_create();
    *out = backlog;
    return true;
}

void backlog_close(struct backlog *backlog)
{
    if (!backlog)
        return;
    if (outbox_is_in_memory(backlog->outbox))
        outbox_memory_close(backlog);
    outbox_db_close(&backlog->db);
    arena_destroy(backlog->arena);
    mem_free(backlog);
}

/* A column's text, in the arena; the slice of NULL has ptr NULL. */
static struct str copy_column(struct backlog *backlog, enum outbox_statement from, int column)
{
    struct str text = outbox_db_text(&backlog->db, from, column);

    return text.ptr ? arena_copy(backlog->arena, text) : STR_NONE;
}

static struct backlog_record copy_row(struct backlog *backlog, enum outbox_statement from)
{
    return (struct backlog_record){
        .seq = outbox_db_int(&backlog->db, from, 0),
        .key = copy_column(backlog, from, 1),
        .accepted_us = outbox_db_int(&backlog->db, from, 2),
        .registry = copy_column(backlog, from, 3),
        .schema = copy_column(backlog, from, 4),
        .version = copy_column(backlog, from, 5),
        .bytes = copy_column(backlog, from, 6),
        .attempts = outbox_db_int(&backlog->db, from, 7),
    };
}

/* Is there no room for a row with a record and a key of these lengths? */
static bool is_over(const struct backlog_bounds *bounds, size_t bytes, size_t key_bytes)
{
    return bytes > bounds->bytes || (bounds->key_bytes > 0 && key_bytes > bounds->key_bytes);
}

/* `found` is the statement's first step. */
static bool take_rows(struct backlog *backlog, enum outbox_statement from, enum outbox_found found,
                      const struct backlog_bounds *bounds)
{
    size_t bytes = 0;
    size_t key_bytes = 0;

    while (found == OUTBOX_FOUND && backlog->count < bounds->records) {
        bytes += outbox_db_text(&backlog->db, from, 6).len;
        key_bytes += outbox_db_text(&backlog->db, from, 1).len;
        if (backlog->count > 0 && is_over(bounds, bytes, key_bytes))
            break;
        backlog->records[backlog->count++] = copy_row(backlog, from);
        found = outbox_db_next(&backlog->db, from);
    }
    outbox_db_reset(&backlog->db, from);
    return found != OUTBOX_BROKEN;
}

/* One number of one row; INT64_MAX when there is none. */
static bool look_up(struct backlog *backlog, enum outbox_statement statement, int64_t key,
                    int64_t *out)
{
    enum outbox_found found = outbox_db_find(&backlog->db, statement, "i", key);

    *out = found == OUTBOX_FOUND ? outbox_db_int(&backlog->db, statement, 0) : INT64_MAX;
    outbox_db_reset(&backlog->db, statement);
    return found != OUTBOX_BROKEN;
}

/* Is this time of day later than any that was set? Then the clock has been set back since. */
static bool is_too_far(const struct backlog_bounds *bounds, int64_t next_us)
{
    return bounds->longest_us > 0 && next_us > clock_now_us() + bounds->longest_us + SLACK_US;
}

struct hastening {
    int64_t sink;
    int64_t from_us;
};

/* In the committer. */
static bool hasten(struct outbox *outbox, void *arg, struct error *err)
{
    const struct hastening *hastening = arg;

    return outbox_db_run(&outbox->db, SQL_RETRY_HASTEN, "iii", hastening->sink, hastening->from_us,
                         outbox->now_us) ||
           outbox_db_fail(&outbox->db, "store", err);
}

/* A look failed; returns false. What is no database (any more) makes the store fail. */
static bool fail_look(struct backlog *backlog, struct error *err)
{
    if (outbox_db_is_none(&backlog->db))
        outbox_doubt(backlog->outbox);
    return outbox_db_fail(&backlog->db, "store", err);
}

/* Retries that wait for a time which is too far away are due now. */
static bool hasten_retries(struct backlog *backlog, const struct tally_sink *sink,
                           const struct backlog_bounds *bounds, struct error *err)
{
    struct hastening hastening = { sink->id, clock_now_us() + bounds->longest_us };
    int64_t last_us;

    if (!look_up(backlog, SQL_RETRY_LAST_TIME, sink->id, &last_us))
        return fail_look(backlog, err);
    if (last_us == INT64_MAX || !is_too_far(bounds, last_us))
        return true;
    return outbox_do(backlog->outbox, hasten, &hastening, err);
}

static bool look_at_retries(struct backlog *backlog, const struct tally_sink *sink,
                            const struct backlog_bounds *all)
{
    struct backlog_bounds bounds_of_retries = *all;
    const struct backlog_bounds *bounds = &bounds_of_retries;

    if (all->retries > 0)
        bounds_of_retries.records = all->retries;

    enum outbox_statement from = backlog->ordered ? SQL_RETRY_IN_ORDER : SQL_RETRY_DUE;
    enum outbox_found found = outbox_db_find(&backlog->db, from, "iii", sink->id, clock_now_us(),
                                             (int64_t)bounds->records);

    if (!take_rows(backlog, from, found, bounds))
        return false;
    backlog->retried = backlog->count > 0;
    return true;
}

static bool look_behind_cursor(struct backlog *backlog, const struct tally_sink *sink,
                               const struct backlog_bounds *bounds)
{
    if (sink->head_next_us > clock_now_us() && !is_too_far(bounds, sink->head_next_us)) {
        if (sink->head_next_us < backlog->retry_due_us)
            backlog->retry_due_us = sink->head_next_us;
        return true;
    }

    enum outbox_found found = outbox_db_find(&backlog->db, SQL_RECORDS_AFTER, "ii", sink->cursor,
                                             (int64_t)bounds->records);

    if (!take_rows(backlog, SQL_RECORDS_AFTER, found, bounds))
        return false;
    if (backlog->count > 0)
        backlog->records[0].attempts = sink->head_attempts;
    backlog->retried = false;
    return true;
}

static void note_oldest(struct backlog *backlog, int64_t accepted_us)
{
    struct outbox *outbox = backlog->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);

    const struct tally_sink *row = tally_find_sink(&outbox->published, backlog->sink);

    if (row)
        outbox_note_oldest(outbox, (size_t)(row - outbox->published.sinks), accepted_us);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

/* Since when does the sink's oldest pending record wait, and when is its next retry? */
static bool look_ahead(struct backlog *backlog, const struct tally_sink *sink)
{
    int64_t retry_us;
    int64_t record_us;

    if (!look_up(backlog, SQL_RETRY_OLDEST, sink->id, &retry_us) ||
        !look_up(backlog, SQL_RECORD_TIME, sink->cursor, &record_us) ||
        !look_up(backlog, SQL_RETRY_NEXT_TIME, sink->id, &backlog->retry_due_us))
        return false;
    if (record_us < retry_us)
        retry_us = record_us;
    note_oldest(backlog, retry_us == INT64_MAX ? 0 : retry_us);
    return true;
}

/* An ordered sink's retry rows are what it had left when it was removed: they come first. */
static bool look(struct backlog *backlog, const struct tally_sink *sink,
                 const struct backlog_bounds *bounds)
{
    bool has_retries = backlog->retry_due_us != INT64_MAX;

    if (bounds->lane == BACKLOG_NEW)
        return look_behind_cursor(backlog, sink, bounds);
    if (bounds->lane == BACKLOG_RETRIES)
        return look_at_retries(backlog, sink, bounds);

    bool new_ones_first = backlog->retried_before && !backlog->ordered;

    if (new_ones_first && !look_behind_cursor(backlog, sink, bounds))
        return false;
    if (backlog->count == 0 && has_retries && !look_at_retries(backlog, sink, bounds))
        return false;
    if (backlog->count == 0 && !new_ones_first && !(backlog->ordered && has_retries))
        return look_behind_cursor(backlog, sink, bounds);
    return true;
}

static bool read_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                      struct error *err)
{
    struct outbox *outbox = backlog->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);
    backlog->round = outbox->round;

    const struct tally_sink *row = tally_find_sink(&outbox->published, backlog->sink);
    struct tally_sink sink = row ? *row : (struct tally_sink){ 0 };

    (void)pthread_mutex_unlock(&outbox->mutex);
    arena_reset(backlog->arena);
    backlog->records = arena_alloc(backlog->arena,
                                   (bounds->records + bounds->retries) * sizeof(*backlog->records));
    backlog->count = 0;
    backlog->retried_before = backlog->retried;
    if (!hasten_retries(backlog, &sink, bounds, err))
        return false;
    if (!look_ahead(backlog, &sink) || !look(backlog, &sink, bounds)) {
        backlog->count = 0;
        return fail_look(backlog, err);
    }
    return true;
}

bool backlog_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                  const struct backlog_record **records, size_t *count, struct error *err)
{
    if (outbox_is_in_memory(backlog->outbox))
        outbox_memory_next(backlog, bounds);
    else if (!read_next(backlog, bounds, err))
        return false;
    *records = backlog->records;
    *count = backlog->count;
    return true;
}

enum backlog_lane backlog_lane(const struct backlog *backlog)
{
    return backlog->retried ? BACKLOG_RETRIES : BACKLOG_NEW;
}

void backlog_wait(struct backlog *backlog, int64_t latest_us)
{
    struct outbox *outbox = backlog->outbox;

    if (backlog->retry_due_us != INT64_MAX) {
        int64_t due_us = clock_monotonic_us() + backlog->retry_due_us - clock_now_us();

        latest_us = due_us < latest_us ? due_us : latest_us;
    }

    const struct timespec latest = clock_timespec(latest_us > 0 ? latest_us : 0);

    (void)pthread_mutex_lock(&outbox->mutex);
    while (!backlog->woken && backlog->round == outbox->round && !outbox->stopping)
        if (pthread_cond_timedwait(&outbox->news, &outbox->mutex, &latest) == ETIMEDOUT)
            break;
    backlog->woken = false;
    (void)pthread_mutex_unlock(&outbox->mutex);
}

void backlog_wake(struct backlog *backlog)
{
    struct outbox *outbox = backlog->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);
    backlog->woken = true;
    (void)pthread_cond_broadcast(&outbox->news);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

/* Settling: the rest of this file runs in the committer. */

struct settling {
    const struct backlog *backlog;
    const struct backlog_result *results;
    size_t count;
};

static struct str reason_of(const struct backlog_result *result)
{
    return result->reason ? str_from_c(result->reason) : STR_NONE;
}

static struct outbox_death death_of(const struct backlog_record *record,
                                    const struct backlog_result *result)
{
    return (struct outbox_death){ record->seq, record->attempts + 1, reason_of(result) };
}

/* Only what is there counts: a report that seemed to fail may have come through. */
static bool end_retry(struct outbox *outbox, struct tally_sink *sink,
                      const struct backlog_record *record)
{
    bool gone = false;

    if (!outbox_retry_delete(outbox, sink, record->seq, &gone))
        return false;
    sink->delivered += gone;
    return true;
}

static bool settle_retry(struct outbox *outbox, struct tally_sink *sink,
                         const struct backlog_record *record, const struct backlog_result *result)
{
    const struct outbox_death death = death_of(record, result);
    int64_t failed = result->verdict == BACKLOG_FAILED;

    switch (result->verdict) {
    case BACKLOG_FAILED:
    case BACKLOG_DELAYED:
        return outbox_db_run(&outbox->db, SQL_RETRY_UPDATE, "iiiis", sink->id, record->seq, failed,
                             result->next_at_us, reason_of(result));
    case BACKLOG_DELIVERED:
        return end_retry(outbox, sink, record);
    case BACKLOG_DEAD:
        return outbox_retry_to_dead(outbox, sink, &death);
    case BACKLOG_UNTRIED:
    default:
        return true;
    }
}

/* A record behind an ordered sink's cursor failed: it stays there, unless it was moved meanwhile.
 */
static bool hold_head(struct tally_sink *sink, const struct backlog_result *result)
{
    if (result->seq <= sink->cursor)
        return true;
    sink->head_attempts += result->verdict == BACKLOG_FAILED;
    sink->head_next_us = result->next_at_us;
    return true;
}

static void pass(struct tally_sink *sink, int64_t seq)
{
    sink->cursor = seq;
    sink->head_attempts = 0;
    sink->head_next_us = 0;
}

static bool settle_new(struct outbox *outbox, struct tally_sink *sink,
                       const struct backlog_record *record, const struct backlog_result *result)
{
    const struct outbox_death death = death_of(record, result);
    int64_t failed = result->verdict == BACKLOG_FAILED;

    if (record->seq <= sink->cursor)
        return true; /* settled by a report that seemed to fail */
    pass(sink, record->seq);
    if (result->verdict != BACKLOG_DELIVERED && result->verdict != BACKLOG_DEAD)
        return outbox_db_run(&outbox->db, SQL_RETRY_ADD, "iiiis", record->seq, sink->id, failed,
                             result->next_at_us, reason_of(result));
    tally_add_pending(&outbox->tally, sink, record->seq, -1);
    if (result->verdict == BACKLOG_DEAD)
        return outbox_dead_add(outbox, sink, &death);
    sink->delivered++;
    return true;
}

static bool settle_all(struct outbox *outbox, const struct settling *settling,
                       struct tally_sink *sink)
{
    const struct backlog *backlog = settling->backlog;

    for (size_t i = 0; i < settling->count; i++) {
        const struct backlog_record *record = &backlog->records[i];
        const struct backlog_result *result = &settling->results[i];
        bool stays = backlog->ordered &&
                     (result->verdict == BACKLOG_FAILED || result->verdict == BACKLOG_DELAYED);
        bool ok = true;

        if (backlog->retried)
            ok = settle_retry(outbox, sink, record, result);
        else if (result->verdict == BACKLOG_UNTRIED)
            return true;
        else if (stays)
            return hold_head(sink, result);
        else
            ok = settle_new(outbox, sink, record, result);
        if (!ok)
            return false;
    }
    return true;
}

static bool settle(struct outbox *outbox, void *arg, struct error *err)
{
    const struct settling *settling = arg;
    struct tally_sink *sink = tally_find_sink(&outbox->tally, settling->backlog->sink);

    if (!sink || settling->count > settling->backlog->count)
        return fail(err, ERR_CONFIG, "nothing of sink %s is under way", settling->backlog->sink);
    if (!settle_all(outbox, settling, sink))
        return outbox_db_fail(&outbox->db, "store", err);
    return true;
}

bool backlog_settle(struct backlog *backlog, const struct backlog_result *results, size_t count,
                    struct error *err)
{
    struct settling settling = { backlog, results, count };

    if (outbox_is_in_memory(backlog->outbox))
        outbox_memory_settle(backlog, results, count);
    else if (!outbox_do(backlog->outbox, settle, &settling, err))
        return false;
    backlog->count = 0; /* they are settled: not a second time */
    return true;
}

/* An operator's wish to set a record aside. Runs in the committer, too. */
struct set_aside {
    const char *sink; /* NULL: whichever waits for it */
    int64_t seq;
};

/* What is counted and written of the record, where the sink waits for it. */
static bool find_waiting(struct outbox *outbox, const struct tally_sink *sink,
                         enum outbox_statement from, int64_t seq, struct backlog_record *record)
{
    struct outbox_db *db = &outbox->db;
    int64_t limit_or_seq = from == SQL_RETRY_FIND ? seq : 1;
    int64_t sink_or_cursor = from == SQL_RETRY_FIND ? sink->id : sink->cursor;
    bool found = outbox_db_find(db, from, "ii", sink_or_cursor, limit_or_seq) == OUTBOX_FOUND &&
                 outbox_db_int(db, from, 0) == seq;

    if (found)
        *record = (struct backlog_record){ .seq = seq, .attempts = outbox_db_int(db, from, 7) };
    outbox_db_reset(db, from);
    return found;
}

/* `is_retry` tells where it waits. */
static bool waits_for(struct outbox *outbox, const struct tally_sink *sink,
                      const struct set_aside *wish, struct backlog_record *record, bool *is_retry)
{
    bool is_head = sink->configured && (wish->sink || sink->head_next_us > 0);

    *is_retry = find_waiting(outbox, sink, SQL_RETRY_FIND, wish->seq, record);
    return *is_retry ||
           (is_head && find_waiting(outbox, sink, SQL_RECORDS_AFTER, wish->seq, record));
}

static bool set_aside_for(struct outbox *outbox, struct tally_sink *sink,
                          const struct set_aside *wish, struct error *err)
{
    static const char reason[] = "moved by an operator";
    const struct backlog_result result = { wish->seq, BACKLOG_DEAD, 0, reason };
    struct backlog_record record = { 0 };
    bool is_retry;

    if (!waits_for(outbox, sink, wish, &record, &is_retry))
        return fail(err, ERR_NOT_FOUND, "sink %s does not wait for record %lld", sink->name,
                    (long long)wish->seq);
    if (!(is_retry ? settle_retry(outbox, sink, &record, &result)
                   : settle_new(outbox, sink, &record, &result)))
        return outbox_db_fail(&outbox->db, "store", err);
    outbox->woken = true;
    outbox->upkeep.pending = true;
    LOG_EVENT(LOG_WARN, "sink_record_moved", LOG_STR("sink", str_from_c(sink->name)),
              LOG_INT("sequence", wish->seq));
    return true;
}

static bool set_aside(struct outbox *outbox, void *arg, struct error *err)
{
    const struct set_aside *wish = arg;
    struct tally *tally = &outbox->tally;
    struct tally_sink *sink = wish->sink ? tally_find_sink(tally, wish->sink) : NULL;
    struct backlog_record ignored;
    bool is_retry;

    if (wish->sink && !sink)
        return fail(err, ERR_NOT_FOUND, "the store has no sink %s", wish->sink);
    for (size_t i = 0; !wish->sink && i < tally->sink_count; i++) {
        if (!waits_for(outbox, &tally->sinks[i], wish, &ignored, &is_retry))
            continue;
        if (sink)
            return fail(err, ERR_INVALID, "several sinks wait for record %lld: say which",
                        (long long)wish->seq);
        sink = &tally->sinks[i];
    }
    return sink ? set_aside_for(outbox, sink, wish, err)
                : fail(err, ERR_NOT_FOUND, "no sink waits for record %lld", (long long)wish->seq);
}

bool outbox_set_aside(struct outbox *outbox, const char *sink, int64_t seq, struct error *err)
{
    struct set_aside wish = { sink, seq };

    return outbox_do(outbox, set_aside, &wish, err);
}
