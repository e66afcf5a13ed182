/*
 * outbox_view.c - see outbox_view.h.
 *
 * Each listing is one statement with a bound for every filter, so a reader's snapshot lasts as long
 * as the visitor takes: list in portions (`limit`, `after_id`) where that may be long, or the
 * server's write-ahead log cannot be reset meanwhile.
 */
#include "delivery/outbox_view.h"

#include <unistd.h>

#include "base/memory.h"
#include "delivery/outbox_db.h"
#include "delivery/outbox_tally.h"

struct outbox_view {
    struct outbox_db db;
};

bool outbox_view_open(const char *path, struct outbox_view **out, struct error *err)
{
    struct outbox_view *view;

    if (access(path, F_OK) != 0)
        return fail(err, ERR_CONFIG, "%s: there is no store", path);
    view = mem_alloc(sizeof(*view));
    if (!outbox_db_open(&view->db, path, OUTBOX_READ_ONLY, err)) {
        mem_free(view);
        return false;
    }
    *out = view;
    return true;
}

void outbox_view_close(struct outbox_view *view)
{
    if (!view)
        return;
    outbox_db_close(&view->db);
    mem_free(view);
}

static struct outbox_refused refused_row(struct outbox_db *db, enum outbox_statement from)
{
    return (struct outbox_refused){
        .id = outbox_db_int(db, from, 0),
        .event_id = outbox_db_text(db, from, 1),
        .outcome = outbox_db_text(db, from, 2),
        .details = outbox_db_text(db, from, 3),
        .units = outbox_db_text(db, from, 4),
        .registry = outbox_db_text(db, from, 5),
        .schema = outbox_db_text(db, from, 6),
        .version = outbox_db_text(db, from, 7),
        .is_registry_kind = outbox_db_int(db, from, 8) != 0,
        .first_us = outbox_db_int(db, from, 9),
        .last_us = outbox_db_int(db, from, 10),
        .attempts = outbox_db_int(db, from, 11),
        .resolved_us = outbox_db_int(db, from, 12),
        .body = outbox_db_text(db, from, 13),
    };
}

static struct outbox_dead dead_row(struct outbox_db *db)
{
    const enum outbox_statement from = SQL_VIEW_DEAD;

    return (struct outbox_dead){
        .id = outbox_db_int(db, from, 0),
        .sink = outbox_db_text(db, from, 1),
        .dead_us = outbox_db_int(db, from, 2),
        .attempts = outbox_db_int(db, from, 3),
        .reason = outbox_db_text(db, from, 4),
        .seq = outbox_db_int(db, from, 5),
        .key = outbox_db_text(db, from, 6),
        .accepted_us = outbox_db_int(db, from, 7),
        .registry = outbox_db_text(db, from, 8),
        .schema = outbox_db_text(db, from, 9),
        .version = outbox_db_text(db, from, 10),
        .bytes = outbox_db_text(db, from, 11),
    };
}

static int64_t or_all(int64_t bound)
{
    return bound > 0 ? bound : INT64_MAX;
}

static int64_t first_id(const struct outbox_filter *filter)
{
    return filter->id ? filter->id : filter->after_id + 1;
}

static int64_t last_id(const struct outbox_filter *filter)
{
    return filter->id ? filter->id : INT64_MAX;
}

/* `found` is the statement's first step. */
static bool show_refused(struct outbox_view *view, enum outbox_statement from,
                         enum outbox_found found, outbox_visit_refused *visit, void *self)
{
    while (found == OUTBOX_FOUND) {
        struct outbox_refused row = refused_row(&view->db, from);

        found = visit(self, &row) ? outbox_db_next(&view->db, from) : OUTBOX_NONE;
    }
    outbox_db_reset(&view->db, from);
    return found == OUTBOX_NONE;
}

