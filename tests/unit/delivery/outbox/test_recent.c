/*
 * test_recent.c - claims about delivery/outbox/recent.h: nothing is forgotten on the way.
 */
#include "delivery/outbox/recent.h"

#include <assert.h>
#include <string.h>

#include "tests/unit/folder.h"
#include "tests/unit/test.h"

enum { PORTION = 100, MAX_ROWS = 4 * PORTION, MANY = 7 * PORTION };

static struct folder folder;
static struct db db;
static struct recent recent;

static void begin(void)
{
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };

    folder_init(&folder);
    folder_path(&folder, "store.db", path);
    folder_write(&folder, "store.db", STR(""));

    bool ok = db_open(&db, path, DB_WRITE, &err);

    assert(ok);
    recent_init(&recent, MAX_ROWS);
    CHECK(recent_load(&recent, &db));
}

static void end(void)
{
    recent_done(&recent);
    db_close(&db);
    folder_done(&folder);
}

/* The n-th event; they come in no order. */
static struct recent_event event(int64_t n)
{
    struct recent_event made = { .bucket = 1000000 + n % 3,
                                 .id_hash = (n * INT64_C(7919)) % INT64_C(104729) - 50000,
                                 .processed_us = n + 1 };

    memcpy(made.identity, &n, sizeof(n));
    return made;
}

static void add(int64_t from, int64_t to)
{
    for (int64_t n = from; n < to; n++) {
        struct recent_event made = event(n);

        recent_add(&recent, &made);
    }
    CHECK(recent_flush(&recent, &db));
}

static bool is_in_table(const struct recent_event *wanted)
{
    struct str identity = { (const char *)wanted->identity, sizeof(wanted->identity) };
    enum db_found found =
        db_find(&db, SQL_SEEN_EXACT, "iib", wanted->bucket, wanted->id_hash, identity);
    bool is_there = found == DB_FOUND && db_int(&db, SQL_SEEN_EXACT, 0) == wanted->processed_us;

    db_reset(&db, SQL_SEEN_EXACT);
    return is_there;
}

static bool is_recent(const struct recent_event *wanted)
{
    int64_t processed_us = 0;

    return recent_find(&recent, wanted, &processed_us) == RECENT_SAME &&
           processed_us == wanted->processed_us;
}

/* How many of the first `count` are where they should be found. */
static int64_t count_known(int64_t count, bool (*is_known)(const struct recent_event *wanted))
{
    int64_t known = 0;

    for (int64_t n = 0; n < count; n++) {
        struct recent_event wanted = event(n);

        known += is_known(&wanted);
    }
    return known;
}

static bool is_anywhere(const struct recent_event *wanted)
{
    return is_recent(wanted) || is_in_table(wanted);
}

static void finds_what_was_added(void)
{
    struct recent_event wanted = event(5);
    int64_t processed_us = 0;

    begin();
    CHECK_INT(recent_find(&recent, &wanted, &processed_us), RECENT_NONE);
    add(0, 10);
    CHECK_INT(recent_find(&recent, &wanted, &processed_us), RECENT_SAME);
    CHECK_INT(processed_us, 6);
    wanted.identity[15] = 1;
    CHECK_INT(recent_find(&recent, &wanted, &processed_us), RECENT_OTHER);
    CHECK_INT(processed_us, 6);
    wanted.bucket += 3;
    CHECK_INT(recent_find(&recent, &wanted, &processed_us), RECENT_ELSEWHERE);
    wanted.identity[15] = 0;
    CHECK_INT(recent_find(&recent, &wanted, &processed_us), RECENT_NONE);
    wanted.id_hash++;
    CHECK_INT(recent_find(&recent, &wanted, &processed_us), RECENT_NONE);
    end();
}

static void takes_them_over_in_portions(void)
{
    begin();
    add(0, PORTION - 1);
    CHECK(recent_move(&recent, &db, 1000));
    CHECK_INT(count_known(PORTION, is_in_table), 0); /* not enough yet */
    add(PORTION - 1, PORTION);
    CHECK(recent_move(&recent, &db, 30));
    CHECK_INT(count_known(PORTION, is_in_table), 30);
    CHECK_INT(count_known(PORTION, is_recent), PORTION);
    add(PORTION, PORTION + 10); /* while the others move */
    CHECK_INT(count_known(PORTION + 10, is_anywhere), PORTION + 10);
    CHECK(recent_move(&recent, &db, 1000));
    CHECK_INT(count_known(PORTION + 10, is_in_table), PORTION);
    CHECK_INT(count_known(PORTION + 10, is_recent), 10);
    CHECK_INT(count_known(PORTION + 10, is_anywhere), PORTION + 10);
    end();
}

