/*
 * test_view.c - claims about delivery/outbox/view.h: what a store holds, seen from outside.
 */
#include "delivery/outbox/view.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "delivery/outbox/db.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"

/* The event ids that a listing showed, in order. */
struct seen {
    char ids[64];
    size_t stop_after; /* 0: never */
    size_t count;
    struct outbox_refused last; /* its texts are gone */
};

static bool see(void *self, const struct outbox_refused *row)
{
    struct seen *seen = self;
    size_t len = strlen(seen->ids);

    (void)snprintf(seen->ids + len, sizeof(seen->ids) - len, "%.*s", STR_ARG(row->event_id));
    seen->last = *row;
    seen->count++;
    return seen->count != seen->stop_after;
}

static struct outbox_view *open_view(struct store *store)
{
    struct outbox_view *view = NULL;
    struct error err = { 0 };

    CHECK(outbox_view_open(store->path, &view, &err));
    return view;
}

/* a: schema_invalid; b: malformed, without route; c: for the registry; d: resolved. */
static void fill(struct store *store)
{
    struct outbox_event a = store_refusal("a", "{\"a\":1}");
    struct outbox_event b = store_refusal("b", "{\"b\":1}");
    struct outbox_event c = store_refusal("c", "{\"c\":1}");
    struct outbox_event d = store_refusal("d", "{\"d\":1}");

    b.outcome = "malformed";
    b.registry = b.schema = b.version = STR_NONE;
    c.outcome = "schema_not_found";
    c.is_registry_kind = true;
    c.version = STR_NONE;
    (void)store_submit(store, &a);
    (void)store_submit(store, &b);
    (void)store_submit(store, &c);
    (void)store_submit(store, &d);
    d.outcome = NULL;
    d.record = STR("{}");
    (void)store_submit(store, &d);
}

static void finds_the_registrys(struct outbox_view *view)
{
    static const struct {
        const char *registry;
        const char *schema;
        const char *ids;
    } cases[] = { { "Registry", "Schema", "c" },
                  { "Registry", "Other", "" },
                  { "x", "Schema", "" } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct outbox_filter filter = { .registry = cases[i].registry,
                                              .schema = cases[i].schema };
        struct seen seen = { 0 };
        struct error err = { 0 };

        TEST_CASE(cases[i].schema);
        CHECK(outbox_view_registry_kind(view, &filter, see, &seen, &err));
        CHECK_STR(str_from_c(seen.ids), cases[i].ids);
    }
}

static void filters(void)
{
    struct store store;
    int64_t now_us = clock_now_us();
    const struct {
        const char *name;
        struct outbox_filter filter;
        const char *ids;
    } cases[] = {
        { "all that is open", { 0 }, "abc" },
        { "all", { .with_resolved = true }, "abcd" },
        { "outcome", { .outcome = "malformed" }, "b" },
        { "registry", { .registry = "Registry" }, "ac" },
        { "schema", { .schema = "Schema", .with_resolved = true }, "acd" },
        { "version", { .version = "1" }, "a" },
        { "the registry's", { .only_registry_kind = true }, "c" },
        { "limit", { .limit = 2 }, "ab" },
        { "later", { .after_id = 1, .limit = 1 }, "b" },
        { "one", { .id = 3 }, "c" },
        { "none", { .id = 9 }, "" },
        { "no id at all", { .id = -1 }, "" },
        { "from now on", { .from_us = now_us }, "abc" },
        { "until then", { .until_us = now_us }, "" },
    };

    store_init(&store);
    store_open(&store);
    fill(&store);

    struct outbox_view *view = open_view(&store);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct seen seen = { 0 };
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(outbox_view_refused(view, &cases[i].filter, see, &seen, &err));
        CHECK_STR(str_from_c(seen.ids), cases[i].ids);
    }
    finds_the_registrys(view);
    outbox_view_close(view);
    store_done(&store);
}

static bool check_row(void *self, const struct outbox_refused *row)
{
    (void)self;
    CHECK_STR(row->event_id, "a");
    CHECK_STR(row->outcome, "schema_invalid");
    CHECK_STR(row->details, "<integer> is not of type 'string'");
    CHECK_STR(row->units, "[]");
    CHECK_STR(row->registry, "Registry");
    CHECK_STR(row->schema, "Schema");
    CHECK_STR(row->version, "1");
    CHECK_STR(row->body, "{\"a\":1}");
    CHECK_INT(row->attempts, 1);
    CHECK_INT(row->resolved_us, 0);
    CHECK(row->first_us > 0 && row->first_us == row->last_us);
    return true;
}

