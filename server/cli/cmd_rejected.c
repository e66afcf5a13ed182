/*
 * cmd_rejected.c - `sluice rejected`: the events that were refused and kept.
 *
 * A listing contains no value of any event, so it may go where logs go; `show` prints everything.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/member.h"
#include "handlers/status.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/redact.h"
#include "server/cli/rows.h"
#include "server/output.h"
#include "server/row_json.h"

enum { ACCEPTED = 200, NOT_NOW = 500 };

static bool visit_refused(void *self, const struct outbox_refused *row)
{
    const struct row_visitor *visitor = self;

    return visitor->visit(visitor->self, row->id, row);
}

static bool read_refused(struct outbox_view *view, const struct outbox_filter *filter,
                         const struct row_visitor *visitor, struct error *err)
{
    return outbox_view_refused(view, filter, visit_refused, (void *)visitor, err);
}

/* The best that listings may show: no value of the event. */
static struct str reason_of(const struct outbox_refused *row)
{
    return row->reason.ptr ? row->reason : row->rule;
}

static void rejected_write_columns(struct buf *out, const void *refused)
{
    const struct outbox_refused *row = refused;

    output_time_column(out, row->last_us);
    output_column(out, row->outcome, 20);
    output_column(out, row->route, 20);
    output_column(out, row->version, 12);
    buf_printf(out, "%8" PRId64 " %8zu %-8s ", row->attempts, row->body.len,
               row->resolved_us ? "resolved" : "");
    output_column(out, log_identifier(row->event_id), 36);
    output_safe_column(out, reason_of(row), 1);
}

static struct str body_of(const void *refused)
{
    return ((const struct outbox_refused *)refused)->body;
}

static enum replay_result rejected_replay(const struct rows *rows, int64_t id, struct buf *members,
                                          struct error *err)
{
    struct resubmit_answer answer;

    if (!admin_replay(rows->admin, id, &answer, err))
        return rows_replay_failed(members, err);
    if (answer.status >= NOT_NOW) {
        (void)fail(err, ERR_SYSTEM, "events cannot be taken now: %s", answer.outcome);
        return REPLAY_STOP;
    }
    buf_printf(members, ",\"status\":%d,\"outcome\":\"%s\"", answer.status, answer.outcome);
    if (answer.status != ACCEPTED) {
        member_text(members, "reason", str_from_c(answer.reason));
        member_text(members, "rule", *answer.rule ? str_from_c(answer.rule) : STR_NONE);
    }
    return answer.status == ACCEPTED ? REPLAY_DONE : REPLAY_REFUSED;
}

/* With --redact: the event's form, and no text that may hold a value. */
static void rejected_write_export(const struct rows *rows, struct buf *out, const void *refused)
{
    const struct outbox_refused *row = refused;

    if (!rows->redact)
        row_refused_details(out, row);
    else
        redact_write(out, "body", row->body);
}

/* Groups. */

static void write_group_columns(struct buf *out, const struct outbox_group *group)
{
    buf_printf(out, "%8" PRId64 " %8" PRId64 " ", group->count, group->example);
    output_time_column(out, group->last_us);
    output_column(out, group->outcome, 20);
    output_column(out, group->route, 20);
    output_safe_column(out, group->rule, 1);
}

static bool visit_group(void *self, const struct outbox_group *group)
{
    const struct rows *rows = self;
    struct buf out;

    buf_init(&out, SIZE_MAX);
    (rows->json ? row_group_object : write_group_columns)(&out, group);
    buf_add_char(&out, '\n');
    cli_print_all(&out);
    return true;
}

static int list_groups(struct rows *rows, struct error *err)
{
    if (!rows->json)
        (void)printf(
            "   COUNT  EXAMPLE LAST                 OUTCOME              ROUTE                "
            "RULE\n");
    return outbox_view_groups(rows->view, &rows->filter, visit_group, rows, err)
               ? COMMAND_OK
               : COMMAND_ENVIRONMENT;
}

static const struct row_kind refused_kind = {
    .name = "refused event",
    .heading = "LAST                 OUTCOME              ROUTE                VERSION      "
               "ATTEMPTS    BYTES          EVENT                                REASON",
    .read = read_refused,
    .write_columns = rejected_write_columns,
    .write_members = row_refused_members,
    .write_details = row_refused_details,
    .bytes = body_of,
    .replay = rejected_replay,
    .needs_trial = true,
    .groups = list_groups,
    .write_export = rejected_write_export,
};

/* `registry` stands for all outcomes that are the registry's failures. */
static bool read_outcome(void *self, const char *value, struct error *err)
{
    struct outbox_filter *filter = self;

    filter->only_registry_kind = strcmp(value, "registry") == 0;
    filter->outcome = filter->only_registry_kind ? NULL : value;
    return filter->only_registry_kind || status_has_name(str_from_c(value)) ||
           fail(err, ERR_INVALID, "--outcome %s: there is no such outcome (sluice status-map)",
                value);
}

int cmd_rejected(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice rejected list [OPTION...]\n"
                 "sluice rejected groups [OPTION...]\n"
                 "sluice rejected show ID [OPTION...]\n"
                 "sluice rejected replay [ID...] [OPTION...]\n"
                 "sluice rejected discard [ID...] [OPTION...]\n"
                 "sluice rejected export [--redact] [OPTION...]",
        .about = "Events that were answered 400 and kept in quarantine.\n"
                 "\n"
                 "  list     print them, newest first, without any value of an event\n"
                 "  groups   count them by route, outcome and rule, with the ID of an example\n"
                 "  show     print one, complete\n"
                 "  replay   post them again, inside the server if one runs: those named, or all "
                 "that match;\n"
                 "           they are checked against the live schema, and delivered when "
                 "accepted\n"
                 "  discard  delete them: those named, or all that match a filter\n"
                 "  export   print them complete, one JSON object a line; --redact: no value of an "
                 "event\n",
        .actions = "list groups show replay discard export",
        .ending = "Exits with 0 when all is well, 1 when there is no such event or one was refused "
                  "again, 2 for\n"
                  "a wrong call, 3 when the configuration, the store or the server is at fault.\n",
    };
    struct rows rows = { .kind = &refused_kind };
    const struct cli_option options[] = {
        { "outcome", 0, "O",
          "schema_invalid, malformed, ..., or registry: all that the registry caused,\n"
          "which the server posts again by itself",
          .read = read_outcome, .self = &rows.filter },
        { "rule", 0, "PLACE", "refused by this rule of the schema, a keywordLocation",
          .read = rows_read_rule, .self = (void *)&rows.filter.rule },
        { "redact", 0, NULL, "export: types instead of values, such as <string>",
          .flag = &rows.redact },
        { "all", 0, NULL, "also events that were accepted later",
          .flag = &rows.filter.with_resolved },
        { "since", 0, "T",
          "that came last at or after T: 2026-11-23T06:22:01Z, or how long ago:\n90s, 2h, 3d",
          .read = rows_read_time, .self = &rows.filter.from_us },
        { "until", 0, "T", "that came last before T", .read = rows_read_time,
          .self = &rows.filter.until_us },
        { 0 },
    };

    return rows_run(&rows, &(struct rows_call){ &spec, options, argc, argv });
}
