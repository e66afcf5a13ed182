/*
 * pump_lane.c - see pump_lane.h.
 */
#include "delivery/pump_lane.h"

enum {
    FAILURES_BEFORE_PROBE = 3, /* one or two may be a restart of the receiver */
    PROBES_APART = 4,          /* failures, at most: what was down comes back */
    FARTHEST_DOUBLING = 6,     /* of PUMP_LANE_PROBE_REACH */
};

_Static_assert(PUMP_LANE_PROBE_REACH == 1 << FARTHEST_DOUBLING, "the reach is a power of two");

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
    lane->next_probe = failure->was_blamed ? 1 : FAILURES_BEFORE_PROBE;
    lane->probes = 0;
    lane->is_named = false;
}

enum pump_blame pump_lane_fail(struct pump_lane *lane, const struct pump_lane_failure *failure)
{
    bool is_again = lane->failures > 0 && lane->suspect == failure->sequence;
    bool others_arrive = is_again && lane->arrived != failure->arrived;

    if (!is_again)
        suspect(lane, failure);
    lane->failures++;
    lane->arrived = failure->arrived;
    if (lane->failures >= FAILURES_BEFORE_PROBE)
        lane->limit = 1;
    else
        pump_lane_halve(lane, failure->count);
    if (failure->count > 1)
        return PUMP_BLAME_SINK;
    if (others_arrive && (failure->was_blamed || lane->failures >= FAILURES_BEFORE_PROBE))
        return PUMP_BLAME_RECORD;
    return lane->failures >= lane->next_probe ? PUMP_BLAME_UNKNOWN : PUMP_BLAME_SINK;
}

/* The one behind it, the second, the fourth: neighbours may have the same fault. */
size_t pump_lane_probe_at(const struct pump_lane *lane, size_t count)
{
    size_t at = (size_t)1 << (lane->probes % (FARTHEST_DOUBLING + 1));

    return at < count ? at : count - 1;
}

void pump_lane_probe_failed(struct pump_lane *lane)
{
    int64_t apart = lane->failures < PROBES_APART ? lane->failures : PROBES_APART;

    lane->probes++;
    lane->next_probe = lane->failures + apart;
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
