/*
 * sink_suite.h - what every sink owes the pump (delivery/sinks/sink.h), as tests that run against
 * each.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "delivery/sinks/sink.h"

struct sink_suite {
    /** A sink whose place is empty and works. The suite destroys it. */
    struct sink (*create)(void *self);
    /** Add the records that have arrived, one a line, in the order in which they came. */
    void (*arrived)(void *self, struct buf *out);
    /** Add the idempotency keys that came with them, one a line; NULL: this place gets none. */
    void (*arrived_keys)(void *self, struct buf *out);
    /** Make the place fail for whatever comes, or work again. */
    void (*set_broken)(void *self, bool broken);
    struct str refused; /* a record that this sink calls the record's own fault */
    void *self;
};

/** Run every claim. */
void sink_suite_run(const struct sink_suite *suite);

/** For more tests: deliver `count` records in one batch; its answer, good until the next call. */
const struct sink_answer *sink_suite_deliver(const struct sink *sink, const struct str *records,
                                             size_t count);

/** Has every record this outcome, and a reason unless it is delivered? */
void sink_suite_check_all(const struct sink_answer *answer, size_t count, enum sink_result result);
