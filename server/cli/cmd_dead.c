/*
 * cmd_dead.c - `sluice dead`: the records that a sink would not take.
 */
#include <inttypes.h>
#include <stdio.h>

#include "server/cli/admin.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/replay.h"
#include "server/cli/row_text.h"
#include "server/cli/rows.h"

enum { TEXT_MAX = 256 * 1024 * 1024 };

static const char usage_text[] =
    "Usage: sluice dead list [OPTION...]\n"
    "       sluice dead show ID [OPTION...]\n"
    "       sluice dead replay [ID...] [OPTION...]\n"
    "       sluice dead move SEQUENCE [--sink NAME] [OPTION...]\n"
    "\n"
    "The records that were set aside because a sink refused them too often. `list` shows no value\n"
    "of any record, `show` shows everything. `replay` gives them to their sink again. `move` sets\n"
    "a record aside that a sink waits for, in order, and that fails each time: `sluice outbox\n"
    "status` and the log (sink_blocked) say which.\n"
    "\n"
    "  -c, --config FILE        the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "      --since T, --until T set aside at or after, before; T is a time like\n"
    "                           2026-11-23T06:22:01Z, or how long ago: 90s, 2h, 3d\n"
    "      --sink NAME          of this sink\n"
    "      --route N            of this route, counted from 1\n"
    "      --schema-version V   checked with this version\n"
    "      --limit N            at most so many\n"
    "      --json               list: an object a line\n"
    "      --bytes              show: the record alone\n"
    "      --dry-run            replay: say which, change nothing\n"
    "      --rate N             replay: at most N a second\n"
    "  -h, --help               this text\n"
    "\n"
    "Exits with 0 when all is well, 1 when there is no such record, 2 for a wrong call, 3 when\n"
    "configuration, store or server are at fault.\n";

static void add_json(struct buf *out, const struct outbox_dead *row)
{
    buf_printf(out, "{\"id\":%" PRId64, row->id);
    row_text_time(out, "dead", row->dead_us);
    row_text_time(out, "accepted", row->accepted_us);
    row_text_member(out, "sink", row->sink);
    row_text_member(out, "reason", row->reason);
    row_text_member(out, "registry", row->registry);
    row_text_member(out, "schema", row->schema);
    row_text_member(out, "schema_version", row->version);
    buf_printf(out, ",\"sequence\":%" PRId64 ",\"attempts\":%" PRId64 ",\"bytes\":%zu", row->seq,
               row->attempts, row->bytes.len);
}

static bool list_json(void *self, const struct outbox_dead *row)
{
    struct buf out;

    (void)self;
    buf_init(&out, TEXT_MAX);
    add_json(&out, row);
    buf_add(&out, STR("}\n"));
    row_text_print(&out);
    return true;
}

static bool list_text(void *self, const struct outbox_dead *row)
{
    struct buf out;

    (void)self;
    buf_init(&out, TEXT_MAX);
    buf_printf(&out, "%8" PRId64 " ", row->id);
    row_text_time_column(&out, row->dead_us);
    row_text_column(&out, row->sink, 16);
    row_text_column(&out, row->schema, 28);
    buf_printf(&out, "%8" PRId64 " %8zu ", row->attempts, row->bytes.len);
    row_text_column(&out, row->reason, 1);
    buf_add_char(&out, '\n');
    row_text_print(&out);
    return true;
}

static int list(const struct cli_rows *rows, struct outbox_view *view, struct error *err)
{
    if (rows->json)
        return cli_rows_status(outbox_view_dead(view, &rows->filter, list_json, NULL, err));
    (void)printf("%8s %-20s %-16s %-28s %8s %8s %s\n", "ID", "DEAD", "SINK", "SCHEMA", "ATTEMPTS",
                 "BYTES", "REASON");
    return cli_rows_status(outbox_view_dead(view, &rows->filter, list_text, NULL, err));
}

struct shown {
    bool bytes;
    bool found;
};

static bool show_row(void *self, const struct outbox_dead *row)
{
    struct shown *shown = self;
    struct buf out;

    shown->found = true;
    buf_init(&out, TEXT_MAX);
    if (shown->bytes) {
        buf_add(&out, row->bytes);
    } else {
        add_json(&out, row);
        row_text_member(&out, "key", row->key);
        row_text_json(&out, "record", row->bytes);
        buf_add(&out, STR("}\n"));
    }
    row_text_print(&out);
    return false;
}

static int show(const struct cli_rows *rows, struct outbox_view *view, struct error *err)
{
    const struct outbox_filter filter = { .id = rows->ids[0] };
    struct shown shown = { .bytes = rows->bytes };

    if (!outbox_view_dead(view, &filter, show_row, &shown, err))
        return COMMAND_ENVIRONMENT;
    return shown.found || fail(err, ERR_NOT_FOUND, "no dead record %" PRId64, rows->ids[0])
               ? COMMAND_OK
               : COMMAND_NO;
}

static bool note_row(void *self, const struct outbox_dead *row)
{
    replay_list_add(self, row->id);
    return true;
}

static enum replay_result revive(void *self, int64_t id, struct buf *members, struct error *err)
{
    if (admin_revive(self, id, err)) {
        buf_add(members, STR(",\"revived\":true"));
        return REPLAY_DONE;
    }
    return replay_failed(members, err);
}

static enum replay_result try_row(void *self, int64_t id, struct buf *members, struct error *err)
{
    const struct outbox_filter filter = { .id = id };
    struct replay_list found = { 0 };
    enum replay_result result = REPLAY_DONE;

    if (!outbox_view_dead(self, &filter, note_row, &found, err))
        return REPLAY_STOP;
    if (found.count == 0) {
        (void)fail(err, ERR_NOT_FOUND, "no dead record %" PRId64, id);
        result = replay_failed(members, err);
    }
    replay_list_done(&found);
    return result;
}

static int replay(const struct cli_rows *rows, struct outbox_view *view, struct error *err)
{
    struct replay_list list = { 0 };
    struct admin *admin = NULL;
    int exit_status = COMMAND_ENVIRONMENT;

    for (size_t i = 0; i < rows->id_count; i++)
        replay_list_add(&list, rows->ids[i]);
    if (rows->id_count > 0 || outbox_view_dead(view, &rows->filter, note_row, &list, err)) {
        if (rows->dry_run)
            exit_status = replay_rows(rows, &list, &(struct replay_work){ try_row, view, "dead" });
        else if (admin_open(rows->config, &admin, err))
            exit_status = replay_rows(rows, &list, &(struct replay_work){ revive, admin, "dead" });
    }
    admin_close(admin);
    replay_list_done(&list);
    return exit_status;
}

static int move(const struct cli_rows *rows, struct error *err)
{
    struct admin *admin;

    if (!admin_open(rows->config, &admin, err))
        return COMMAND_ENVIRONMENT;

    bool ok = admin_move(admin, rows->filter.sink, rows->ids[0], err);

    admin_close(admin);
    if (ok)
        return COMMAND_OK;
    return cli_status(err);
}

int cmd_dead(int argc, char **argv)
{
    static const struct cli_rows_command command = { usage_text, list, show, replay, move };

    return cli_rows_run(argc, argv, &command);
}
