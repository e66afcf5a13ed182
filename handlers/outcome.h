/*
 * outcome.h - the outcome of one event, and its JSON for the sender.
 *
 * Threads: values; the texts are in the request's arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "handlers/status.h"
#include "schema/schema.h"

struct outcome {
    enum condition condition;
    bool is_lost;                 /* refused, and kept nowhere but at the sender */
    const struct status_row *row; /* of the status table in force */
    struct str id;                /* ptr NULL: the event has none */
    struct str item;              /* what the sender calls it; ptr NULL: as `id` */
    struct str details;           /* ptr NULL: none */
    struct schema_report report;  /* empty unless the event is invalid */
};

/** Add the report's error units: `[{"instanceLocation":...},...]`. */
void outcome_write_units(struct buf *out, const struct schema_report *report);

/** Add the body of a refused single event: `{"error":...,"details":...,"errors":[...]}`. */
void outcome_write_refusal(struct buf *out, const struct outcome *outcome);

/** Add the body of an accepted single event without its record, or of a dropped one. */
void outcome_write_receipt(struct buf *out, const struct outcome *outcome);

/** Add the body for an array of events: `{"results":[...],"batchItemFailures":[...]}`. */
void outcome_write_batch(struct buf *out, const struct outcome *outcomes, size_t count);
