/*
 * quarantine.c - see quarantine.h.
 *
 * One row for each event, however often it comes. The quarantine has bounds of its own and deletes
 * rows to make room, so it never keeps an accepted event out. Resolved rows go first, then those of
 * the kind that takes most, so that many events of one kind do not push out the few of another.
 * Events that were refused for the registry's sake, which the server posts again, go last, and
 * never to make room for an event that is itself at fault. Within a kind the oldest go first.
 */
#include "delivery/outbox/quarantine.h"

#include "delivery/outbox/capacity.h"
#include "delivery/outbox/discard.h"

enum {
    ROW_BYTES = 256, /* what a row costs beside its texts, about */
    MAKE_ROOM = 64,  /* rows that one event may push out; upkeep does the rest */
};

/* Stored with each row. Higher kinds are hashes of outcome, schema and rule. */
enum refused_kind {
    KIND_RESOLVED = TALLY_KIND_RESOLVED,
    KIND_REGISTRY,
    KIND_MALFORMED,
    KIND_UNROUTED,
    KIND_EARLIER, /* from a store without kinds */
    KIND_HASHED = 8,
};

static int64_t row_size(const struct job_item *item)
{
    return (int64_t)(item->body.len + item->details.len + item->units.len + item->id.len +
                     item->route.len + item->rule.len + item->reason.len) +
           ROW_BYTES;
}

/* FNV-1a. */
static void hash(uint64_t *to, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        *to = (*to ^ (uint8_t)text.ptr[i]) * UINT64_C(0x100000001b3);
    *to = (*to ^ 0xff) * UINT64_C(0x100000001b3); /* a byte that UTF-8 does not have */
}

static size_t kind_of(const struct job_item *item)
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

/* A row, as the columns of SQL_REFUSED_FIND and _OLDEST. */
struct quarantine_row {
    bool is_there;
    int64_t id;
    int64_t size;
    size_t kind;
    int64_t us; /* SQL_REFUSED_FIND: when it was resolved; SQL_REFUSED_OLDEST: when it came first */
};

/* `numbers` are the columns that were found. */
static bool take_row(enum db_found found, const int64_t *numbers, struct quarantine_row *row)
{
    *row = (struct quarantine_row){ .is_there = found == DB_FOUND,
                                    .id = numbers[0],
                                    .size = numbers[1],
                                    .kind = (size_t)numbers[2] % TALLY_KINDS,
                                    .us = numbers[3] };
    return found != DB_BROKEN;
}

static bool find_item(struct outbox_store *store, const struct job_item *item,
                      struct quarantine_row *row)
{
    struct str identity = { (const char *)item->identity, RECENT_IDENTITY_SIZE };
    int64_t numbers[4] = { 0 };

    return take_row(db_numbers(&store->db, SQL_REFUSED_FIND, numbers, "b", identity), numbers, row);
}

static void count(struct outbox_store *store, int64_t id, size_t kind, int64_t rows, int64_t bytes)
{
    tally_add_refused(&store->tally, id, kind, (struct tally_kind){ rows, bytes });
}

static bool add(struct outbox_store *store, const struct job_item *item)
{
    struct tally *tally = &store->tally;
    struct str identity = { (const char *)item->identity, RECENT_IDENTITY_SIZE };
    int64_t size = row_size(item);
    size_t kind = kind_of(item);

    tally_count_outcome(tally, item->outcome);
    if (size > (int64_t)store->outbox.options.quarantine_max_size) {
        tally->numbers[TALLY_REFUSED_EVICTED]++;
        tally->numbers[TALLY_REFUSED_TOO_LARGE]++;
        return true;
    }
    count(store, INT64_MAX, kind, 1, size);
    return db_run(&store->db, SQL_REFUSED_ADD, "bsssssssiiiisss", identity, item->id,
                  str_from_c(item->outcome), item->details, item->units, item->registry,
                  item->schema, item->version, (int64_t)item->is_registry_kind, store->now_us, size,
                  (int64_t)kind, item->route, item->rule, item->reason) &&
           db_run(&store->db, SQL_REFUSED_BODY_ADD, "b", item->body);
}

static bool add_again(struct outbox_store *store, const struct job_item *item,
                      const struct quarantine_row *row)
{
    size_t kind = kind_of(item);

    count(store, row->id, row->kind, -1, -row->size);
    count(store, row->id, kind, 1, row_size(item));
    return db_run(&store->db, SQL_REFUSED_AGAIN, "issssssiiiisss", row->id,
                  str_from_c(item->outcome), item->details, item->units, item->registry,
                  item->schema, item->version, (int64_t)item->is_registry_kind, store->now_us,
                  row_size(item), (int64_t)kind, item->route, item->rule, item->reason);
}

