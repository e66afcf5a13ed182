/*
 * rows.c - see rows.h.
 */
#include "server/cli/rows.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/member.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/progress.h"
#include "settings/unit.h"

#define NUMBER_MAX (INT64_MAX / 10)

enum { OPTIONS_MAX = 20, TEXT_MAX = 256 * 1024 * 1024 };

/* Values of options. */

/* A whole number, 1 or more. */
static bool parse_count(const char *text, int64_t *out)
{
    return whole_number(str_from_c(text), NUMBER_MAX, out) && *out > 0;
}

static bool read_limit(void *self, const char *value, struct error *err)
{
    return parse_count(value, self) || fail(err, ERR_INVALID, "--limit wants a number from 1 on");
}

bool rows_read_rule(void *self, const char *value, struct error *err)
{
    *(const char **)self = value;
    return *value == '/' ||
           fail(err, ERR_INVALID, "--rule wants a keywordLocation, as list shows it");
}

static bool read_rate(void *self, const char *value, struct error *err)
{
    double *rate = self;
    char *end;

    *rate = strtod(value, &end);
    return (end != value && !*end && *rate > 0) ||
           fail(err, ERR_INVALID, "--rate wants a number over 0");
}

bool rows_read_time(void *self, const char *value, struct error *err)
{
    int64_t *us = self;
    int64_t ago_us;

    if (clock_parse(str_from_c(value), us))
        return true;
    if (!settings_time_text(str_from_c(value), &ago_us))
        return fail(err, ERR_INVALID,
                    "a time is 2026-11-23, 2026-11-23T06:22:01Z, or how long ago: 90s, 2h, 3d");
    *us = clock_now_us() - ago_us;
    return true;
}

/* List and show. */

static void add_object(struct buf *out, const struct row_kind *kind, int64_t id, const void *row)
{
    buf_printf(out, "{\"id\":%" PRId64, id);
    kind->write_members(out, row);
}

static bool list_row(void *self, int64_t id, const void *row)
{
    const struct rows *rows = self;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    if (rows->json) {
        add_object(&out, rows->kind, id, row);
        buf_add_char(&out, '}');
    } else {
        buf_printf(&out, "%8" PRId64 " ", id);
        rows->kind->write_columns(&out, row);
    }
    buf_add_char(&out, '\n');
    cli_print_all(&out);
    return true;
}

static int run_list(struct rows *rows, struct error *err)
{
    const struct row_visitor visitor = { list_row, rows };

    if (!rows->json)
        (void)printf("%8s %s\n", "ID", rows->kind->heading);
    return rows->kind->read(rows->view, &rows->filter, &visitor, err) ? COMMAND_OK
                                                                      : COMMAND_ENVIRONMENT;
}

/* Export: what `show` prints, a line for each row. */

static bool export_row(void *self, int64_t id, const void *row)
{
    const struct rows *rows = self;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    add_object(&out, rows->kind, id, row);
    rows->kind->write_export(rows, &out, row);
    buf_add(&out, STR("}\n"));
    cli_print_all(&out);
    return true;
}

static int run_export(struct rows *rows, struct error *err)
{
    const struct row_visitor visitor = { export_row, rows };

    rows->filter.newest_first = false;
    return rows->kind->read(rows->view, &rows->filter, &visitor, err) ? COMMAND_OK
                                                                      : COMMAND_ENVIRONMENT;
}

/* Found, and printed if that is wanted. */
struct shown {
    const struct rows *rows; /* NULL: print nothing */
    bool found;
};

static bool show_row(void *self, int64_t id, const void *row)
{
    struct shown *shown = self;
    const struct rows *rows = shown->rows;
    struct buf out;

    shown->found = true;
    if (!rows)
        return false;
    buf_init(&out, TEXT_MAX);
    if (rows->bytes) {
        buf_add(&out, rows->kind->bytes(row));
    } else {
        add_object(&out, rows->kind, id, row);
        rows->kind->write_details(&out, row);
        buf_add(&out, STR("}\n"));
    }
    cli_print_all(&out);
    return false;
}

