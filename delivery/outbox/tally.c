/*
 * tally.c - see tally.h.
 */
#include "delivery/outbox/tally.h"

#include <stdio.h>
#include <string.h>

static const struct str names[TALLY_COUNT] = {
    [TALLY_NEXT_SEQ] = STR_INIT("next_seq"),
    [TALLY_ACCEPTED] = STR_INIT("accepted"),
    [TALLY_DUPLICATES] = STR_INIT("duplicates"),
    [TALLY_IDS_REUSED] = STR_INIT("ids_reused"),
    [TALLY_PRUNED] = STR_INIT("pruned"),
    [TALLY_HISTORY_FROM] = STR_INIT("history_from"),
    [TALLY_WAITING] = STR_INIT("waiting_bytes"),
    [TALLY_DEAD_BYTES] = STR_INIT("dead_bytes"),
    [TALLY_HISTORY_BYTES] = STR_INIT("history_bytes"),
    [TALLY_DEAD_EVICTED] = STR_INIT("dead_evicted"),
    [TALLY_CORRECTIONS] = STR_INIT("corrections"),
    [TALLY_SEEN] = STR_INIT("seen_rows"),
    [TALLY_REFUSED_ROWS] = STR_INIT("refused_rows"),
    [TALLY_REFUSED_BYTES] = STR_INIT("refused_bytes"),
    [TALLY_REFUSED_EVICTED] = STR_INIT("refused_evicted"),
    [TALLY_REFUSED_CROWDED] = STR_INIT("refused_crowded"),
    [TALLY_REFUSED_TOO_LARGE] = STR_INIT("refused_too_large"),
    [TALLY_LATEST_US] = STR_INIT("latest_us"),
};

static void copy_name(char to[static OUTBOX_NAME_SIZE], struct str name)
{
    (void)snprintf(to, OUTBOX_NAME_SIZE, "%.*s", STR_ARG(name));
}

static bool read_numbers(struct db *db, struct tally *tally)
{
    for (size_t i = 0; i < TALLY_COUNT; i++)
        if (db_numbers(db, SQL_STATE_READ, &tally->numbers[i], "s", names[i]) == DB_BROKEN)
            return false;
    if (tally->numbers[TALLY_NEXT_SEQ] == 0)
        tally->numbers[TALLY_NEXT_SEQ] = 1;
    return true;
}

static bool read_outcomes(struct db *db, struct tally *tally)
{
    enum db_found found = db_find(db, SQL_OUTCOME_READ, "");

    while (found == DB_FOUND && tally->outcome_count < OUTBOX_OUTCOMES_MAX) {
        struct tally_outcome *outcome = &tally->outcomes[tally->outcome_count++];

        copy_name(outcome->name, db_text(db, SQL_OUTCOME_READ, 0));
        outcome->count = db_int(db, SQL_OUTCOME_READ, 1);
        found = db_next(db, SQL_OUTCOME_READ);
    }
    db_reset(db, SQL_OUTCOME_READ);
    return found != DB_BROKEN;
}

static void read_sink(struct db *db, struct tally_sink *sink)
{
    int64_t *const numbers[] = {
        &sink->cursor,   &sink->until,     &sink->head_attempts, &sink->head_next_us,
        &sink->enqueued, &sink->delivered, &sink->pending,       &sink->dead,
        &sink->dropped,  &sink->bit,       &sink->since,         &sink->behind,
        &sink->paused,   &sink->fill,      &sink->fill_until,
    };

    sink->id = db_int(db, SQL_SINK_READ, 0);
    copy_name(sink->name, db_text(db, SQL_SINK_READ, 1));
    sink->configured = db_int(db, SQL_SINK_READ, 2) != 0;
    sink->slot = -1;
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        *numbers[i] = db_int(db, SQL_SINK_READ, (int)i + 3);
}

