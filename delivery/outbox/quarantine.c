/*
 * quarantine.c - refused events, kept to be looked at and tried again.
 *
 * One row an event, however often it comes. The quarantine has bounds of its own, and makes room by
 * letting rows go, so that it never keeps an accepted event out. Resolved rows go first, then those
 * of the kind that takes most, so that many events of one kind do not push out the few of another.
 * Events that were refused for the registry's sake, which the server posts again, go last, and
 * never for an event that is at fault itself. Within a kind the oldest go first.
 */
#include "delivery/outbox/outbox_internal.h"

enum {
    ROW_BYTES = 256, /* what a row costs beside its texts, about */
    MAKE_ROOM = 64,  /* rows that may go for one that comes; upkeep does the rest */
};

/* Stored with each row. Beyond them a kind is a hash of outcome, schema and rule. */
enum refused_kind {
    KIND_RESOLVED,
    KIND_REGISTRY,
    KIND_MALFORMED,
    KIND_UNROUTED,
    KIND_EARLIER, /* of stores that did not know kinds */
    KIND_HASHED = 8,
};

static int64_t size_of(const struct outbox_item *item)
{
    return (int64_t)(item->body.len + item->details.len + item->units.len + item->id.len) +
           ROW_BYTES;
}

/* FNV-1a. */
static void hash(uint64_t *to, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        *to = (*to ^ (uint8_t)text.ptr[i]) * UINT64_C(0x100000001b3);
    *to = (*to ^ 0xff) * UINT64_C(0x100000001b3); /* which UTF-8 has not */
}

static size_t kind_of(const struct outbox_item *item)
{
    const struct str texts[] = { str_from_c(item->outcome), item->registry, item->schema,
                                 item->rule };
    uint64_t hashed = UINT64_C(0xcbf29ce484222325);

    if (item->is_registry_kind)
        return KIND_REGISTRY;
    if (!item->registry.ptr)
        return str_equal(texts[0], STR("malformed")) ? KIND_MALFORMED : KIND_UNROUTED;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        hash(&hashed, texts[i]);
    return KIND_HASHED + (size_t)(hashed >> 32) % (TALLY_KINDS - KIND_HASHED);
}

/* A row of the table, as SQL_REFUSED_FIND and its like begin. */
struct row {
    bool is_there;
    int64_t id;
    int64_t size;
    size_t kind;
    int64_t us; /* SQL_REFUSED_FIND: when it was resolved; SQL_REFUSED_OLDEST: when it came first */
};

/* `found` is the statement's first step. */
static bool take_row(struct outbox *outbox, enum outbox_statement from, enum outbox_found found,
                     struct row *row)
{
    *row = (struct row){ .is_there = found == OUTBOX_FOUND };
    if (row->is_there) {
        row->id = outbox_db_int(&outbox->db, from, 0);
        row->size = outbox_db_int(&outbox->db, from, 1);
        row->kind = (size_t)outbox_db_int(&outbox->db, from, 2) % TALLY_KINDS;
        row->us = from == SQL_REFUSED_OLDEST_OF ? 0 : outbox_db_int(&outbox->db, from, 3);
    }
    outbox_db_reset(&outbox->db, from);
    return found != OUTBOX_BROKEN;
}

static bool find_item(struct outbox *outbox, const struct outbox_item *item, struct row *row)
{
    struct str identity = { (const char *)item->identity, OUTBOX_IDENTITY_SIZE };

    return take_row(outbox, SQL_REFUSED_FIND,
                    outbox_db_find(&outbox->db, SQL_REFUSED_FIND, "b", identity), row);
}

static void count(struct outbox *outbox, int64_t id, size_t kind, int64_t rows, int64_t bytes)
{
    tally_add_refused(&outbox->tally, id, kind, (struct tally_kind){ rows, bytes });
}

static bool add(struct outbox *outbox, const struct outbox_item *item)
{
    struct tally *tally = &outbox->tally;
    struct str identity = { (const char *)item->identity, OUTBOX_IDENTITY_SIZE };
    int64_t size = size_of(item);
    size_t kind = kind_of(item);

    tally_count_outcome(tally, item->outcome);
    if (size > (int64_t)outbox->options.quarantine_max_size) {
        tally->numbers[TALLY_REFUSED_EVICTED]++;
        tally->numbers[TALLY_REFUSED_TOO_LARGE]++;
        return true;
    }
    count(outbox, INT64_MAX, kind, 1, size);
    return outbox_db_run(&outbox->db, SQL_REFUSED_ADD, "bsssssssiiibi", identity, item->id,
                         str_from_c(item->outcome), item->details, item->units, item->registry,
                         item->schema, item->version, (int64_t)item->is_registry_kind,
                         outbox->now_us, size, item->body, (int64_t)kind);
}

