/*
 * test_pump_plan.c - claims about delivery/pump_plan.h: what an answer means for each record
 */
#include "delivery/pump_plan.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "tests/unit/test.h"

enum { MOST = 16, NOW_US = 1000000000 };

/* D delivered, R refused, P postponed. */
static enum sink_result result_of(char letter)
{
    return letter == 'D' ? SINK_DELIVERED : letter == 'R' ? SINK_REFUSED : SINK_POSTPONED;
}

static struct pump_plan make(const struct pump_rules *rules, const char *attempts,
                             const char *answers, struct backlog_result *results)
{
    static struct backlog_record records[MOST];
    static struct sink_outcome outcomes[MOST];
    static const char *const reasons[] = {
        [SINK_POSTPONED] = "later", [SINK_REFUSED] = "never", [SINK_DELIVERED] = NULL
    };
    struct sink_answer answer = { .outcomes = outcomes };
    struct pump_plan plan = { .results = results };
    uint64_t random = 1;
    size_t count = strlen(answers);

    assert(count <= MOST && strlen(attempts) == count);
    for (size_t i = 0; i < count; i++) {
        records[i] =
            (struct backlog_record){ .seq = (int64_t)i * 2 + 7, .attempts = attempts[i] - '0' };
        outcomes[i].result = result_of(answers[i]);
        outcomes[i].reason = reasons[outcomes[i].result];
    }
    pump_plan_make(&plan, rules,
                   &(struct pump_tried){ .records = records,
                                         .count = count,
                                         .answer = &answer,
                                         .failures = 3,
                                         .now_us = NOW_US },
                   &random);
    return plan;
}

static const struct {
    const char *name;
    int64_t max_attempts;
    const char *attempts;
    const char *answers;
    const char *verdicts;
    bool ordered;
    bool pauses;
} rows[] = {
    { "all delivered", 0, "000", "DDD", "ddd", false, false },
    { "all delivered, ordered", 0, "000", "DDD", "ddd", true, false },
    { "the sink is down", 0, "000", "PPP", "---", false, true },
    { "the sink is down, ordered", 1, "000", "PPP", "---", true, true },
    { "it is nobody's fault, however often", 1, "999", "PPP", "---", false, true },
    { "one refused", 0, "000", "DRD", "dfd", false, false },
    { "one refused, without end", 0, "090", "DRD", "dfd", false, false },
    { "one refused, once more", 3, "010", "DRD", "dfd", false, false },
    { "one refused, the last time", 3, "020", "DRD", "dxd", false, false },
    { "one refused, long over the last time", 3, "090", "DRD", "dxd", false, false },
    { "the first refusal is the last", 1, "000", "RRR", "xxx", false, false },
    { "the first ones arrived", 0, "000", "DDP", "dd-", false, true },
    { "the last one arrived", 0, "000", "PPD", "lld", false, true },
    { "every second one arrived", 0, "0000", "DPDP", "dld-", false, true },
    { "some of everything", 2, "000101", "DRPRPD", "dflxld", false, true },
    { "refused, then the sink went", 0, "000", "RPP", "f--", false, true },
    { "ordered stops at a refusal", 0, "000", "DRD", "df-", true, false },
    { "ordered passes the dead", 1, "000", "DRD", "dxd", true, false },
    { "ordered stops behind the dead", 1, "0000", "DRPD", "dx--", true, true },
    { "ordered stops where the sink went", 0, "0000", "DPDD", "d---", true, true },
    { "ordered does not blame the sink for what it left out", 0, "000", "RPP", "f--", true, false },
    { "one alone", 0, "0", "D", "d", true, false },
};