static bool show_one(const struct rows *rows, int64_t id, struct shown *shown, struct error *err)
{
    const struct outbox_filter filter = { .id = id, .with_resolved = true };
    const struct row_visitor visitor = { show_row, shown };

    return rows->kind->read(rows->view, &filter, &visitor, err) &&
           (shown->found || fail(err, ERR_NOT_FOUND, "no %s %" PRId64, rows->kind->name, id));
}

bool rows_find(const struct rows *rows, int64_t id, struct error *err)
{
    struct shown shown = { 0 };

    return show_one(rows, id, &shown, err);
}

static int run_show(struct rows *rows, struct error *err)
{
    struct shown shown = { .rows = rows };

    if (show_one(rows, rows->ids[0], &shown, err))
        return COMMAND_OK;
    return cli_status(err);
}

/* Replay. Interrupted at any moment, each row is either replayed or untouched. */

enum replay_result rows_replay_failed(struct buf *members, struct error *err)
{
    if (cli_status(err) != COMMAND_NO)
        return REPLAY_STOP;
    member_text(members, "error", str_from_c(err->text));
    *err = (struct error){ 0 };
    return REPLAY_REFUSED;
}

/* Wait until row `index` is due under --rate. */
static void wait_for_turn(const struct rows *rows, size_t index, int64_t start_us)
{
    int64_t due_us = start_us + (int64_t)((double)index / rows->rate * US_PER_S);
    int64_t left_us = due_us - clock_monotonic_us();
    const struct timespec pause = clock_timespec(left_us);

    if (left_us > 0)
        (void)nanosleep(&pause, NULL);
}

static enum replay_result replay_one(const struct rows *rows, int64_t id, struct error *err)
{
    struct buf line;

    buf_init(&line, TEXT_MAX);
    buf_printf(&line, "{\"id\":%" PRId64, id);

    enum replay_result result = rows->kind->replay(rows, id, &line, err);

    buf_add(&line, STR("}\n"));
    if (result != REPLAY_STOP)
        cli_print(buf_str(&line));
    (void)fflush(stdout); /* an interrupted replay has printed what it has done */
    buf_done(&line);
    return result;
}

/* A line on standard output for each row, a progress bar and a summary on standard error. */
static int replay_all(const struct rows *rows, struct error *err)
{
    size_t counts[REPLAY_STOP + 1] = { 0 };
    int64_t start_us = clock_monotonic_us();
    struct progress progress;

    progress_start(&progress, rows->id_count);
    for (size_t i = 0; i < rows->id_count && !counts[REPLAY_STOP]; i++) {
        if (rows->rate > 0)
            wait_for_turn(rows, i, start_us);
        counts[replay_one(rows, rows->ids[i], err)]++;
        progress_add(&progress, 1);
    }
    progress_end(&progress);
    (void)fprintf(stderr, "%s %zu of %zu: %zu well, %zu refused again\n",
                  rows->dry_run ? "tried" : "replayed",
                  counts[REPLAY_DONE] + counts[REPLAY_REFUSED], rows->id_count, counts[REPLAY_DONE],
                  counts[REPLAY_REFUSED]);
    if (counts[REPLAY_STOP])
        return COMMAND_ENVIRONMENT;
    return counts[REPLAY_REFUSED] ? COMMAND_NO : COMMAND_OK;
}

static void add_id(struct rows *rows, int64_t id)
{
    rows->ids = mem_grow(rows->ids, rows->id_count, &rows->id_capacity, sizeof(rows->ids[0]));
    rows->ids[rows->id_count++] = id;
}

static bool collect_row(void *self, int64_t id, const void *row)
{
    (void)row;
    add_id(self, id);
    return true;
}

/* Without ids on the command line: those of the rows that match, oldest first. */
static bool find_ids(struct rows *rows, struct error *err)
{
    const struct row_visitor collector = { collect_row, rows };

    rows->filter.newest_first = false;
    return rows->id_count > 0 || rows->kind->read(rows->view, &rows->filter, &collector, err);
}

static int run_replay(struct rows *rows, struct error *err)
{
    if (!find_ids(rows, err))
        return COMMAND_ENVIRONMENT;
    if (rows->dry_run
            ? rows->kind->needs_trial && !admin_open_trial(rows->config, &rows->admin, err)
            : !admin_open(rows->config, &rows->admin, err))
        return COMMAND_ENVIRONMENT;

    int exit_status = replay_all(rows, err);

    admin_close(rows->admin);
    return exit_status;
}

