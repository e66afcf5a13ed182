/*
 * trusted_time.c - see trusted_time.h.
 */
#include "delivery/outbox/trusted_time.h"

#include "base/clock.h"
#include "base/log.h"

/* The clock may be corrected by so much at once; more is a jump. */
enum { STEP_US = US_PER_MINUTE };

void trusted_time_init(struct trusted_time *clock, int64_t now_us, int64_t monotonic_us,
                       int64_t last_us)
{
    bool unknown = last_us > 0 && now_us - last_us > US_PER_HOUR;

    *clock = (struct trusted_time){ .offset_us = now_us - monotonic_us,
                                    .keep_until_us = unknown ? monotonic_us + US_PER_HOUR : 0 };
}

static void begin_jump(struct trusted_time *clock, int64_t ahead_us, int64_t monotonic_us)
{
    clock->ahead_us = ahead_us;
    clock->ahead_from_us = monotonic_us;
    LOG_EVENT(LOG_WARN, "clock_jumped", LOG_INT("ahead_seconds", ahead_us / US_PER_S),
              LOG_STR("reason", STR("nothing in the store is too old until this has held for an "
                                    "hour")));
}

int64_t trusted_time_us(struct trusted_time *clock, int64_t now_us, int64_t monotonic_us)
{
    int64_t offset_us = now_us - monotonic_us;
    int64_t ahead_us = offset_us - clock->offset_us;
    int64_t change_us = ahead_us - clock->ahead_us;

    bool is_ahead = ahead_us > STEP_US;
    bool is_another = clock->ahead_us == 0 || change_us > STEP_US || change_us < -STEP_US;

    if (is_ahead && is_another) {
        begin_jump(clock, ahead_us, monotonic_us);
    } else if (!is_ahead || monotonic_us - clock->ahead_from_us >= US_PER_HOUR) {
        clock->offset_us = offset_us;
        clock->ahead_us = 0;
    }
    return monotonic_us + clock->offset_us;
}

bool trusted_time_may_expire(const struct trusted_time *clock, int64_t monotonic_us)
{
    return monotonic_us >= clock->keep_until_us;
}
