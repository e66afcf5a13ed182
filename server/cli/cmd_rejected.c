/*
 * cmd_rejected.c - `sluice rejected`: the events that were refused and kept.
 *
 * A listing shows no value of any event, so it may go where logs go; `show` shows all.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/cli/admin.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/replay.h"
#include "server/cli/row_text.h"
#include "server/cli/rows.h"
#include "server/service.h"

enum { TEXT_MAX = 256 * 1024 * 1024, TOO_EARLY = 500 };

static const char usage_text[] =
    "Usage: sluice rejected list [OPTION...]\n"
    "       sluice rejected show ID [OPTION...]\n"
    "       sluice rejected replay [ID...] [OPTION...]\n"
    "\n"
    "The events that were refused with a 400 and kept in quarantine. `list` shows no value of any\n"
    "event, `show` shows everything. `replay` posts them again, inside the server if one runs:\n"
    "they are checked against the schema that is live now; what is accepted is delivered.\n"
    "\n"
    "  -c, --config FILE        the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "      --since T, --until T that came last at or after, before; T is a time like\n"
    "                           2026-11-23T06:22:01Z, or how long ago: 90s, 2h, 3d\n"
    "      --outcome O          schema_invalid, malformed, ..., or registry: all that were "
    "refused\n"
    "                           for the registry's sake, which the server posts again by itself\n"
    "      --route N            of this route, counted from 1\n"
    "      --schema-version V   checked with this version\n"
    "      --all                also those that were accepted later\n"
    "      --limit N            at most so many\n"
    "      --json               list: an object a line\n"
    "      --bytes              show: the event's own bytes alone\n"
    "      --dry-run            replay: say what would become of each, change nothing\n"
    "      --rate N             replay: at most N a second\n"
    "  -h, --help               this text\n"
    "\n"
    "Exits with 0 when all is well, 1 when there is no such event or one was refused again, 2 for\n"
    "a wrong call, 3 when configuration, store or server are at fault.\n";

/* Listing. */

static void add_json(struct buf *out, const struct outbox_refused *row)
{
    buf_printf(out, "{\"id\":%" PRId64, row->id);
    row_text_time(out, "first", row->first_us);
    row_text_time(out, "last", row->last_us);
    row_text_member(out, "outcome", row->outcome);
    row_text_member(out, "cause", row->is_registry_kind ? STR("registry") : STR("event"));
    row_text_member(out, "event_id", log_identifier(row->event_id));
    row_text_member(out, "registry", row->registry);
    row_text_member(out, "schema", row->schema);
    row_text_member(out, "schema_version", row->version);
    buf_printf(out, ",\"attempts\":%" PRId64 ",\"bytes\":%zu", row->attempts, row->body.len);
    row_text_time(out, "resolved", row->resolved_us);
}

static bool list_json(void *self, const struct outbox_refused *row)
{
    struct buf out;

    (void)self;
    buf_init(&out, TEXT_MAX);
    add_json(&out, row);
    buf_add(&out, STR("}\n"));
    row_text_print(&out);
    return true;
}

static bool list_text(void *self, const struct outbox_refused *row)
{
    struct buf out;

    (void)self;
    buf_init(&out, TEXT_MAX);
    buf_printf(&out, "%8" PRId64 " ", row->id);
    row_text_time_column(&out, row->last_us);
    row_text_column(&out, row->outcome, 20);
    row_text_column(&out, row->schema, 28);
    row_text_column(&out, row->version, 12);
    buf_printf(&out, "%8" PRId64 " %8zu ", row->attempts, row->body.len);
    buf_add(&out, row->resolved_us ? STR("resolved ") : STR("         "));
    row_text_column(&out, log_identifier(row->event_id), 1);
    buf_add_char(&out, '\n');
    row_text_print(&out);
    return true;
}

static int list(const struct cli_rows *rows, struct outbox_view *view, struct error *err)
{
    if (rows->json)
        return cli_rows_status(outbox_view_refused(view, &rows->filter, list_json, NULL, err));
    (void)printf("%8s %-20s %-20s %-28s %-12s %8s %8s %-8s %s\n", "ID", "LAST", "OUTCOME", "SCHEMA",
                 "VERSION", "ATTEMPTS", "BYTES", "", "EVENT");
    return cli_rows_status(outbox_view_refused(view, &rows->filter, list_text, NULL, err));
}