bool outbox_view_refused(struct outbox_view *view, const struct outbox_filter *filter,
                         outbox_visit_refused *visit, void *self, struct error *err)
{
    enum outbox_found found = outbox_db_find(
        &view->db, SQL_VIEW_REFUSED, "iiiissssiii", first_id(filter), last_id(filter),
        filter->from_us, or_all(filter->until_us), str_from_c(filter->outcome),
        str_from_c(filter->registry), str_from_c(filter->schema), str_from_c(filter->version),
        (int64_t)filter->with_resolved, (int64_t)filter->only_registry_kind,
        or_all((int64_t)filter->limit));

    return show_refused(view, SQL_VIEW_REFUSED, found, visit, self) ||
           outbox_db_fail(&view->db, "store", err);
}

bool outbox_view_registry_kind(struct outbox_view *view, const struct outbox_filter *filter,
                               outbox_visit_refused *visit, void *self, struct error *err)
{
    enum outbox_found found =
        outbox_db_find(&view->db, SQL_VIEW_REGISTRY, "ssi", str_from_c(filter->registry),
                       str_from_c(filter->schema), or_all((int64_t)filter->limit));

    return show_refused(view, SQL_VIEW_REGISTRY, found, visit, self) ||
           outbox_db_fail(&view->db, "store", err);
}

bool outbox_view_dead(struct outbox_view *view, const struct outbox_filter *filter,
                      outbox_visit_dead *visit, void *self, struct error *err)
{
    struct outbox_db *db = &view->db;
    enum outbox_found found = outbox_db_find(
        db, SQL_VIEW_DEAD, "iiiissssi", first_id(filter), last_id(filter), filter->from_us,
        or_all(filter->until_us), str_from_c(filter->sink), str_from_c(filter->registry),
        str_from_c(filter->schema), str_from_c(filter->version), or_all((int64_t)filter->limit));

    while (found == OUTBOX_FOUND) {
        struct outbox_dead row = dead_row(db);

        found = visit(self, &row) ? outbox_db_next(db, SQL_VIEW_DEAD) : OUTBOX_NONE;
    }
    outbox_db_reset(db, SQL_VIEW_DEAD);
    return found == OUTBOX_NONE || outbox_db_fail(db, "store", err);
}

/* The time in the first row of the statement for `key`; INT64_MAX when it has no row. */
static bool find_time(struct outbox_db *db, enum outbox_statement statement, int64_t key,
                      int64_t *out)
{
    enum outbox_found found = outbox_db_find(db, statement, "i", key);

    *out = found == OUTBOX_FOUND ? outbox_db_int(db, statement, 0) : INT64_MAX;
    outbox_db_reset(db, statement);
    return found != OUTBOX_BROKEN;
}

/* When the oldest pending record of each sink was accepted; tally_show() keeps their order. */
static bool find_oldest(struct outbox_db *db, const struct tally *tally,
                        struct outbox_counters *out)
{
    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];
        bool reads_records = sink->configured || sink->cursor < sink->until;
        int64_t record_us = INT64_MAX;
        int64_t retry_us;

        if (tally_pending(sink) == 0)
            continue;
        if (!find_time(db, SQL_RETRY_OLDEST, sink->id, &retry_us) ||
            (reads_records && !find_time(db, SQL_RECORD_TIME, sink->cursor, &record_us)))
            return false;
        if (record_us < retry_us)
            retry_us = record_us;
        out->sinks[i].oldest_us = retry_us == INT64_MAX ? 0 : retry_us;
    }
    return true;
}

bool outbox_view_counters(struct outbox_view *view, struct outbox_counters *out, struct error *err)
{
    struct tally *tally = mem_alloc(sizeof(*tally));
    bool ok = outbox_db_run(&view->db, SQL_BEGIN_READING, "") && tally_read(&view->db, tally);

    *out = (struct outbox_counters){ 0 };
    if (ok) {
        tally_show(tally, out);
        ok = find_oldest(&view->db, tally, out) && outbox_db_run(&view->db, SQL_COMMIT, "");
    }
    if (!ok)
        (void)outbox_db_fail(&view->db, "store", err);
    mem_free(tally);
    return ok;
}
