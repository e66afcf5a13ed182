/*
 * test_seen_filter.c - claims about delivery/outbox/seen_filter.h: it never denies a row that is
 * there, and denies most others.
 */
#include "delivery/outbox/seen_filter.h"

#include "tests/unit/test.h"

enum { FIRST_BUCKET = 1000000, A_SECOND = 20000 /* rows of one bucket */ };

/* Looks like a hash of the n-th id. */
static int64_t id_hash(int64_t n)
{
    uint64_t hash = (uint64_t)n + 1;

    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (int64_t)(hash ^ hash >> 33);
}

static int64_t bucket(int64_t n)
{
    return FIRST_BUCKET + 1 + n / A_SECOND;
}

static void add(struct seen_filter *filter, int64_t from, int64_t to)
{
    for (int64_t n = from; n < to; n++)
        seen_filter_add(filter, bucket(n), id_hash(n));
}

/* For how many of these rows does it say "maybe"? */
static int64_t count_maybe(const struct seen_filter *filter, int64_t from, int64_t to)
{
    int64_t count = 0;

    for (int64_t n = from; n < to; n++)
        count += seen_filter_may_have(filter, bucket(n), id_hash(n));
    return count;
}

static void never_denies_a_row(void)
{
    const int64_t many = 10 * (int64_t)SEEN_FILTER_ROWS;
    struct seen_filter filter = { 0 };

    seen_filter_reset(&filter, FIRST_BUCKET);
    for (int64_t n = 0; n < many; n += A_SECOND) {
        add(&filter, n, n + A_SECOND);
        CHECK_INT(count_maybe(&filter, 0, n + A_SECOND), n + A_SECOND);
    }
    CHECK(seen_filter_may_have(&filter, FIRST_BUCKET, 1)); /* it does not know these */
    CHECK(seen_filter_may_have(&filter, INT64_MIN, 1));
    seen_filter_done(&filter);
}

static void denies_most_other_rows(void)
{
    const int64_t many = 10 * (int64_t)SEEN_FILTER_ROWS;
    struct seen_filter filter = { 0 };

    seen_filter_reset(&filter, FIRST_BUCKET);
    CHECK_INT(count_maybe(&filter, 0, 1000), 0);
    for (int64_t n = 0; n < many; n += A_SECOND) {
        add(&filter, n, n + A_SECOND / 2); /* the rest of the second is new */
        CHECK(count_maybe(&filter, n + A_SECOND / 2, n + A_SECOND) < A_SECOND / 2 / 20);
    }
    seen_filter_done(&filter);
}

static void forgets_all_at_a_reset(void)
{
    struct seen_filter filter = { 0 };

    seen_filter_reset(&filter, FIRST_BUCKET);
    add(&filter, 0, 2 * (int64_t)SEEN_FILTER_ROWS);
    seen_filter_reset(&filter, FIRST_BUCKET);
    CHECK_INT(count_maybe(&filter, 0, 2 * (int64_t)SEEN_FILTER_ROWS), 0);
    CHECK(seen_filter_may_have(&filter, FIRST_BUCKET, id_hash(0)));
    seen_filter_done(&filter);
}

int main(void)
{
    RUN(never_denies_a_row);
    RUN(denies_most_other_rows);
    RUN(forgets_all_at_a_reset);
    return test_end();
}