static void survives_at_every_point(void)
{
    begin();
    for (int64_t n = 0; n < MANY; n++) {
        add(n, n + 1);
        CHECK(recent_move(&recent, &db, 3));
        if (n % 13 == 0)
            CHECK(recent_load(&recent, &db)); /* as after a restart */
        if (n % 50 == 0)
            CHECK_INT(count_known(n + 1, is_anywhere), n + 1);
    }
    CHECK_INT(count_known(MANY, is_anywhere), MANY);
    end();
}

/* Rows that were there are merged; those up to the mark of a recount are counted apart. */
static void counts_what_it_moves(void)
{
    struct recent_event same = event(7);
    struct recent_event *sorted;

    begin();
    add(0, PORTION);
    CHECK(recent_move(&recent, &db, 1000));
    add(0, 10); /* again: they are in the table */
    add(PORTION, 2 * PORTION - 10);
    recent.below_mark = 0;
    CHECK(recent_move(&recent, &db, 0)); /* sorts */
    sorted = recent.moving.events;
    recent.mark = sorted[PORTION / 2];

    int64_t below = 0;

    for (int64_t n = PORTION; n < 2 * PORTION - 10; n++) {
        struct recent_event added = event(n);

        below += recent_compare(&added, &recent.mark) <= 0;
    }
    CHECK(recent_move(&recent, &db, 1000));
    CHECK_INT(recent.merged, 10);
    CHECK_INT(recent.below_mark, below);
    CHECK(is_in_table(&same));
    CHECK_INT(count_known(2 * PORTION - 10, is_in_table), 2 * PORTION - 10);
    end();
}

static bool may_be_moved(const struct recent_event *wanted)
{
    return recent_may_be_moved(&recent, wanted);
}

static void knows_what_cannot_be_in_the_table(void)
{
    struct recent_event later = event(0);

    later.bucket += 3;
    begin();
    CHECK(!may_be_moved(&later));
    add(0, PORTION);
    CHECK_INT(count_known(PORTION, may_be_moved), 0);
    CHECK(recent_move(&recent, &db, 1000));
    CHECK_INT(count_known(PORTION, may_be_moved), PORTION);
    CHECK(!may_be_moved(&later));
    CHECK(recent_load(&recent, &db));
    CHECK_INT(count_known(PORTION, may_be_moved), PORTION);
    CHECK(!may_be_moved(&later));
    end();
}

/* What was taken over and pruned does not come back after a restart. */
static void goes_on_where_it_was(void)
{
    begin();
    add(0, PORTION);
    CHECK(recent_move(&recent, &db, 30));
    CHECK(db_run(&db, SQL_SEEN_DELETE_BELOW, "iiib", INT64_C(0), INT64_MAX, INT64_C(0), STR("")));
    CHECK(recent_load(&recent, &db));
    CHECK(recent_move(&recent, &db, 1000));
    CHECK_INT(count_known(PORTION, is_in_table), PORTION - 30);
    CHECK_INT(recent.merged, 0);
    end();
}

static void knows_the_first_content_of_an_id(void)
{
    struct recent_event first = event(1);
    struct recent_event second = event(1);

    second.identity[15] = 1;
    recent_init(&recent, MAX_ROWS);
    CHECK(recent_is_first(&recent, &first));
    CHECK(!recent_is_first(&recent, &second));
    for (int64_t n = 2; n < PORTION; n++) {
        struct recent_event other = event(n);

        CHECK(recent_is_first(&recent, &other));
    }
    CHECK(recent_is_first(&recent, &first));
    CHECK(!recent_is_first(&recent, &second));
    for (int64_t n = PORTION; n < MANY; n++) {
        struct recent_event other = event(n);

        CHECK(recent_is_first(&recent, &other));
    }
    CHECK(recent_is_first(&recent, &second)); /* the other one is forgotten */
    CHECK((int64_t)(recent.filling.count + recent.moving.count) <= 2 * (int64_t)PORTION);
    recent_done(&recent);
}

static void undoes_what_failed(void)
{
    begin();
    add(0, PORTION);
    CHECK(db_run(&db, SQL_BEGIN, ""));
    add(PORTION, PORTION + 5);
    CHECK(recent_move(&recent, &db, 1000));
    CHECK(db_run(&db, SQL_ROLLBACK, ""));
    CHECK(recent_load(&recent, &db));
    CHECK_INT(count_known(PORTION, is_recent), PORTION);
    CHECK_INT(count_known(PORTION + 5, is_anywhere), PORTION);
    add(PORTION, PORTION + 5);
    CHECK_INT(count_known(PORTION + 5, is_anywhere), PORTION + 5);
    end();
}

int main(void)
{
    RUN(finds_what_was_added);
    RUN(takes_them_over_in_portions);
    RUN(survives_at_every_point);
    RUN(counts_what_it_moves);
    RUN(knows_what_cannot_be_in_the_table);
    RUN(goes_on_where_it_was);
    RUN(knows_the_first_content_of_an_id);
    RUN(undoes_what_failed);
    return test_end();
}
