/*
 * pump_log.c - see pump_log.h.
 */
#include "delivery/pump_log.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { MOST_OF_KEY = 128 }; /* bytes of a key in the log */

void pump_log_store(struct pump_log *log, const struct error *failure)
{
    if (failure && !log->is_store_failing)
        LOG_EVENT(LOG_WARN, "sink_store_failed", LOG_STR("sink", str_from_c(log->sink)),
                  LOG_STR("reason", str_from_c(failure->text)));
    if (!failure && log->is_store_failing)
        LOG_EVENT(LOG_INFO, "sink_store_recovered", LOG_STR("sink", str_from_c(log->sink)));
    log->is_store_failing = failure != NULL;
}

static void log_fault(const struct pump_log *log, const char *event, const char *reason)
{
    LOG_EVENT(LOG_WARN, event, LOG_STR("sink", str_from_c(log->sink)),
              LOG_STR("reason", str_from_c(reason)));
}

/* May the log show this key (docs/delivery.md)? Else the sequence is enough. */
static bool is_identifier(struct str key)
{
    bool is = key.len > 0 && key.len <= MOST_OF_KEY;

    for (size_t i = 0; i < key.len; i++)
        is = is && (isalnum((unsigned char)key.ptr[i]) || strchr("._:-", key.ptr[i]));
    return is;
}

static void log_records(const struct pump_log *log, const char *event, const char *reason,
                        size_t count, const struct backlog_record *first)
{
    const struct log_field fields[] = {
        LOG_STR("sink", str_from_c(log->sink)),
        LOG_STR("reason", str_from_c(reason)),
        LOG_INT("records", count),
        LOG_INT("sequence", first->seq),
        LOG_STR("key", first->key),
    };

    log_write(LOG_WARN, event, fields, COUNT_OF(fields) - !is_identifier(first->key));
}

void pump_log_record(const struct pump_log *log, const char *event, const char *reason,
                     const struct backlog_record *record)
{
    log_records(log, event, reason, 1, record);
}

static void log_recovery(const struct pump_log *log)
{
    LOG_EVENT(LOG_INFO, "sink_recovered", LOG_STR("sink", str_from_c(log->sink)),
              LOG_INT("attempts_failed", log->failures),
              LOG_INT("after_ms", (clock_monotonic_us() - log->failing_since_us) / US_PER_MS));
}

static void log_failure(struct pump_log *log, const struct pump_plan *plan)
{
    bool begins = log->failures++ == 0;

    if (begins)
        log->failing_since_us = clock_monotonic_us();
    if (plan->misconfigured && !log->is_misconfigured)
        log_fault(log, "sink_misconfigured", plan->misconfigured);
    else if (begins)
        log_fault(log, "sink_failed", plan->failed_reason);
    log->is_misconfigured = log->is_misconfigured || plan->misconfigured;
}

/* What the plan shows of the sink itself. Records that wait alone show nothing. */
static void log_sink(struct pump_log *log, const struct pump_plan *plan)
{
    if (plan->failed_reason && !plan->is_partial) {
        log_failure(log, plan);
    } else if (log->failures > 0 && (!plan->failed_reason || plan->delivered > 0)) {
        log_recovery(log);
        log->failures = 0;
        log->is_misconfigured = false;
    }
}

void pump_log_plan(struct pump_log *log, const struct pump_plan *plan,
                   const struct backlog_record *records)
{
    bool is_refusing = plan->refused + plan->dead > 0;

    if (!plan->is_late)
        log_sink(log, plan);
    if (plan->dead > 0)
        log_records(log, "sink_record_dead", plan->refused_reason, plan->dead,
                    &records[plan->first_dead]);
    else if (plan->is_first_refusal && !log->is_refusing)
        log_records(log, "sink_record_refused", plan->refused_reason, plan->refused,
                    &records[plan->first_refused]);
    log->is_refusing = is_refusing;
}