/* Discard. */

static bool discard_ids(struct rows *rows, size_t *gone, struct error *err)
{
    for (size_t at = 0; at < rows->id_count; at += CONTROL_IDS_MAX) {
        size_t left = rows->id_count - at;
        size_t more = 0;

        if (!admin_discard(rows->admin, rows->kind->is_dead,
                           &(struct control_ids){ rows->ids + at,
                                                  left < CONTROL_IDS_MAX ? left : CONTROL_IDS_MAX },
                           &more, err))
            return false;
        *gone += more;
    }
    return true;
}

static int run_discard(struct rows *rows, struct error *err)
{
    bool is_all = rows->id_count == 0;
    size_t gone = 0;

    if (is_all && !rows->has_filter)
        return cli_refuse(rows->command, "discard wants IDs, a filter, or --all");
    if (!find_ids(rows, err))
        return COMMAND_ENVIRONMENT;
    if (rows->dry_run) {
        (void)printf("{\"would_discard\":%zu}\n", rows->id_count);
        return COMMAND_OK;
    }
    if (!admin_open(rows->config, &rows->admin, err))
        return COMMAND_ENVIRONMENT;

    bool ok = discard_ids(rows, &gone, err);

    admin_close(rows->admin);
    (void)printf("{\"discarded\":%zu}\n", gone);
    if (!ok)
        return COMMAND_ENVIRONMENT;
    return is_all || gone == rows->id_count ? COMMAND_OK : COMMAND_NO;
}

static int run_groups(struct rows *rows, struct error *err)
{
    return rows->kind->groups(rows, err);
}

static int run_move(struct rows *rows, struct error *err)
{
    if (!admin_open(rows->config, &rows->admin, err))
        return COMMAND_ENVIRONMENT;

    bool ok = rows->kind->move(rows, err);

    admin_close(rows->admin);
    if (ok)
        return COMMAND_OK;
    return cli_status(err);
}

/* The command line. */

static void join_options(struct cli_option *out, const struct cli_option *a,
                         const struct cli_option *b)
{
    for (; a->name; a++)
        *out++ = *a;
    for (; b->name; b++)
        *out++ = *b;
}

static bool parse_options(struct rows *rows, const struct rows_call *call, struct cli *cli,
                          int *exit_status)
{
    const struct cli_option common[] = {
        { "id", 0, "EVENTID", "of the event with this id", .text = &rows->filter.event_id },
        { "route", 0, "NAME", "of this route: its name, or its number from 1",
          .text = &rows->route },
        { "schema-version", 0, "V", "checked with this version", .text = &rows->filter.version },
        { "limit", 0, "N", "at most N", .read = read_limit, .self = &rows->limit },
        { "json", 0, NULL, "list: a JSON object a line", .flag = &rows->json },
        { "bytes", 0, NULL, "show: the stored bytes only", .flag = &rows->bytes },
        { "dry-run", 0, NULL,
          "replay: print what would become of each and why; discard: count;\nchange nothing",
          .flag = &rows->dry_run },
        { "rate", 0, "N", "replay: at most N a second", .read = read_rate, .self = &rows->rate },
        { 0 },
    };
    struct cli_option options[OPTIONS_MAX] = { 0 };
    struct cli_spec spec = *call->spec;

    join_options(options, call->options, common);
    spec.options = options;
    spec.takes_config = true;
    spec.max_arguments = INT_MAX;
    return cli_parse(call->argc, call->argv, &spec, cli, exit_status);
}

static const struct verb {
    const char *word;
    int words; /* of the command line, with the verb; 0: any number */
    const char *wrong;
    int (*run)(struct rows *rows, struct error *err);
} verbs[] = {
    { "list", 1, "list takes options alone", run_list },
    { "show", 2, "show wants one ID", run_show },
    { "replay", 0, "", run_replay },
    { "discard", 0, "", run_discard },
    { "groups", 1, "groups takes options alone", run_groups },
    { "export", 1, "export takes options alone", run_export },
    { "move", 2, "move wants one SEQUENCE", run_move },
};

