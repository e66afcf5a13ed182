/*
 * drain.c - see drain.h.
 */
#include "server/drain.h"

#include "base/clock.h"
#include "server/service.h"
#include "server/signals.h"
#include "server/sinks.h"

enum {
    LOOK_US = 100 * US_PER_MS, /* how often the counters are read */
    FLUSH_US = 2 * US_PER_S,   /* for a delivery that is under way at the end */
};

/* Does a record wait for a sink that is configured? */
static bool is_pending(const struct outbox_counters *counters)
{
    for (size_t i = 0; i < counters->sink_count; i++)
        if (counters->sinks[i].configured && counters->sinks[i].pending > 0)
            return true;
    return false;
}

static void await_end(struct outbox *outbox, int64_t timeout_us, struct outbox_counters *counters)
{
    int64_t latest_us = clock_monotonic_us() + timeout_us;

    for (;;) {
        outbox_counters(outbox, counters);
        if (!is_pending(counters) || (timeout_us > 0 && clock_monotonic_us() >= latest_us) ||
            signals_wait(LOOK_US) >= 0)
            return;
    }
}

bool drain_run(const struct config *config, int64_t timeout_us, struct outbox_counters *counters,
               struct error *err)
{
    struct outbox *outbox = NULL;
    struct sinks *sinks = sinks_create(NULL);
    struct sink_set *set = NULL;
    bool ok;

    signals_block();
    ok = service_open_store(config, &outbox, err) && sink_set_create(sinks, config, &set, err) &&
         outbox_start(outbox, err) && sinks_start(sinks, set, outbox, err);
    if (ok) {
        await_end(outbox, timeout_us, counters);
        sinks_stop(sinks, FLUSH_US);
        outbox_counters(outbox, counters);
    }
    sink_set_destroy(set);
    sinks_destroy(sinks);
    outbox_destroy(outbox);
    return ok;
}
