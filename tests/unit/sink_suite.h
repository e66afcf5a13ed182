/*
 * sink_suite.h - tests of the contract of a sink (delivery/sinks/sink.h), for every kind of sink.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "delivery/sinks/sink.h"

struct sink_suite {
    /** Make a sink whose destination is empty and works. The suite destroys it. */
    struct sink (*create)(void *self);
    /** Append the records that have arrived, one per line, in the order of arrival. */
    void (*arrived)(void *self, struct buf *out);
    /** Append their idempotency keys, one per line. NULL: this kind of sink sends no keys. */
    void (*arrived_keys)(void *self, struct buf *out);
    /** Make the destination fail for all records, or work again. */
    void (*set_broken)(void *self, bool broken);
    /* A record that the destination refuses because of the record itself. STR_NONE: it has none. */
    struct str refused;
    void *self;
};

/** Run all tests of the suite. */
void sink_suite_run(const struct sink_suite *suite);

/** For other tests: deliver `count` records in one batch. The answer is valid until the next call.
 */
const struct sink_answer *sink_suite_deliver(const struct sink *sink, const struct str *records,
                                             size_t count);

/** Has every record this outcome, and a reason unless it is delivered? */
void sink_suite_check_all(const struct sink_answer *answer, size_t count, enum sink_result result);
