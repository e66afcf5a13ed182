/*
 * cmd_dead.c - `sluice dead`: the records that a sink would not take.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/memory.h"
#include "server/cli/commands.h"
#include "server/cli/rows.h"
#include "server/output.h"
#include "server/row_json.h"

static bool visit_dead(void *self, const struct outbox_dead *row)
{
    const struct row_visitor *visitor = self;

    return visitor->visit(visitor->self, row->id, row);
}

static bool read_dead(struct outbox_view *view, const struct outbox_filter *filter,
                      const struct row_visitor *visitor, struct error *err)
{
    return outbox_view_dead(view, filter, visit_dead, (void *)visitor, err);
}

static void dead_write_columns(struct buf *out, const void *dead)
{
    const struct outbox_dead *row = dead;

    output_time_column(out, row->dead_us);
    output_column(out, row->sink, 16);
    output_column(out, row->route, 28);
    buf_printf(out, "%8" PRId64 " %8zu ", row->attempts, row->bytes.len);
    output_safe_column(out, row->reason, 1);
}

static struct str bytes_of(const void *dead)
{
    return ((const struct outbox_dead *)dead)->bytes;
}

static enum replay_result dead_replay(const struct rows *rows, int64_t id, struct buf *members,
                                      struct error *err)
{
    if (!(rows->dry_run ? rows_find(rows, id, err) : admin_revive(rows->admin, id, err)))
        return rows_replay_failed(members, err);
    if (!rows->dry_run)
        buf_add(members, STR(",\"revived\":true"));
    return REPLAY_DONE;
}

static bool move(const struct rows *rows, struct error *err)
{
    return admin_move(rows->admin, rows->filter.sink, rows->ids[0], err);
}

/* The store knows its sinks, also those that are not configured any more. */
static bool check_sink(const struct rows *rows, struct error *err)
{
    struct outbox_counters *counters;
    bool found = false;

    if (!rows->filter.sink)
        return true;
    counters = mem_alloc(sizeof(*counters));
    if (outbox_view_counters(rows->view, counters, err))
        for (size_t i = 0; i < counters->sink_count; i++)
            found = found || strcmp(counters->sinks[i].name, rows->filter.sink) == 0;
    mem_free(counters);
    return found || fail(err, ERR_INVALID, "--sink %s: there is no such sink", rows->filter.sink);
}

static const struct row_kind dead_kind = {
    .name = "dead record",
    .heading = "DEAD                 SINK             ROUTE                        ATTEMPTS    "
               "BYTES REASON",
    .read = read_dead,
    .write_columns = dead_write_columns,
    .write_members = row_dead_members,
    .write_details = row_dead_details,
    .bytes = bytes_of,
    .replay = dead_replay,
    .move = move,
    .is_dead = true,
    .check_filter = check_sink,
};

int cmd_dead(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .usage = "sluice dead list [OPTION...]\n"
                 "sluice dead show ID [OPTION...]\n"
                 "sluice dead replay [ID...] [OPTION...]\n"
                 "sluice dead discard [ID...] [OPTION...]\n"
                 "sluice dead move SEQUENCE [--sink NAME] [OPTION...]",
        .about =
            "Records that were set aside because a sink refused them too often.\n"
            "\n"
            "  list     print them, newest first, without any value of a record\n"
            "  show     print one, complete, with the beginning of what the target answered\n"
            "  replay   give them to their sinks again: those named, or all that match\n"
            "  discard  give them up: those named, or all that match a filter\n"
            "  move     set a record aside that fails each time while a sink waits for it, in\n"
            "           order; `sluice outbox status` and the log (sink_blocked) show which\n",
        .actions = "list show replay discard move",
        .ending = "Exits with 0 when all is well, 1 when there is no such record, 2 for a wrong "
                  "call, 3 when the\n"
                  "configuration, the store or the server is at fault.\n",
    };
    struct rows rows = { .kind = &dead_kind };
    const struct cli_option options[] = {
        { "all", 0, NULL, "all of them, for discard without IDs and other filters",
          .flag = &rows.filter.with_resolved },
        { "sink", 0, "NAME", "of this sink", .text = &rows.filter.sink },
        { "since", 0, "T",
          "set aside at or after T: 2026-11-23T06:22:01Z, or how long ago:\n90s, 2h, 3d",
          .read = rows_read_time, .self = &rows.filter.from_us },
        { "until", 0, "T", "set aside before T", .read = rows_read_time,
          .self = &rows.filter.until_us },
        { 0 },
    };

    return rows_run(&rows, &(struct rows_call){ &spec, options, argc, argv });
}