/* Showing. */

struct shown {
    bool bytes;
    bool found;
};

static bool show_row(void *self, const struct outbox_refused *row)
{
    struct shown *shown = self;
    struct buf out;

    shown->found = true;
    buf_init(&out, TEXT_MAX);
    if (shown->bytes) {
        buf_add(&out, row->body);
    } else {
        add_json(&out, row);
        row_text_member(&out, "details", row->details);
        row_text_json(&out, "errors", row->units);
        row_text_bytes(&out, "body", row->body);
        buf_add(&out, STR("}\n"));
    }
    row_text_print(&out);
    return false;
}

static int show(const struct cli_rows *rows, struct outbox_view *view, struct error *err)
{
    const struct outbox_filter filter = { .id = rows->ids[0], .with_resolved = true };
    struct shown shown = { .bytes = rows->bytes };

    if (!outbox_view_refused(view, &filter, show_row, &shown, err))
        return COMMAND_ENVIRONMENT;
    return shown.found || fail(err, ERR_NOT_FOUND, "no refused event %" PRId64, rows->ids[0])
               ? COMMAND_OK
               : COMMAND_NO;
}

/* Replaying. */

static enum replay_result tell(const struct resubmit_answer *answer, struct buf *members,
                               struct error *err)
{
    if (answer->status >= TOO_EARLY) {
        (void)fail(err, ERR_SYSTEM, "events cannot be taken now: %s", answer->outcome);
        return REPLAY_STOP;
    }
    buf_printf(members, ",\"status\":%d,\"outcome\":\"%s\"", answer->status, answer->outcome);
    return answer->status == 200 ? REPLAY_DONE : REPLAY_REFUSED;
}

static enum replay_result replay_row_for_good(void *self, int64_t id, struct buf *members,
                                              struct error *err)
{
    struct resubmit_answer answer;

    return admin_replay(self, id, &answer, err) ? tell(&answer, members, err)
                                                : replay_failed(members, err);
}

static enum replay_result try_row(void *self, int64_t id, struct buf *members, struct error *err)
{
    struct resubmit_answer answer;

    return resubmit_refused(self, id, &answer, err) ? tell(&answer, members, err)
                                                    : replay_failed(members, err);
}

static bool note_row(void *self, const struct outbox_refused *row)
{
    replay_list_add(self, row->id);
    return true;
}

static bool collect(const struct cli_rows *rows, struct outbox_view *view, struct replay_list *list,
                    struct error *err)
{
    for (size_t i = 0; i < rows->id_count; i++)
        replay_list_add(list, rows->ids[i]);
    return rows->id_count > 0 || outbox_view_refused(view, &rows->filter, note_row, list, err);
}

static bool replay_for_good(const struct cli_rows *rows, const struct replay_list *list,
                            int *exit_status, struct error *err)
{
    struct admin *admin;

    if (!admin_open(rows->config, &admin, err))
        return false;
    *exit_status =
        replay_rows(rows, list, &(struct replay_work){ replay_row_for_good, admin, "rejected" });
    admin_close(admin);
    return true;
}

/* Through a pipeline of our own that stores nothing. */
static bool try(const struct cli_rows *rows, struct outbox_view *view,
                const struct replay_list *list, int *exit_status, struct error *err)
{
    struct service *service;

    if (!service_create(rows->config, NULL, &service, err))
        return false;

    struct resubmitter *resubmitter = resubmitter_create(&(struct resubmitter_options){
        events_handler(service->events), view, rows->config->http.deadline_us });

    *exit_status =
        replay_rows(rows, list, &(struct replay_work){ try_row, resubmitter, "rejected" });
    resubmitter_destroy(resubmitter);
    service_destroy(service);
    return true;
}

static int replay(const struct cli_rows *rows, struct outbox_view *view, struct error *err)
{
    struct replay_list list = { 0 };
    int exit_status = COMMAND_ENVIRONMENT;

    if (collect(rows, view, &list, err)) {
        if (rows->dry_run)
            (void)try(rows, view, &list, &exit_status, err);
        else
            (void)replay_for_good(rows, &list, &exit_status, err);
    }
    replay_list_done(&list);
    return exit_status;
}

int cmd_rejected(int argc, char **argv)
{
    static const struct cli_rows_command command = { usage_text, list, show, replay, NULL };

    return cli_rows_run(argc, argv, &command);
}