static void works_with_and_without_a_server(void)
{
    struct store store;
    struct outbox_view *view = NULL;
    struct outbox_counters counters;
    struct seen seen = { .stop_after = 2 };
    struct error err = { 0 };

    store_init(&store);
    CHECK(!outbox_view_open(store.path, &view, &err));
    CHECK_INT(err.code, ERR_NOT_FOUND);
    store_open(&store);
    fill(&store);
    store_close(&store);
    view = open_view(&store);
    CHECK(outbox_view_refused(view, &(struct outbox_filter){ .id = 1 }, check_row, NULL, &err));
    CHECK(outbox_view_refused(view, &(struct outbox_filter){ 0 }, see, &seen, &err));
    CHECK_INT((int64_t)seen.count, 2);
    CHECK(outbox_view_counters(view, &counters, &err));
    CHECK_INT(counters.accepted, 1);
    CHECK_INT(counters.refused_rows, 4);
    store_open(&store); /* a view does not keep a server out */
    CHECK(outbox_view_counters(view, &counters, &err));
    outbox_view_close(view);
    store_done(&store);
}

enum { ROWS = 450, WRITE_AT = 90 }; /* more than two pages; now and then in each */

/* Writes while a visitor looks at a row. */
struct writer {
    struct db db;
    size_t seen;
    bool emptied; /* each time, the log could be moved into the database, and be emptied */
};

static bool write_and_move(struct writer *writer)
{
    struct error err = { 0 };

    if (writer->seen++ % WRITE_AT != 0)
        return true;
    CHECK(db_run(&writer->db, SQL_STATE_WRITE, "si", STR("x"), (int64_t)writer->seen));
    CHECK(db_checkpoint(&writer->db, DB_CHECKPOINT_RESET, &err));
    writer->emptied = writer->emptied && writer->db.frames == 0;
    return true;
}

static bool write_at_refused(void *self, const struct outbox_refused *row)
{
    CHECK(row->body.len > 0);
    return write_and_move(self);
}

static bool write_at_dead(void *self, const struct outbox_dead *row)
{
    CHECK(row->bytes.len > 0);
    return write_and_move(self);
}

/* ROWS refused events and as many dead records. */
static void add_rows(struct db *db)
{
    CHECK(db_run(db, SQL_BEGIN, ""));
    for (int64_t i = 1; i <= ROWS; i++) {
        struct str identity = { (const char *)&i, sizeof(i) };

        CHECK(db_run(db, SQL_REFUSED_ADD, "bsssssssiiii", identity, STR("a"), STR("malformed"),
                     STR("d"), STR("[]"), STR("Registry"), STR("Schema"), STR("1"), (int64_t)1, i,
                     (int64_t)1, (int64_t)1) &&
              db_run(db, SQL_REFUSED_BODY_ADD, "b", STR("{}")));
        CHECK(db_run(db, SQL_RECORD_ADD, "isisssbssi", i, STR("k"), i, STR("r"), STR("s"), STR("1"),
                     STR("{}"), STR("route"), STR_NONE, INT64_C(1)) &&
              db_run(db, SQL_DEAD_ADD, "iiisi", (int64_t)1, i, (int64_t)1, STR("no"), i));
    }
    CHECK(db_run(db, SQL_COMMIT, ""));
}

/* Visitors may be slow: what a listing shows is no longer being read. */
static void shows_rows_that_nobody_reads_any_more(void)
{
    static const char *const sinks[] = { "s" };
    const struct outbox_filter of_registry = { .registry = "Registry", .schema = "Schema" };
    struct store store;
    struct writer writer = { .emptied = true };
    struct error err = { 0 };

    store_init(&store);
    store.options.sinks = sinks;
    store.options.sink_count = 1;
    store_open(&store);
    store_close(&store);
    CHECK(db_open(&writer.db, store.path, DB_WRITE, &err));
    add_rows(&writer.db);

    struct outbox_view *view = open_view(&store);

    CHECK(outbox_view_refused(view, &(struct outbox_filter){ 0 }, write_at_refused, &writer, &err));
    CHECK_INT((int64_t)writer.seen, ROWS);
    CHECK(outbox_view_registry_kind(view, &of_registry, write_at_refused, &writer, &err));
    CHECK_INT((int64_t)writer.seen, 2 * (int64_t)ROWS);
    CHECK(outbox_view_dead(view, &(struct outbox_filter){ .limit = ROWS - 1 }, write_at_dead,
                           &writer, &err));
    CHECK_INT((int64_t)writer.seen, 3 * (int64_t)ROWS - 1);
    CHECK(writer.emptied);
    outbox_view_close(view);
    db_close(&writer.db);
    store_done(&store);
}

int main(void)
{
    RUN(shows_rows_that_nobody_reads_any_more);
    RUN(filters);
    RUN(works_with_and_without_a_server);
    return test_end();
}
