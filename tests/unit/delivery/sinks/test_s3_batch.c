/*
 * test_s3_batch.c - delivery/sinks/s3_batch.h.
 */
#include "delivery/sinks/s3_batch.h"

#include <assert.h>

#include "base/attr.h"
#include "tests/unit/test.h"

enum { MOST = 300 };

struct sorted {
    struct arena *arena;
    struct sink_record records[MOST];
    struct sink_outcome outcomes[MOST];
    struct s3_groups *groups;
};

/* Sort `count` records `{"p":"TEXT"}` with sequences 10, 20, ...; NULL: no such member. */
static void sort(struct sorted *sorted, const char *const *texts, size_t count,
                 const struct s3_covered *covered, size_t covered_count)
{
    const struct s3_prefix *prefix;
    struct error err;

    *sorted = (struct sorted){ .arena = arena_create() };
    assert(count <= MOST);
    for (size_t i = 0; i < count; i++)
        sorted->records[i] = (struct sink_record){
            .sequence = (int64_t)(10 * (i + 1)),
            .bytes = texts[i] ? arena_printf(sorted->arena, "{\"p\":\"%s\"}", texts[i]) : STR("{}"),
        };
    assert(s3_prefix_compile(STR("{/p}/"), STR(""), sorted->arena, &prefix, &err));
    sorted->groups = s3_batch_sort(
        &(struct s3_sorting){
            .batch = &(struct sink_batch){ .records = sorted->records,
                                           .count = count,
                                           .arena = sorted->arena },
            .prefix = prefix,
            .covered = covered,
            .covered_count = covered_count,
        },
        sorted->outcomes);
}

static void check_group(const struct sorted *sorted, size_t at, const char *prefix,
                        const char *sequences)
{
    const struct s3_group *group = &sorted->groups->list[at];
    struct buf *text = arena_buf(sorted->arena, 10000);

    for (size_t i = 0; i < group->lines.count; i++)
        buf_printf(text, "%lld ", (long long)group->lines.records[i]->sequence);
    CHECK_STR(group->prefix, prefix);
    CHECK_STR(buf_str(text), sequences);
}

static void records_of_one_prefix_are_together_and_in_order(void)
{
    static const char *const texts[] = { "a", "b", "a", "a", "c", "b" };
    struct sorted sorted;

    sort(&sorted, texts, COUNT_OF(texts), NULL, 0);
    CHECK_INT((int64_t)sorted.groups->count, 3);
    CHECK_INT((int64_t)sorted.groups->taken, 6);
    check_group(&sorted, 0, "a/", "10 30 40 ");
    check_group(&sorted, 1, "b/", "20 60 ");
    check_group(&sorted, 2, "c/", "50 ");
    arena_destroy(sorted.arena);
}

static void a_record_without_prefix_is_impossible_alone(void)
{
    static const char *const texts[] = { "a", NULL, "a" };
    struct sorted sorted;

    sort(&sorted, texts, COUNT_OF(texts), NULL, 0);
    check_group(&sorted, 0, "a/", "10 30 ");
    CHECK_INT(sorted.outcomes[1].result, SINK_IMPOSSIBLE);
    CHECK_STR(str_from_c(sorted.outcomes[1].reason),
              "the prefix of its object: the record has no text at /p");
    CHECK_INT(sorted.outcomes[0].result, SINK_POSTPONED);
    arena_destroy(sorted.arena);
}

static void what_is_in_an_object_is_left_out(void)
{
    static const char *const texts[] = { "a", "b", "a", "b", "a" };
    static const struct s3_covered covered[] = { { STR_INIT("b/"), 40, INT64_MIN },
                                                 { STR_INIT("a/"), 30, 33 } };
    struct sorted sorted;

    sort(&sorted, texts, COUNT_OF(texts), covered, COUNT_OF(covered));
    CHECK_INT((int64_t)sorted.groups->count, 2);
    check_group(&sorted, 0, "a/", "50 ");
    check_group(&sorted, 1, "b/", "");
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        CHECK_INT(sorted.outcomes[i].result, i < 4 ? SINK_DELIVERED : SINK_POSTPONED);
    arena_destroy(sorted.arena);
}

/* The next batch begins where this one ends: at the first record with one prefix too many. */
static void a_batch_has_a_hundred_prefixes(void)
{
    char names[MOST][8];
    const char *texts[MOST];
    struct sorted sorted;

    for (size_t i = 0; i < 250; i++) {
        names[i][0] = (char)('a' + i / 2 % 25);
        names[i][1] = (char)('a' + i / 2 / 25);
        names[i][2] = '\0';
        texts[i] = names[i];
    }
    sort(&sorted, texts, 250, NULL, 0);
    CHECK_INT((int64_t)sorted.groups->count, S3_GROUPS_MAX);
    CHECK_INT((int64_t)sorted.groups->taken, 200);
    check_group(&sorted, 99, "yd/", "1990 2000 ");
    CHECK_INT(sorted.outcomes[200].result, SINK_POSTPONED);
    arena_destroy(sorted.arena);
}

int main(void)
{
    RUN(records_of_one_prefix_are_together_and_in_order);
    RUN(a_record_without_prefix_is_impossible_alone);
    RUN(what_is_in_an_object_is_left_out);
    RUN(a_batch_has_a_hundred_prefixes);
    return test_end();
}