static void each_record_gets_its_verdict(void)
{
    /* d delivered, f failed, l delayed, x dead, - untried */
    static const char letters[] = { [BACKLOG_DELIVERED] = 'd',
                                    [BACKLOG_FAILED] = 'f',
                                    [BACKLOG_DELAYED] = 'l',
                                    [BACKLOG_DEAD] = 'x',
                                    [BACKLOG_UNTRIED] = '-' };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct pump_rules rules = { .order =
                                              rows[i].ordered ? BACKLOG_STRICT : BACKLOG_UNORDERED,
                                          .max_attempts = rows[i].max_attempts,
                                          .max_backoff_us = US_PER_S };
        struct backlog_result results[MOST];
        struct pump_plan plan = make(&rules, rows[i].attempts, rows[i].answers, results);
        char verdicts[MOST + 1] = "";

        TEST_CASE(rows[i].name);
        for (size_t j = 0; rows[i].answers[j]; j++) {
            verdicts[j] = letters[results[j].verdict];
            CHECK_INT(results[j].seq, (int64_t)j * 2 + 7);
            if (results[j].verdict != BACKLOG_UNTRIED)
                CHECK((results[j].reason != NULL) == (results[j].verdict != BACKLOG_DELIVERED));
            if (results[j].verdict == BACKLOG_FAILED || results[j].verdict == BACKLOG_DELAYED)
                CHECK(results[j].next_at_us >= NOW_US &&
                      results[j].next_at_us <= NOW_US + US_PER_S);
        }
        CHECK_STR(str_from_c(verdicts), rows[i].verdicts);
        CHECK((plan.failed_reason != NULL) == rows[i].pauses);
        CHECK(plan.any == (strspn(verdicts, "-") < strlen(verdicts)));
        CHECK(rows[i].pauses || plan.pause_us == 0);
    }
}

/* A record that fails while others arrive loses an attempt; the first failure ends no record. */
static void blame_counts_as_a_refusal(void)
{
    static const struct {
        int64_t max_attempts;
        int64_t attempts;
        enum backlog_verdict verdict;
    } cases[] = {
        { 0, 0, BACKLOG_FAILED }, { 0, 99, BACKLOG_FAILED }, { 1, 0, BACKLOG_FAILED },
        { 1, 1, BACKLOG_DEAD },   { 3, 1, BACKLOG_FAILED },  { 3, 2, BACKLOG_DEAD },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct pump_rules rules = { .max_attempts = cases[i].max_attempts,
                                          .max_backoff_us = US_PER_S };
        struct sink_outcome outcome = { SINK_POSTPONED, "answered 500" };
        struct sink_answer answer = { .outcomes = &outcome };
        struct backlog_record record = { .seq = 1, .attempts = cases[i].attempts };
        struct backlog_result result;
        struct pump_plan plan = { .results = &result };
        uint64_t random = 5;

        pump_plan_make(
            &plan, &rules,
            &(struct pump_tried){ &record, 1, &answer, .now_us = NOW_US, .is_blamed = true },
            &random);
        CHECK_INT(result.verdict, cases[i].verdict);
        CHECK(!plan.failed_reason && !plan.is_first_refusal && plan.any);
        CHECK_STR(str_from_c(plan.refused_reason), "answered 500");
    }
}

/* Without a store: each comes again at its own time, and nothing waits for that. */
static void what_is_awaited_delays_nothing_else(void)
{
    struct pump_rules rules = { .is_awaited = true, .max_backoff_us = US_PER_S };
    struct backlog_result results[MOST];
    struct pump_plan plan = make(&rules, "00", "PP", results);

    for (size_t i = 0; i < 2; i++)
        CHECK_INT(results[i].verdict, BACKLOG_DELAYED);
    CHECK(plan.any && plan.failed_reason && plan.pause_us == 0);
    rules.order = BACKLOG_STRICT;
    plan = make(&rules, "00", "PP", results);
    CHECK(!plan.any && plan.failed_reason && plan.pause_us > 0);
}