static bool read_sinks(struct db *db, struct tally *tally)
{
    enum db_found found = db_find(db, SQL_SINK_READ, "");

    while (found == DB_FOUND && tally->sink_count < OUTBOX_SINKS_MAX) {
        read_sink(db, &tally->sinks[tally->sink_count++]);
        found = db_next(db, SQL_SINK_READ);
    }
    db_reset(db, SQL_SINK_READ);
    return found != DB_BROKEN;
}

static bool read_kinds(struct db *db, struct tally *tally)
{
    enum db_found found = db_find(db, SQL_REFUSED_KINDS, "");

    while (found == DB_FOUND) {
        uint64_t kind = (uint64_t)db_int(db, SQL_REFUSED_KINDS, 0) % TALLY_KINDS;

        tally->kinds[kind].rows += db_int(db, SQL_REFUSED_KINDS, 1);
        tally->kinds[kind].bytes += db_int(db, SQL_REFUSED_KINDS, 2);
        found = db_next(db, SQL_REFUSED_KINDS);
    }
    db_reset(db, SQL_REFUSED_KINDS);
    return found != DB_BROKEN;
}

bool tally_read(struct db *db, struct tally *tally)
{
    *tally = (struct tally){ 0 };
    return read_numbers(db, tally) && read_outcomes(db, tally) && read_sinks(db, tally) &&
           read_kinds(db, tally);
}

void tally_keep_slots(struct tally *tally, const struct tally *before)
{
    for (size_t i = 0; i < before->sink_count; i++) {
        struct tally_sink *sink = tally_find_sink(tally, before->sinks[i].name);

        if (sink && sink->configured)
            sink->slot = before->sinks[i].slot;
    }
}

static bool write_numbers(struct db *db, const struct tally *tally, const struct tally *before)
{
    for (size_t i = 0; i < TALLY_COUNT; i++)
        if (tally->numbers[i] != before->numbers[i] &&
            !db_run(db, SQL_STATE_WRITE, "si", names[i], tally->numbers[i]))
            return false;
    return true;
}

static bool write_outcomes(struct db *db, const struct tally *tally, const struct tally *before)
{
    for (size_t i = 0; i < tally->outcome_count; i++) {
        const struct tally_outcome *outcome = &tally->outcomes[i];

        if (i < before->outcome_count && outcome->count == before->outcomes[i].count)
            continue;
        if (!db_run(db, SQL_OUTCOME_WRITE, "si", str_from_c(outcome->name), outcome->count))
            return false;
    }
    return true;
}

static bool write_sinks(struct db *db, const struct tally *tally, const struct tally *before)
{
    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];

        if (i < before->sink_count && memcmp(sink, &before->sinks[i], sizeof(*sink)) == 0)
            continue;
        if (!db_run(db, SQL_SINK_WRITE, "isiiiiiiiiiiiiiiii", sink->id, str_from_c(sink->name),
                    sink->configured, sink->cursor, sink->until, sink->head_attempts,
                    sink->head_next_us, sink->enqueued, sink->delivered, sink->pending, sink->dead,
                    sink->dropped, sink->bit, sink->since, sink->behind, sink->paused, sink->fill,
                    sink->fill_until))
            return false;
    }
    return true;
}

static bool write_kinds(struct db *db, const struct tally *tally, const struct tally *before)
{
    for (size_t i = 0; i < TALLY_KINDS; i++) {
        const struct tally_kind *kind = &tally->kinds[i];

        if (kind->rows == before->kinds[i].rows && kind->bytes == before->kinds[i].bytes)
            continue;
        if (!db_run(db, SQL_REFUSED_KIND_WRITE, "iii", (int64_t)i, kind->rows, kind->bytes))
            return false;
    }
    return true;
}

bool tally_write(struct db *db, const struct tally *tally, const struct tally *before)
{
    return write_numbers(db, tally, before) && write_outcomes(db, tally, before) &&
           write_sinks(db, tally, before) && write_kinds(db, tally, before);
}

