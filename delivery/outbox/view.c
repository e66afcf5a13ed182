/*
 * view.c - see view.h.
 *
 * A page is one statement with a bound for every filter. It ends before any row is shown.
 */
#include "delivery/outbox/view.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/memory.h"
#include "delivery/outbox/db.h"
#include "delivery/outbox/tally.h"

enum {
    PAGE_ROWS = 200,
    PAGE_BYTES = 1024 * 1024, /* of bodies, about */
};

union row {
    struct outbox_refused refused;
    struct outbox_group group;
    struct outbox_dead dead;
};

struct listing;

/** How rows of a listing are read and shown. */
struct kind {
    enum sql from;
    int body; /* its column */
    void (*copy)(struct outbox_view *view, enum sql from, union row *row);
    int64_t (*id)(const union row *row);
    bool (*show)(const struct listing *listing, const union row *row);
};

struct outbox_view {
    struct db db;
    struct arena *arena; /* of the page's rows */
    union row rows[PAGE_ROWS];
    size_t count;
};

/** One call of a listing. */
struct listing {
    const struct kind *kind;
    struct outbox_filter filter; /* of the next page */
    union {
        outbox_visit_refused *refused;
        outbox_visit_group *group;
        outbox_visit_dead *dead;
    } visit;
    void *self;
};

bool outbox_view_open(const char *path, struct outbox_view **out, struct error *err)
{
    struct outbox_view *view;

    if (access(path, F_OK) != 0)
        return fail(err, ERR_NOT_FOUND, "%s: there is no store", path);
    view = mem_alloc(sizeof(*view));
    if (!db_open(&view->db, path, DB_READ, err)) {
        mem_free(view);
        return false;
    }
    view->arena = arena_create();
    *out = view;
    return true;
}

void outbox_view_close(struct outbox_view *view)
{
    if (!view)
        return;
    db_close(&view->db);
    arena_destroy(view->arena);
    mem_free(view);
}

/* A column's text, in the arena; ptr NULL if it is NULL. */
static struct str view_copy_text(struct outbox_view *view, enum sql from, int column)
{
    struct str text = db_text(&view->db, from, column);

    return text.ptr ? arena_copy(view->arena, text) : STR_NONE;
}

static void copy_refused(struct outbox_view *view, enum sql from, union row *row)
{
    row->refused = (struct outbox_refused){
        .id = db_int(&view->db, from, 0),
        .event_id = view_copy_text(view, from, 1),
        .outcome = view_copy_text(view, from, 2),
        .details = view_copy_text(view, from, 3),
        .units = view_copy_text(view, from, 4),
        .registry = view_copy_text(view, from, 5),
        .schema = view_copy_text(view, from, 6),
        .version = view_copy_text(view, from, 7),
        .is_registry_kind = db_int(&view->db, from, 8) != 0,
        .first_us = db_int(&view->db, from, 9),
        .last_us = db_int(&view->db, from, 10),
        .attempts = db_int(&view->db, from, 11),
        .resolved_us = db_int(&view->db, from, 12),
        .body = view_copy_text(view, from, 13),
        .route = view_copy_text(view, from, 14),
        .rule = view_copy_text(view, from, 15),
        .reason = view_copy_text(view, from, 16),
    };
}

static void copy_dead(struct outbox_view *view, enum sql from, union row *row)
{
    row->dead = (struct outbox_dead){
        .id = db_int(&view->db, from, 0),
        .sink = view_copy_text(view, from, 1),
        .dead_us = db_int(&view->db, from, 2),
        .attempts = db_int(&view->db, from, 3),
        .reason = view_copy_text(view, from, 4),
        .seq = db_int(&view->db, from, 5),
        .key = view_copy_text(view, from, 6),
        .accepted_us = db_int(&view->db, from, 7),
        .registry = view_copy_text(view, from, 8),
        .schema = view_copy_text(view, from, 9),
        .version = view_copy_text(view, from, 10),
        .bytes = view_copy_text(view, from, 11),
        .route = view_copy_text(view, from, 12),
        .origin = view_copy_text(view, from, 13),
        .said = view_copy_text(view, from, 14),
    };
}

static void copy_group(struct outbox_view *view, enum sql from, union row *row)
{
    row->group = (struct outbox_group){
        .route = view_copy_text(view, from, 0),
        .outcome = view_copy_text(view, from, 1),
        .rule = view_copy_text(view, from, 2),
        .count = db_int(&view->db, from, 3),
        .example = db_int(&view->db, from, 4),
        .first_us = db_int(&view->db, from, 5),
        .last_us = db_int(&view->db, from, 6),
    };
}

