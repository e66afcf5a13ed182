/*
 * outbox_quarantine.c - refused events, kept to be looked at and tried again.
 *
 * One row an event, however often it comes. The quarantine has bounds of its own, and makes room by
 * letting the oldest go, so that it never keeps an accepted event out.
 */
#include "delivery/outbox_internal.h"

enum {
    ROW_BYTES = 256, /* what a row costs beside its texts, about */
    MAKE_ROOM = 64,  /* rows that may go for one that comes; upkeep does the rest */
};

static int64_t size_of(const struct outbox_item *item)
{
    return (int64_t)(item->body.len + item->details.len + item->units.len + item->id.len) +
           ROW_BYTES;
}

static bool add(struct outbox *outbox, const struct outbox_item *item, int64_t size)
{
    struct tally *tally = &outbox->tally;
    struct str identity = { (const char *)item->identity, OUTBOX_IDENTITY_SIZE };

    tally_count_outcome(tally, item->outcome);
    if (size > (int64_t)outbox->options.quarantine_max_size) {
        tally->numbers[TALLY_REFUSED_EVICTED]++;
        return true;
    }
    tally->numbers[TALLY_REFUSED_ROWS]++;
    tally->numbers[TALLY_REFUSED_BYTES] += size;
    return outbox_db_run(&outbox->db, SQL_REFUSED_ADD, "bsssssssiiib", identity, item->id,
                         str_from_c(item->outcome), item->details, item->units, item->registry,
                         item->schema, item->version, (int64_t)item->is_registry_kind,
                         outbox->now_us, size, item->body);
}

static bool add_again(struct outbox *outbox, const struct outbox_item *item, int64_t row,
                      int64_t growth)
{
    outbox->tally.numbers[TALLY_REFUSED_BYTES] += growth;
    return outbox_db_run(&outbox->db, SQL_REFUSED_AGAIN, "issssssiii", row,
                         str_from_c(item->outcome), item->details, item->units, item->registry,
                         item->schema, item->version, (int64_t)item->is_registry_kind,
                         outbox->now_us, size_of(item));
}

bool outbox_refuse(struct outbox *outbox, const struct outbox_item *item,
                   struct outbox_result *result)
{
    struct outbox_db *db = &outbox->db;
    struct str identity = { (const char *)item->identity, OUTBOX_IDENTITY_SIZE };
    enum outbox_found found = outbox_db_find(db, SQL_REFUSED_FIND, "b", identity);
    int64_t row = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_REFUSED_FIND, 0) : 0;
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_REFUSED_FIND, 1) : 0;
    bool done = false;

    outbox_db_reset(db, SQL_REFUSED_FIND);
    if (found == OUTBOX_BROKEN)
        return false;
    *result =
        (struct outbox_result){ OUTBOX_QUARANTINED, .processed_at_us = item->processed_at_us };
    if (found == OUTBOX_FOUND)
        return add_again(outbox, item, row, size_of(item) - size);
    return add(outbox, item, size_of(item)) && outbox_refused_prune(outbox, MAKE_ROOM, &done);
}

bool outbox_resolve(struct outbox *outbox, const struct outbox_item *item)
{
    struct str identity = { (const char *)item->identity, OUTBOX_IDENTITY_SIZE };

    if (outbox->tally.numbers[TALLY_REFUSED_ROWS] == 0)
        return true;
    return outbox_db_run(&outbox->db, SQL_REFUSED_RESOLVE, "bi", identity, outbox->now_us);
}

static bool is_too_much(const struct outbox *outbox)
{
    const struct tally *tally = &outbox->tally;

    return tally->numbers[TALLY_REFUSED_ROWS] > outbox->options.quarantine_max_rows ||
           tally->numbers[TALLY_REFUSED_BYTES] > (int64_t)outbox->options.quarantine_max_size;
}

/* The oldest goes, if it must; `*gone` says whether it did. */
static bool evict(struct outbox *outbox, bool *gone)
{
    struct outbox_db *db = &outbox->db;
    struct tally *tally = &outbox->tally;
    enum outbox_found found = outbox_db_find(db, SQL_REFUSED_OLDEST, "");
    int64_t row = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_REFUSED_OLDEST, 0) : 0;
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_REFUSED_OLDEST, 1) : 0;
    int64_t first_us = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_REFUSED_OLDEST, 2) : 0;

    outbox_db_reset(db, SQL_REFUSED_OLDEST);
    *gone = found == OUTBOX_FOUND &&
            (is_too_much(outbox) || first_us < outbox->now_us - outbox->options.quarantine_keep_us);
    if (!*gone)
        return found != OUTBOX_BROKEN;
    tally->numbers[TALLY_REFUSED_ROWS]--;
    tally->numbers[TALLY_REFUSED_BYTES] -= size;
    tally->numbers[TALLY_REFUSED_EVICTED]++;
    return outbox_db_run(db, SQL_REFUSED_DELETE, "i", row);
}

bool outbox_refused_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    bool gone = true;

    for (int64_t i = 0; i < rows && gone; i++)
        if (outbox->tally.numbers[TALLY_REFUSED_ROWS] == 0)
            gone = false;
        else if (!evict(outbox, &gone))
            return false;
    *done = !gone;
    return true;
}