void tally_count_outcome(struct tally *tally, const char *outcome)
{
    size_t i = 0;

    while (i < tally->outcome_count && strcmp(tally->outcomes[i].name, outcome) != 0)
        i++;
    if (i == OUTBOX_OUTCOMES_MAX)
        return;
    if (i == tally->outcome_count) {
        copy_name(tally->outcomes[i].name, str_from_c(outcome));
        tally->outcome_count++;
    }
    tally->outcomes[i].count++;
}

struct tally_sink *tally_find_sink(struct tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->sink_count; i++)
        if (strcmp(tally->sinks[i].name, name) == 0)
            return &tally->sinks[i];
    return NULL;
}

struct tally_sink *tally_sink_by_id(struct tally *tally, int64_t id)
{
    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].id == id)
            return &tally->sinks[i];
    return NULL;
}

/* The lowest number that no sink has. */
static int64_t free_bit(const struct tally *tally)
{
    uint64_t taken = 0;
    int64_t bit = 0;

    for (size_t i = 0; i < tally->sink_count; i++)
        taken |= UINT64_C(1) << tally->sinks[i].bit;
    while (taken >> bit & 1)
        bit++;
    return bit;
}

struct tally_sink *tally_sink_by_slot(struct tally *tally, size_t slot)
{
    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].slot == (int64_t)slot)
            return &tally->sinks[i];
    return NULL;
}

bool tally_has_room(struct tally *tally, const struct outbox_sink *sinks, size_t count,
                    struct error *err)
{
    size_t unknown = 0;

    for (size_t i = 0; i < count; i++)
        unknown += !tally_find_sink(tally, sinks[i].name);
    return unknown <= OUTBOX_SINKS_MAX - tally->sink_count ||
           fail(err, ERR_CONFIG,
                "the store has rows of %zu sinks already: drop some with `outbox drop-sink`",
                tally->sink_count);
}

struct tally_sink *tally_add_sink(struct tally *tally, const char *name, size_t slot)
{
    struct tally_sink *sink = &tally->sinks[tally->sink_count];
    int64_t id = 1;

    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].id >= id)
            id = tally->sinks[i].id + 1;
    *sink = (struct tally_sink){ .id = id,
                                 .configured = 1,
                                 .cursor = tally->numbers[TALLY_NEXT_SEQ] - 1,
                                 .bit = free_bit(tally),
                                 .since = tally->numbers[TALLY_NEXT_SEQ] - 1,
                                 .slot = (int64_t)slot };
    memcpy(sink->name, name, strnlen(name, OUTBOX_NAME_SIZE - 1));
    tally->sink_count++;
    return sink;
}

void tally_forget_sink(struct tally *tally, struct tally_sink *sink)
{
    size_t index = (size_t)(sink - tally->sinks);

    tally->sink_count--;
    memmove(sink, sink + 1, (tally->sink_count - index) * sizeof(*sink));
    tally->recount = (struct tally_recount){ 0 }; /* its indexes have moved */
}

/* Has the recount counted this record, so that its sums must follow? */
static bool is_counted(const struct tally *tally, int64_t seq)
{
    return seq <= tally->recount.position;
}

void tally_add_waiting(struct tally *tally, int64_t seq, int64_t bytes)
{
    tally->numbers[TALLY_WAITING] += bytes;
    if (is_counted(tally, seq))
        tally->recount.waiting += bytes;
}

void tally_add_dead_bytes(struct tally *tally, int64_t seq, int64_t bytes)
{
    tally->numbers[TALLY_DEAD_BYTES] += bytes;
    if (is_counted(tally, seq))
        tally->recount.dead_bytes += bytes;
}

void tally_add_history(struct tally *tally, int64_t seq, int64_t bytes)
{
    tally->numbers[TALLY_HISTORY_BYTES] += bytes;
    if (is_counted(tally, seq))
        tally->recount.history += bytes;
}