static int64_t refused_id(const union row *row)
{
    return row->refused.id;
}

static int64_t dead_id(const union row *row)
{
    return row->dead.id;
}

static bool show_refused(const struct listing *listing, const union row *row)
{
    return listing->visit.refused(listing->self, &row->refused);
}

static int64_t group_id(const union row *row)
{
    return row->group.example;
}

static bool show_group(const struct listing *listing, const union row *row)
{
    return listing->visit.group(listing->self, &row->group);
}

static bool show_dead(const struct listing *listing, const union row *row)
{
    return listing->visit.dead(listing->self, &row->dead);
}

static const struct kind refused_kind = { SQL_VIEW_REFUSED, 13, copy_refused, refused_id,
                                          show_refused };
static const struct kind registry_kind = { SQL_VIEW_REGISTRY, 13, copy_refused, refused_id,
                                           show_refused };
static const struct kind refused_down = { SQL_VIEW_REFUSED_DOWN, 13, copy_refused, refused_id,
                                          show_refused };
static const struct kind dead_kind = { SQL_VIEW_DEAD, 11, copy_dead, dead_id, show_dead };
static const struct kind dead_down = { SQL_VIEW_DEAD_DOWN, 11, copy_dead, dead_id, show_dead };
static const struct kind group_kind = { SQL_VIEW_GROUPS, 2, copy_group, group_id, show_group };

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
    if (filter->id)
        return filter->id;
    return filter->before_id ? filter->before_id - 1 : INT64_MAX;
}

/* The first row of the next page, at most `rows` of them. */
static enum db_found find_page(struct outbox_view *view, const struct listing *listing,
                               int64_t rows)
{
    const struct outbox_filter *filter = &listing->filter;
    struct str registry = str_from_c(filter->registry);
    struct str schema = str_from_c(filter->schema);
    struct str version = str_from_c(filter->version);

    switch (listing->kind->from) {
    case SQL_VIEW_REGISTRY:
        return db_find(&view->db, SQL_VIEW_REGISTRY, "ssii", registry, schema, filter->after_id,
                       rows);
    case SQL_VIEW_DEAD:
    case SQL_VIEW_DEAD_DOWN:
        return db_find(&view->db, listing->kind->from, "iiiissssssi", first_id(filter),
                       last_id(filter), filter->from_us, or_all(filter->until_us),
                       str_from_c(filter->sink), registry, schema, version,
                       str_from_c(filter->event_id), str_from_c(filter->route), rows);
    default:
        return db_find(&view->db, listing->kind->from, "iiiissssiisssi", first_id(filter),
                       last_id(filter), filter->from_us, or_all(filter->until_us),
                       str_from_c(filter->outcome), registry, schema, version,
                       (int64_t)filter->with_resolved, (int64_t)filter->only_registry_kind,
                       str_from_c(filter->event_id), str_from_c(filter->route),
                       str_from_c(filter->rule), rows);
    }
}

/* Copy the next page; `*last`: there is none after it. */
static bool read_page(struct outbox_view *view, const struct listing *listing, bool *last)
{
    const struct kind *kind = listing->kind;
    size_t limit = listing->filter.limit;
    size_t most = limit && limit < PAGE_ROWS ? limit : PAGE_ROWS;
    size_t bytes = 0;
    enum db_found found = find_page(view, listing, (int64_t)most);

    arena_reset(view->arena);
    view->count = 0;
    while (found == DB_FOUND && bytes < PAGE_BYTES) {
        bytes += db_text(&view->db, kind->from, kind->body).len;
        kind->copy(view, kind->from, &view->rows[view->count++]);
        found = db_next(&view->db, kind->from);
    }
    db_reset(&view->db, kind->from);
    *last = found == DB_NONE && (view->count < most || view->count == limit);
    return found != DB_BROKEN;
}

static void go_on_behind(struct outbox_filter *filter, int64_t id)
{
    if (filter->newest_first)
        filter->before_id = id;
    else
        filter->after_id = id;
}

static bool list(struct outbox_view *view, struct listing listing, struct error *err)
{
    bool last = false;

    while (!last) {
        if (!read_page(view, &listing, &last))
            return db_fail(&view->db, "store", err);
        for (size_t i = 0; i < view->count; i++)
            if (!listing.kind->show(&listing, &view->rows[i]))
                return true;
        if (view->count > 0)
            go_on_behind(&listing.filter, listing.kind->id(&view->rows[view->count - 1]));
        if (listing.filter.limit)
            listing.filter.limit -= view->count;
        last = last || listing.filter.id;
    }
    return true;
}

