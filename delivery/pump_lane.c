/*
 * pump_lane.c - see pump_lane.h.
 */
#include "delivery/pump_lane.h"

enum {
    FAILURES_BEFORE_PROBE = 3, /* one or two may be a restart of the receiver */
    BUSY_BEFORE_PROBE = 4,
    FARTHEST_DOUBLING = 6, /* of PUMP_LANE_PROBE_REACH */
};

_Static_assert(PUMP_LANE_PROBE_REACH == 1 << FARTHEST_DOUBLING, "the reach is a power of two");

void pump_signs_arrived(struct pump_signs *signs, size_t count)
{
    if (count == 0)
        return;
    signs->arrived += count;
    signs->has_failed = signs->others_failed = false;
}

void pump_signs_failed(struct pump_signs *signs, int64_t sequence, size_t count)
{
    if (count > 1 || (signs->has_failed && signs->failed != sequence))
        signs->others_failed = true;
    signs->has_failed = true;
    signs->failed = sequence;
}

bool pump_signs_show_one(const struct pump_signs *signs, int64_t sequence)
{
    return signs->arrived > 0 && !signs->others_failed &&
           (!signs->has_failed || signs->failed == sequence);
}

void pump_lane_init(struct pump_lane *lane, size_t most)
{
    *lane = (struct pump_lane){ .most = most, .limit = most };
}

void pump_lane_halve(struct pump_lane *lane, size_t count)
{
    lane->limit = count > 1 ? count / 2 : 1;
}

void pump_lane_grow(struct pump_lane *lane)
{
    lane->limit = lane->limit < lane->most / 2 ? lane->limit * 2 : lane->most;
}

static void suspect(struct pump_lane *lane, const struct pump_lane_failure *failure)
{
    lane->suspect = failure->sequence;
    lane->failures = 0;
    lane->first_probe = failure->is_busy      ? BUSY_BEFORE_PROBE
                        : failure->was_blamed ? 1
                                              : FAILURES_BEFORE_PROBE;
    lane->probes = 0;
    lane->is_named = false;
}

/* Probes after a busy answer must not add to the load. */
static bool may_probe(const struct pump_lane *lane, const struct pump_lane_failure *failure)
{
    bool is_power_of_two = (lane->failures & (lane->failures - 1)) == 0;

    return lane->failures >= lane->first_probe && (is_power_of_two || !failure->is_busy);
}

enum pump_blame pump_lane_fail(struct pump_lane *lane, const struct pump_lane_failure *failure,
                               const struct pump_signs *signs)
{
    bool is_again = lane->failures > 0 && lane->suspect == failure->sequence;
    bool others_arrive = is_again && lane->arrived != signs->arrived;

    if (!is_again)
        suspect(lane, failure);
    lane->failures++;
    lane->arrived = signs->arrived;
    if (lane->failures >= FAILURES_BEFORE_PROBE)
        lane->limit = 1;
    else if (!failure->is_busy)
        pump_lane_halve(lane, failure->count);
    if (failure->count > 1)
        return PUMP_BLAME_SINK;
    if (failure->was_blamed && !failure->is_busy
            ? pump_signs_show_one(signs, failure->sequence)
            : others_arrive && lane->failures >= FAILURES_BEFORE_PROBE)
        return PUMP_BLAME_RECORD;
    return may_probe(lane, failure) ? PUMP_BLAME_UNKNOWN : PUMP_BLAME_SINK;
}

/* The first, second, fourth, ... record after it, since neighbours may have the same fault. */
size_t pump_lane_probe_at(const struct pump_lane *lane, size_t count)
{
    size_t at = ((size_t)1 << (lane->probes % (FARTHEST_DOUBLING + 1))) - 1;

    return at < count ? at : count - 1;
}

void pump_lane_probe_failed(struct pump_lane *lane)
{
    lane->probes++;
}

void pump_lane_forget(struct pump_lane *lane)
{
    lane->failures = 0;
}

bool pump_lane_names(struct pump_lane *lane, size_t count)
{
    if (count > 1 || lane->failures < FAILURES_BEFORE_PROBE || lane->is_named)
        return false;
    lane->is_named = true;
    return true;
}