void tally_add_pending(struct tally *tally, struct tally_sink *sink, int64_t seq, int64_t count)
{
    sink->pending += count;
    if (is_counted(tally, seq))
        tally->recount.pending[sink - tally->sinks] += count;
}

void tally_add_behind(struct tally *tally, struct tally_sink *sink, int64_t seq, int64_t count)
{
    sink->behind += count;
    if (is_counted(tally, seq))
        tally->recount.behind[sink - tally->sinks] += count;
}

void tally_add_dead(struct tally *tally, struct tally_sink *sink, int64_t seq, int64_t count)
{
    sink->dead += count;
    if (is_counted(tally, seq))
        tally->recount.dead[sink - tally->sinks] += count;
}

static bool is_refused_counted(const struct tally_recount *recount, int64_t id, size_t kind)
{
    return kind < recount->kind || (kind == recount->kind && id <= recount->refused_position);
}

void tally_add_refused(struct tally *tally, int64_t id, size_t kind, struct tally_kind more)
{
    tally->numbers[TALLY_REFUSED_ROWS] += more.rows;
    tally->numbers[TALLY_REFUSED_BYTES] += more.bytes;
    tally->kinds[kind].rows += more.rows;
    tally->kinds[kind].bytes += more.bytes;
    if (!is_refused_counted(&tally->recount, id, kind))
        return;
    tally->recount.kinds[kind].rows += more.rows;
    tally->recount.kinds[kind].bytes += more.bytes;
}

int64_t tally_waiting(const struct tally *tally)
{
    int64_t ways = 0;

    for (size_t i = 0; i < tally->sink_count; i++)
        ways += tally->sinks[i].pending;
    return tally->numbers[TALLY_WAITING] + ways * OUTBOX_RETRY_BYTES;
}

int64_t tally_floor(const struct tally *tally)
{
    int64_t floor = tally->numbers[TALLY_NEXT_SEQ] - 1;

    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];
        bool needs = sink->configured || sink->cursor < sink->until;

        if (needs && sink->cursor < floor)
            floor = sink->cursor;
    }
    return floor;
}

void tally_show(const struct tally *tally, struct outbox_counters *out)
{
    out->accepted = tally->numbers[TALLY_ACCEPTED];
    out->duplicates = tally->numbers[TALLY_DUPLICATES];
    out->ids_reused = tally->numbers[TALLY_IDS_REUSED];
    out->bytes = tally_waiting(tally);
    out->dead_bytes = tally->numbers[TALLY_DEAD_BYTES];
    out->history_bytes = tally->numbers[TALLY_HISTORY_BYTES];
    out->corrections = tally->numbers[TALLY_CORRECTIONS];
    out->seen = tally->numbers[TALLY_SEEN];
    out->refused_rows = tally->numbers[TALLY_REFUSED_ROWS];
    out->refused_bytes = tally->numbers[TALLY_REFUSED_BYTES];
    out->refused_open = tally->numbers[TALLY_REFUSED_ROWS] - tally->kinds[TALLY_KIND_RESOLVED].rows;
    out->refused_evicted = tally->numbers[TALLY_REFUSED_EVICTED];
    out->refused_too_large = tally->numbers[TALLY_REFUSED_TOO_LARGE];
    out->outcome_count = tally->outcome_count;
    for (size_t i = 0; i < tally->outcome_count; i++) {
        memcpy(out->quarantined[i].outcome, tally->outcomes[i].name, OUTBOX_NAME_SIZE);
        out->quarantined[i].count = tally->outcomes[i].count;
    }
    out->sink_count = tally->sink_count;
    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];
        struct outbox_sink_counters *to = &out->sinks[i];

        memcpy(to->name, sink->name, OUTBOX_NAME_SIZE);
        to->configured = sink->configured != 0;
        to->paused = sink->paused != 0;
        to->enqueued = sink->enqueued;
        to->delivered = sink->delivered;
        to->pending = sink->pending;
        to->dead = sink->dead;
        to->dropped = sink->dropped;
    }
}