bool outbox_view_refused(struct outbox_view *view, const struct outbox_filter *filter,
                         outbox_visit_refused *visit, void *self, struct error *err)
{
    const struct kind *kind = filter->newest_first ? &refused_down : &refused_kind;

    return list(view, (struct listing){ kind, *filter, { .refused = visit }, self }, err);
}

bool outbox_view_registry_kind(struct outbox_view *view, const struct outbox_filter *filter,
                               outbox_visit_refused *visit, void *self, struct error *err)
{
    return list(view, (struct listing){ &registry_kind, *filter, { .refused = visit }, self }, err);
}

bool outbox_view_dead(struct outbox_view *view, const struct outbox_filter *filter,
                      outbox_visit_dead *visit, void *self, struct error *err)
{
    const struct kind *kind = filter->newest_first ? &dead_down : &dead_kind;

    return list(view, (struct listing){ kind, *filter, { .dead = visit }, self }, err);
}

/* One page, whose statement has ended before a group is shown. */
bool outbox_view_groups(struct outbox_view *view, const struct outbox_filter *filter,
                        outbox_visit_group *visit, void *self, struct error *err)
{
    struct listing listing = { &group_kind, *filter, { .group = visit }, self };
    bool last;

    if (!read_page(view, &listing, &last))
        return db_fail(&view->db, "store", err);
    for (size_t i = 0; i < view->count; i++)
        if (!listing.kind->show(&listing, &view->rows[i]))
            break;
    return true;
}

/* When the sink's first retry, or its first record behind the cursor, was accepted; INT64_MAX: it
 * has none. */
static bool find_time(struct db *db, enum sql statement, const struct tally_sink *sink,
                      int64_t *out)
{
    enum db_found found =
        statement == SQL_RETRY_OLDEST
            ? db_numbers(db, SQL_RETRY_OLDEST, out, "i", sink->id)
            : db_numbers(db, SQL_RECORD_TIME, out, "ii", sink->cursor, tally_mask(sink));

    if (found == DB_NONE)
        *out = INT64_MAX;
    return found != DB_BROKEN;
}

/* Set when the oldest pending record of each sink was accepted. Sinks are in the tally's order. */
static bool view_find_oldest(struct db *db, const struct tally *tally, struct outbox_counters *out)
{
    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];
        bool reads_records = sink->configured || sink->cursor < sink->until;
        int64_t record_us = INT64_MAX;
        int64_t retry_us;

        if (sink->pending == 0)
            continue;
        if (!find_time(db, SQL_RETRY_OLDEST, sink, &retry_us) ||
            (reads_records && !find_time(db, SQL_RECORD_TIME, sink, &record_us)))
            return false;
        if (record_us < retry_us)
            retry_us = record_us;
        out->sinks[i].oldest_us = retry_us == INT64_MAX ? 0 : retry_us;
    }
    return true;
}

/* Set the failed record that an ordered sink waits for. */
static bool find_blocked(struct db *db, const struct tally *tally, struct outbox_counters *out)
{
    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];
        enum db_found found;

        if (!sink->configured || sink->head_next_us == 0)
            continue;
        found = db_find(db, SQL_RECORDS_AFTER, "iii", sink->cursor, INT64_C(1), tally_mask(sink));
        if (found == DB_FOUND) {
            out->sinks[i].blocked_seq = db_int(db, SQL_RECORDS_AFTER, 0);
            (void)snprintf(out->sinks[i].blocked_key, OUTBOX_KEY_SIZE, "%.*s",
                           STR_ARG(db_text(db, SQL_RECORDS_AFTER, 1)));
        }
        db_reset(db, SQL_RECORDS_AFTER);
        if (found == DB_BROKEN)
            return false;
    }
    return true;
}

bool outbox_view_counters(struct outbox_view *view, struct outbox_counters *out, struct error *err)
{
    struct tally *tally = mem_alloc(sizeof(*tally));
    bool ok = db_run(&view->db, SQL_BEGIN_READING, "") && tally_read(&view->db, tally);

    *out = (struct outbox_counters){ 0 };
    if (ok) {
        tally_show(tally, out);
        ok = view_find_oldest(&view->db, tally, out) && find_blocked(&view->db, tally, out) &&
             db_run(&view->db, SQL_COMMIT, "");
    }
    if (!ok)
        (void)db_fail(&view->db, "store", err);
    mem_free(tally);
    return ok;
}