static bool has_verb(const struct row_kind *kind, const struct verb *verb)
{
    return (verb->run != run_groups || kind->groups) &&
           (verb->run != run_export || kind->write_export) && (verb->run != run_move || kind->move);
}

static const struct verb *find_verb(const struct rows *rows, const struct cli *cli)
{
    const char *word = cli->argument_count > 0 ? cli->arguments[0] : "";

    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (strcmp(word, verbs[i].word) == 0 && has_verb(rows->kind, &verbs[i]))
            return &verbs[i];
    return NULL;
}

/* Read the verb and the ids. */
static bool parse_arguments(struct rows *rows, const struct cli *cli, const struct verb **out,
                            struct error *err)
{
    const struct verb *verb = find_verb(rows, cli);

    if (!verb)
        return fail(err, ERR_INVALID, "say list, show ID, replay, discard%s",
                    rows->kind->move ? " or move SEQUENCE" : ", groups or export");
    if (verb->words > 0 && cli->argument_count != verb->words)
        return fail(err, ERR_INVALID, "%s", verb->wrong);
    for (int i = 1; i < cli->argument_count; i++) {
        int64_t id = 0;

        if (!parse_count(cli->arguments[i], &id))
            return fail(err, ERR_INVALID, "an ID is a number, as list shows it");
        add_id(rows, id);
    }
    *out = verb;
    return true;
}

/* The route by its name, or by its number, counted from 1. */
static bool set_route(struct rows *rows, struct error *err)
{
    const struct config *config = rows->config;
    int64_t number = 0;

    for (size_t i = 0; rows->route && i < config->route_count; i++)
        if (strcmp(rows->route, config->routes[i].name) == 0)
            rows->filter.route = rows->route;
    if (!rows->route || rows->filter.route)
        return true;
    if (!parse_count(rows->route, &number) || (uint64_t)number > config->route_count)
        return fail(err, ERR_INVALID, "--route %s: the configuration has no such route",
                    rows->route);
    rows->filter.route = config->routes[number - 1].name;
    return true;
}

/* Is there a filter that chooses rows? Without one, discard needs ids. */
static bool has_filter(const struct rows *rows)
{
    const struct outbox_filter *filter = &rows->filter;

    return rows->route || filter->event_id || filter->outcome || filter->only_registry_kind ||
           filter->rule || filter->sink || filter->version || filter->from_us || filter->until_us ||
           filter->with_resolved;
}

/* With the configuration: open the store for reading, and run the verb. */
static int run_verb(struct rows *rows, const struct verb *verb, const char *command)
{
    struct error err = { 0 };
    int exit_status = COMMAND_ENVIRONMENT;

    if (!*rows->config->store.path)
        (void)fail(&err, ERR_CONFIG, "the configuration has no store (store.path)");
    else if (!set_route(rows, &err))
        return cli_refuse(command, err.text);
    else if (outbox_view_open(rows->config->store.path, &rows->view, &err)) {
        if (rows->kind->check_filter && !rows->kind->check_filter(rows, &err)) {
            outbox_view_close(rows->view);
            return cli_refuse(command, err.text);
        }
        exit_status = verb->run(rows, &err);
    }
    outbox_view_close(rows->view);
    if (err.text[0])
        cli_complain(command, err.text);
    return exit_status;
}

int rows_run(struct rows *rows, const struct rows_call *call)
{
    const struct verb *verb = verbs;
    struct cli cli;
    struct error err = { 0 };
    int exit_status;

    if (!parse_options(rows, call, &cli, &exit_status))
        return exit_status;
    rows->filter.limit = (size_t)rows->limit;
    rows->filter.newest_first = true;
    rows->command = call->argv[0];
    rows->has_filter = has_filter(rows);
    log_configure(LOG_ERROR, LOG_TEXT);
    if (!parse_arguments(rows, &cli, &verb, &err))
        exit_status = cli_refuse(call->argv[0], err.text);
    else if (!cli_load_config(&cli, &rows->config))
        exit_status = COMMAND_ENVIRONMENT;
    else
        exit_status = run_verb(rows, verb, call->argv[0]);
    mem_free(rows->ids);
    config_destroy(rows->config);
    return exit_status;
}
