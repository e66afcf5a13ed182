/*
 * outcome.c - see outcome.h.
 */
#include "handlers/outcome.h"

#include "base/flat.h"
#include "base/member.h"

void outcome_write_units(struct buf *out, const struct schema_report *report)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < report->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        schema_unit_write(out, &report->units[i]);
    }
    buf_add_char(out, ']');
}

static void write_errors(struct buf *out, const struct schema_report *report)
{
    if (report->count == 0)
        return;
    member_key(out, "errors");
    outcome_write_units(out, report);
    if (report->truncated)
        buf_add(out, STR(",\"truncated\":true"));
}

/* The members that a refusal has, alone or among a batch's results; no braces. */
static void write_members(struct buf *out, const struct outcome *outcome)
{
    member_text(out, "error", str_from_c(outcome->row->error));
    if (outcome->details.ptr)
        member_text(out, "details", outcome->details);
    write_errors(out, &outcome->report);
}

void outcome_write_refusal(struct buf *out, const struct outcome *outcome)
{
    buf_add_char(out, '{');
    write_members(out, outcome);
    buf_add_char(out, '}');
}

void outcome_write_receipt(struct buf *out, const struct outcome *outcome)
{
    if (outcome->condition == CONDITION_DROPPED) {
        buf_add(out, STR("{\"status\":\"dropped\"}"));
        return;
    }
    buf_add_char(out, '{');
    member_text(out, "id", outcome->id);
    buf_add(out, STR(",\"status\":\"accepted\"}"));
}

static void write_result(struct buf *out, const struct outcome *outcome)
{
    buf_add_char(out, '{');
    member_text(out, "id", outcome->id);
    member_int(out, "status", outcome->row->status);
    if (outcome->condition == CONDITION_DUPLICATE)
        buf_add(out, STR(",\"duplicate\":true"));
    if (outcome->condition == CONDITION_DROPPED)
        buf_add(out, STR(",\"dropped\":true"));
    if (outcome->row->error)
        write_members(out, outcome);
    buf_add_char(out, '}');
}

static void write_failures(struct buf *out, const struct outcome *outcomes, size_t count)
{
    bool first = true;

    for (size_t i = 0; i < count; i++) {
        if (!status_is_retryable(outcomes[i].row) && !outcomes[i].is_lost)
            continue;
        buf_add(out, first ? STR("{\"itemIdentifier\":") : STR(",{\"itemIdentifier\":"));
        json_write_string(out, outcomes[i].item.ptr ? outcomes[i].item : outcomes[i].id);
        buf_add_char(out, '}');
        first = false;
    }
}

void outcome_write_batch(struct buf *out, const struct outcome *outcomes, size_t count)
{
    buf_add(out, STR("{\"results\":["));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_result(out, &outcomes[i]);
    }
    buf_add(out, STR("],\"batchItemFailures\":["));
    write_failures(out, outcomes, count);
    buf_add(out, STR("]}"));
}
