/*
 * test_pump_lane.c - claims about delivery/pump_lane.h: how large batches are, and whose fault a
 * failure is
 */
#include "delivery/pump_lane.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void batches_shrink_and_grow(void)
{
    struct pump_lane lane;

    pump_lane_init(&lane, 10);
    CHECK_INT((int64_t)lane.limit, 10);
    pump_lane_halve(&lane, 10);
    CHECK_INT((int64_t)lane.limit, 5);
    pump_lane_halve(&lane, 3); /* there were no more */
    CHECK_INT((int64_t)lane.limit, 1);
    pump_lane_halve(&lane, 1);
    CHECK_INT((int64_t)lane.limit, 1);
    for (size_t i = 0; i < 4; i++)
        pump_lane_grow(&lane);
    CHECK_INT((int64_t)lane.limit, 10);
    pump_lane_grow(&lane);
    CHECK_INT((int64_t)lane.limit, 10);
}

/* What comes after each other: a failure of a record, alone or not, and what is made of it. */
struct step {
    int64_t sequence;
    size_t count;
    uint64_t arrived;
    enum pump_blame blame;
};

static void blame_needs_others_that_arrive(void)
{
    static const struct {
        const char *name;
        bool was_blamed;
        struct step steps[6];
    } cases[] = {
        { "none arrives",
          false,
          { { 1, 1, 0, PUMP_BLAME_SINK },
            { 1, 1, 0, PUMP_BLAME_SINK },
            { 1, 1, 0, PUMP_BLAME_UNKNOWN } } },
        { "others arrive from the third failure on",
          false,
          { { 1, 1, 0, PUMP_BLAME_SINK },
            { 1, 1, 5, PUMP_BLAME_SINK },
            { 1, 1, 6, PUMP_BLAME_RECORD } } },
        { "others arrived, but not since the last failure",
          false,
          { { 1, 1, 0, PUMP_BLAME_SINK },
            { 1, 1, 5, PUMP_BLAME_SINK },
            { 1, 1, 5, PUMP_BLAME_UNKNOWN } } },
        { "not always the same one",
          false,
          { { 1, 1, 0, PUMP_BLAME_SINK },
            { 2, 1, 1, PUMP_BLAME_SINK },
            { 1, 1, 2, PUMP_BLAME_SINK },
            { 1, 1, 3, PUMP_BLAME_SINK } } },
        { "not alone",
          false,
          { { 1, 9, 0, PUMP_BLAME_SINK },
            { 1, 4, 1, PUMP_BLAME_SINK },
            { 1, 2, 2, PUMP_BLAME_SINK },
            { 1, 1, 3, PUMP_BLAME_RECORD } } },
        { "known for it",
          true,
          { { 1, 1, 0, PUMP_BLAME_UNKNOWN }, { 1, 1, 1, PUMP_BLAME_RECORD } } },
        { "known for it, and none arrives",
          true,
          { { 1, 1, 0, PUMP_BLAME_UNKNOWN }, { 1, 1, 0, PUMP_BLAME_UNKNOWN } } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pump_lane lane;

        TEST_CASE(cases[i].name);
        pump_lane_init(&lane, 100);
        for (const struct step *step = cases[i].steps; step->count > 0; step++)
            CHECK_INT(pump_lane_fail(
                          &lane, &(struct pump_lane_failure){ step->sequence, cases[i].was_blamed,
                                                              step->count, step->arrived }),
                      step->blame);
    }
}

static void the_third_failure_leaves_one_alone(void)
{
    struct pump_lane lane;

    pump_lane_init(&lane, 100);
    for (size_t i = 0; i < 2; i++) {
        (void)pump_lane_fail(&lane, &(struct pump_lane_failure){ 7, false, lane.limit, 0 });
        CHECK_INT((int64_t)lane.limit, i == 0 ? 50 : 25);
    }
    (void)pump_lane_fail(&lane, &(struct pump_lane_failure){ 7, false, lane.limit, 0 });
    CHECK_INT((int64_t)lane.limit, 1);
}

static void probes_go_farther_and_become_rare(void)
{
    static const size_t at[] = { 1, 2, 4, 8, 16, 32, 64, 1 };
    struct pump_lane lane;
    size_t probes = 0;

    pump_lane_init(&lane, 1);
    for (int64_t i = 1; probes < COUNT_OF(at); i++) {
        if (pump_lane_fail(&lane, &(struct pump_lane_failure){ 7, false, 1, 0 }) == PUMP_BLAME_SINK)
            continue;
        CHECK_INT((int64_t)pump_lane_probe_at(&lane, PUMP_LANE_PROBE_REACH + 1),
                  (int64_t)at[probes]);
        CHECK_INT((int64_t)pump_lane_probe_at(&lane, 2), 1); /* there is no more */
        CHECK_INT(i, probes == 0 ? 3 : 6 + 4 * ((int64_t)probes - 1));
        pump_lane_probe_failed(&lane);
        probes++;
    }
}

static void a_record_is_named_once(void)
{
    struct pump_lane lane;

    pump_lane_init(&lane, 1);
    for (int64_t sequence = 1; sequence <= 2; sequence++)
        for (int i = 1; i <= 5; i++) {
            (void)pump_lane_fail(&lane, &(struct pump_lane_failure){ sequence, false, 1, 0 });
            CHECK(!pump_lane_names(&lane, 2));
            CHECK(pump_lane_names(&lane, 1) == (i == 3));
        }
}

int main(void)
{
    RUN(batches_shrink_and_grow);
    RUN(blame_needs_others_that_arrive);
    RUN(the_third_failure_leaves_one_alone);
    RUN(probes_go_farther_and_become_rare);
    RUN(a_record_is_named_once);
    return test_end();
}