static void it_counts_and_tells(void)
{
    const struct pump_rules rules = { .max_attempts = 2, .max_backoff_us = US_PER_S };
    struct backlog_result results[MOST];
    struct pump_plan plan = make(&rules, "00011", "DDRRP", results);

    CHECK_INT((int64_t)plan.delivered, 2);
    CHECK_INT((int64_t)plan.refused, 1);
    CHECK_INT((int64_t)plan.dead, 1);
    CHECK(plan.is_first_refusal);
    CHECK_STR(str_from_c(plan.refused_reason), "never");
    CHECK_STR(str_from_c(plan.failed_reason), "later");
    plan = make(&rules, "1", "R", results);
    CHECK(!plan.is_first_refusal);
    CHECK(!plan.failed_reason);
}

/* Full jitter: anything from nothing to a bound that doubles, to the maximum. */
static void backoff_doubles_up_to_its_bound(void)
{
    static const struct {
        int64_t failures;
        int64_t most_us;
        int64_t bound_us;
    } cases[] = {
        { 1, 60 * US_PER_S, US_PER_S },
        { 2, 60 * US_PER_S, 2 * US_PER_S },
        { 3, 60 * US_PER_S, 4 * US_PER_S },
        { 6, 60 * US_PER_S, 32 * US_PER_S },
        { 7, 60 * US_PER_S, 60 * US_PER_S },
        { 1000000, 60 * US_PER_S, 60 * US_PER_S },
        { 1, 1000, 1000 },
        { INT64_MAX, INT64_MAX / 4, (int64_t)US_PER_S << 30 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t bound = (uint64_t)cases[i].bound_us;

        CHECK_INT(pump_backoff_us(cases[i].failures, cases[i].most_us, 0), 0);
        CHECK_INT(pump_backoff_us(cases[i].failures, cases[i].most_us, bound), cases[i].bound_us);
        CHECK_INT(pump_backoff_us(cases[i].failures, cases[i].most_us, bound + 1), 0);
    }
}

static void backoff_is_spread_over_its_range(void)
{
    const struct pump_rules rules = { .max_backoff_us = US_PER_S };
    struct backlog_result results[MOST];
    static const char attempts[] = "00000000";
    struct pump_plan plan = make(&rules, attempts, "RRRRRRRR", results);
    int64_t sum_us = 0;

    for (size_t i = 0; i + 1 < COUNT_OF(attempts); i++) {
        sum_us += results[i].next_at_us - NOW_US;
        CHECK(i == 0 || results[i].next_at_us != results[i - 1].next_at_us);
    }
    CHECK_INT((int64_t)plan.refused, 8);
    CHECK(sum_us > US_PER_S && sum_us < 7 * US_PER_S); /* the seed is always the same */
}

static void the_sink_may_ask_to_be_left_alone(void)
{
    static const struct {
        const char *name;
        int64_t asked_us;
        int64_t least_us;
        int64_t most_us;
    } cases[] = {
        { "it does not", 0, 0, 60 * US_PER_S },
        { "for half a minute", 30 * US_PER_S, 30 * US_PER_S, 60 * US_PER_S },
        { "for longer than we wait at all", INT64_MAX, 60 * US_PER_S, 60 * US_PER_S },
    };
    const struct pump_rules rules = { .max_backoff_us = 60 * US_PER_S };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sink_outcome outcome = { SINK_POSTPONED, "later" };
        struct sink_answer answer = { .outcomes = &outcome, .retry_after_us = cases[i].asked_us };
        struct backlog_record record = { .seq = 1 };
        struct backlog_result result;
        struct pump_plan plan = { .results = &result };
        uint64_t random = 5;

        TEST_CASE(cases[i].name);
        pump_plan_make(&plan, &rules, &(struct pump_tried){ &record, 1, &answer, .now_us = NOW_US },
                       &random);
        CHECK(plan.pause_us >= cases[i].least_us && plan.pause_us <= cases[i].most_us);
    }
}

int main(void)
{
    RUN(each_record_gets_its_verdict);
    RUN(blame_counts_as_a_refusal);
    RUN(what_is_awaited_delays_nothing_else);
    RUN(it_counts_and_tells);
    RUN(backoff_doubles_up_to_its_bound);
    RUN(backoff_is_spread_over_its_range);
    RUN(the_sink_may_ask_to_be_left_alone);
    return test_end();
}