static bool add_again(struct outbox *outbox, const struct outbox_item *item, const struct row *row)
{
    size_t kind = kind_of(item);

    count(outbox, row->id, row->kind, -1, -row->size);
    count(outbox, row->id, kind, 1, size_of(item));
    return outbox_db_run(&outbox->db, SQL_REFUSED_AGAIN, "issssssiiii", row->id,
                         str_from_c(item->outcome), item->details, item->units, item->registry,
                         item->schema, item->version, (int64_t)item->is_registry_kind,
                         outbox->now_us, size_of(item), (int64_t)kind);
}

bool outbox_refuse(struct outbox *outbox, const struct outbox_item *item,
                   struct outbox_result *result)
{
    struct row row;
    bool done = false;

    *result =
        (struct outbox_result){ OUTBOX_QUARANTINED, .processed_at_us = item->processed_at_us };
    if (!find_item(outbox, item, &row))
        return false;
    if (row.is_there)
        return add_again(outbox, item, &row);
    if (!outbox_can_keep(outbox, (size_t)size_of(item))) {
        outbox->turned_away = true;
        *result = (struct outbox_result){ OUTBOX_UNAVAILABLE, .reason = "store full" };
        return true;
    }
    return add(outbox, item) && outbox_refused_prune(outbox, MAKE_ROOM, &done);
}

bool outbox_resolve(struct outbox *outbox, const struct outbox_item *item)
{
    struct row row = { 0 };

    if (outbox->tally.numbers[TALLY_REFUSED_ROWS] == 0)
        return true;
    if (!find_item(outbox, item, &row))
        return false;
    if (!row.is_there || row.us != 0)
        return true;
    count(outbox, row.id, row.kind, -1, -row.size);
    count(outbox, row.id, KIND_RESOLVED, 1, row.size);
    return outbox_db_run(&outbox->db, SQL_REFUSED_RESOLVE, "iii", row.id, outbox->now_us,
                         (int64_t)KIND_RESOLVED);
}

static bool has_too_many(const struct outbox *outbox)
{
    return outbox->tally.numbers[TALLY_REFUSED_ROWS] > outbox->options.quarantine_max_rows;
}

static bool is_too_much(const struct outbox *outbox)
{
    return has_too_many(outbox) || outbox->tally.numbers[TALLY_REFUSED_BYTES] >
                                       (int64_t)outbox->options.quarantine_max_size;
}

/* Of which kind a row goes. */
static size_t choose_kind(const struct outbox *outbox)
{
    const struct tally_kind *kinds = outbox->tally.kinds;
    bool by_rows = has_too_many(outbox);
    size_t chosen = KIND_REGISTRY;
    int64_t most = 0;

    if (kinds[KIND_RESOLVED].rows > 0)
        return KIND_RESOLVED;
    for (size_t i = KIND_MALFORMED; i < TALLY_KINDS; i++) {
        int64_t takes = by_rows ? kinds[i].rows : kinds[i].bytes;

        if (kinds[i].rows > 0 && takes > most) {
            most = takes;
            chosen = i;
        }
    }
    return chosen;
}

/* The row that goes now, if one must. */
static bool find_victim(struct outbox *outbox, struct row *row)
{
    int64_t oldest_us = outbox->believed_us - outbox->options.quarantine_keep_us;
    bool ok;

    if (is_too_much(outbox)) {
        ok = take_row(
            outbox, SQL_REFUSED_OLDEST_OF,
            outbox_db_find(&outbox->db, SQL_REFUSED_OLDEST_OF, "i", (int64_t)choose_kind(outbox)),
            row);
        outbox->tally.numbers[TALLY_REFUSED_CROWDED] += row->is_there && row->kind != KIND_RESOLVED;
        return ok;
    }
    ok = take_row(outbox, SQL_REFUSED_OLDEST, outbox_db_find(&outbox->db, SQL_REFUSED_OLDEST, ""),
                  row);
    row->is_there = row->is_there && row->us < oldest_us && outbox->may_forget;
    return ok;
}

bool outbox_refused_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    struct row row = { .is_there = true };

    for (int64_t i = 0; i < rows && row.is_there; i++) {
        row.is_there = false;
        if (outbox->tally.numbers[TALLY_REFUSED_ROWS] > 0 && !find_victim(outbox, &row))
            return false;
        if (!row.is_there)
            break;
        count(outbox, row.id, row.kind, -1, -row.size);
        outbox->tally.numbers[TALLY_REFUSED_EVICTED]++;
        if (!outbox_db_run(&outbox->db, SQL_REFUSED_DELETE, "i", row.id))
            return false;
    }
    *done = !row.is_there;
    return true;
}