bool quarantine_add(struct outbox_store *store, const struct job_item *item,
                    struct outbox_result *result)
{
    struct quarantine_row row;
    bool done = false;

    *result =
        (struct outbox_result){ OUTBOX_QUARANTINED, .processed_at_us = item->processed_at_us };
    if (!find_item(store, item, &row))
        return false;
    if (row.is_there)
        return add_again(store, item, &row);
    if (!capacity_can_keep(store, (size_t)row_size(item))) {
        store->turned_away = true;
        *result = (struct outbox_result){ OUTBOX_UNAVAILABLE, .reason = "store full" };
        return true;
    }
    return add(store, item) && quarantine_prune(store, MAKE_ROOM, &done);
}

bool quarantine_resolve(struct outbox_store *store, const struct job_item *item)
{
    struct quarantine_row row = { 0 };

    if (store->tally.numbers[TALLY_REFUSED_ROWS] == 0)
        return true;
    if (!find_item(store, item, &row))
        return false;
    if (!row.is_there || row.us != 0)
        return true;
    count(store, row.id, row.kind, -1, -row.size);
    count(store, row.id, KIND_RESOLVED, 1, row.size);
    return db_run(&store->db, SQL_REFUSED_RESOLVE, "iii", row.id, store->now_us,
                  (int64_t)KIND_RESOLVED);
}

static bool has_too_many(const struct outbox_store *store)
{
    return store->tally.numbers[TALLY_REFUSED_ROWS] > store->outbox.options.quarantine_max_rows;
}

static bool is_too_much(const struct outbox_store *store)
{
    return has_too_many(store) || store->tally.numbers[TALLY_REFUSED_BYTES] >
                                      (int64_t)store->outbox.options.quarantine_max_size;
}

/* The kind to delete a row of. */
static size_t choose_kind(const struct outbox_store *store)
{
    const struct tally_kind *kinds = store->tally.kinds;
    bool by_rows = has_too_many(store);
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

static bool delete_row(struct outbox_store *store, int64_t id)
{
    return db_run(&store->db, SQL_REFUSED_DELETE, "i", id) &&
           db_run(&store->db, SQL_REFUSED_BODY_DELETE, "i", id);
}

/* The row to delete, if one must go. */
static bool find_victim(struct outbox_store *store, struct quarantine_row *row)
{
    int64_t oldest_us = store->trusted_us - store->outbox.options.quarantine_keep_us;
    int64_t numbers[4] = { 0 };
    bool ok;

    if (is_too_much(store)) {
        ok = take_row(db_numbers(&store->db, SQL_REFUSED_OLDEST_OF, numbers, "i",
                                 (int64_t)choose_kind(store)),
                      numbers, row);
        store->tally.numbers[TALLY_REFUSED_CROWDED] += row->is_there && row->kind != KIND_RESOLVED;
        return ok;
    }
    ok = take_row(db_numbers(&store->db, SQL_REFUSED_OLDEST, numbers, ""), numbers, row);
    row->is_there = row->is_there && row->us < oldest_us && store->may_expire;
    return ok;
}

bool quarantine_prune(struct outbox_store *store, int64_t rows, bool *done)
{
    struct quarantine_row row = { .is_there = true };

    for (int64_t i = 0; i < rows && row.is_there; i++) {
        row.is_there = false;
        if (store->tally.numbers[TALLY_REFUSED_ROWS] > 0 && !find_victim(store, &row))
            return false;
        if (!row.is_there)
            break;
        count(store, row.id, row.kind, -1, -row.size);
        store->tally.numbers[TALLY_REFUSED_EVICTED]++;
        if (!delete_row(store, row.id))
            return false;
    }
    *done = !row.is_there;
    return true;
}

/* Discard rows that an operator has looked at. */

static bool discard_refused_row(struct outbox_store *store, int64_t id, bool *is_gone)
{
    int64_t row[2] = { 0 }; /* size, kind */
    enum db_found found = db_numbers(&store->db, SQL_REFUSED_LOOK, row, "i", id);

    if (found != DB_FOUND)
        return found != DB_BROKEN;
    count(store, id, (size_t)row[1] % TALLY_KINDS, -1, -row[0]);
    *is_gone = true;
    return delete_row(store, id);
}

bool outbox_discard_refused(struct outbox *outbox, const int64_t *ids, size_t id_count,
                            size_t *gone, struct error *err)
{
    struct discard order = { .row = discard_refused_row, .ids = ids, .count = id_count };
    bool ok = discard_rows(outbox, &order, err);

    *gone = order.gone;
    return ok;
}
