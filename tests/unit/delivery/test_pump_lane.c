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

/* What comes after each other: records arrive, then a batch fails; and what is made of it. */
struct step {
    size_t arrived;
    int64_t sequence; /* of the first that fails, */
    size_t count;     /* and with how many */
    enum pump_blame blame;
};

static const struct {
    const char *name;
    bool was_blamed;
    struct step steps[6];
} cases[] = {
    { "none arrives",
      false,
      { { 9, 1, 1, PUMP_BLAME_SINK },
        { 0, 1, 1, PUMP_BLAME_SINK },
        { 0, 1, 1, PUMP_BLAME_UNKNOWN } } },
    { "others arrive from the third failure on",
      false,
      { { 0, 1, 1, PUMP_BLAME_SINK },
        { 5, 1, 1, PUMP_BLAME_SINK },
        { 1, 1, 1, PUMP_BLAME_RECORD } } },
    { "others arrived, but not since the last failure",
      false,
      { { 0, 1, 1, PUMP_BLAME_SINK },
        { 5, 1, 1, PUMP_BLAME_SINK },
        { 0, 1, 1, PUMP_BLAME_UNKNOWN } } },
    { "not always the same one",
      false,
      { { 0, 1, 1, PUMP_BLAME_SINK },
        { 1, 2, 1, PUMP_BLAME_SINK },
        { 1, 1, 1, PUMP_BLAME_SINK },
        { 1, 1, 1, PUMP_BLAME_SINK } } },
    { "not alone",
      false,
      { { 0, 1, 9, PUMP_BLAME_SINK },
        { 1, 1, 4, PUMP_BLAME_SINK },
        { 1, 1, 2, PUMP_BLAME_SINK },
        { 1, 1, 1, PUMP_BLAME_RECORD } } },
    { "known for it", true, { { 1, 1, 1, PUMP_BLAME_RECORD }, { 0, 1, 1, PUMP_BLAME_RECORD } } },
    { "known for it, as another one is",
      true,
      { { 1, 1, 1, PUMP_BLAME_RECORD }, { 0, 2, 1, PUMP_BLAME_RECORD } } },
    { "known for it, but none ever arrived",
      true,
      { { 0, 1, 1, PUMP_BLAME_UNKNOWN }, { 0, 1, 1, PUMP_BLAME_UNKNOWN } } },
    { "known for it, but others fail, too",
      true,
      { { 1, 7, 2, PUMP_BLAME_SINK },
        { 0, 1, 1, PUMP_BLAME_UNKNOWN },
        { 1, 1, 1, PUMP_BLAME_RECORD } } },
};

static void blame_needs_others_that_arrive(void)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pump_signs signs = { 0 };
        struct pump_lane lane;

        TEST_CASE(cases[i].name);
        pump_lane_init(&lane, 100);
        for (const struct step *step = cases[i].steps; step->count > 0; step++) {
            const struct pump_lane_failure failure = { step->sequence, cases[i].was_blamed,
                                                       step->count, .is_busy = false };
            enum pump_blame blame;

            pump_signs_arrived(&signs, step->arrived);
            blame = pump_lane_fail(&lane, &failure, &signs);
            CHECK_INT(blame, step->blame);
            if (blame != PUMP_BLAME_RECORD)
                pump_signs_failed(&signs, step->sequence, step->count);
        }
    }
}

static enum pump_blame fail_again(struct pump_lane *lane, int64_t sequence, size_t count)
{
    static const struct pump_signs signs;

    return pump_lane_fail(lane, &(struct pump_lane_failure){ sequence, false, count, false },
                          &signs);
}

static void the_third_failure_leaves_one_alone(void)
{
    struct pump_lane lane;

    pump_lane_init(&lane, 100);
    for (size_t i = 0; i < 2; i++) {
        (void)fail_again(&lane, 7, lane.limit);
        CHECK_INT((int64_t)lane.limit, i == 0 ? 50 : 25);
    }
    (void)fail_again(&lane, 7, lane.limit);
    CHECK_INT((int64_t)lane.limit, 1);
}

static void from_the_third_failure_on_each_has_a_probe_that_goes_farther(void)
{
    static const size_t at[] = { 0, 1, 3, 7, 15, 31, 63, 0 }; /* the first, second, fourth, ... */
    struct pump_lane lane;
    size_t probes = 0;

    pump_lane_init(&lane, 1);
    for (int64_t i = 1; probes < COUNT_OF(at); i++) {
        if (fail_again(&lane, 7, 1) == PUMP_BLAME_SINK)
            continue;
        CHECK_INT((int64_t)pump_lane_probe_at(&lane, PUMP_LANE_PROBE_REACH), (int64_t)at[probes]);
        CHECK_INT((int64_t)pump_lane_probe_at(&lane, 1), 0); /* there is no more */
        CHECK_INT(i, 3 + (int64_t)probes);
        pump_lane_probe_failed(&lane);
        probes++;
    }
}

/* In an outage of hours probes are rare, and batches keep their size while it is short. */
static void busy_answers_have_few_probes(void)
{
    static const struct pump_signs signs;
    struct pump_lane lane;
    int64_t probes = 0;

    pump_lane_init(&lane, 100);
    for (int64_t i = 1; i <= 1000; i++) {
        const struct pump_lane_failure failure = { 7, i % 2 == 0, lane.limit, .is_busy = true };
        enum pump_blame blame = pump_lane_fail(&lane, &failure, &signs);

        CHECK_INT((int64_t)lane.limit, i < 3 ? 100 : 1);
        CHECK(blame == PUMP_BLAME_SINK || (blame == PUMP_BLAME_UNKNOWN && i >= 4));
        probes += blame == PUMP_BLAME_UNKNOWN;
    }
    CHECK_INT(probes, 8); /* after 4, 8, ..., 512 */
}

static void a_record_is_named_once(void)
{
    struct pump_lane lane;

    pump_lane_init(&lane, 1);
    for (int64_t sequence = 1; sequence <= 2; sequence++)
        for (int i = 1; i <= 5; i++) {
            (void)fail_again(&lane, sequence, 1);
            CHECK(!pump_lane_names(&lane, 2));
            CHECK(pump_lane_names(&lane, 1) == (i == 3));
        }
}

int main(void)
{
    RUN(batches_shrink_and_grow);
    RUN(blame_needs_others_that_arrive);
    RUN(the_third_failure_leaves_one_alone);
    RUN(from_the_third_failure_on_each_has_a_probe_that_goes_farther);
    RUN(busy_answers_have_few_probes);
    RUN(a_record_is_named_once);
    return test_end();
}
