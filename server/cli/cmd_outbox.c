/*
 * cmd_outbox.c - `sluice outbox`: what the store holds, and what waits for which sink.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/member.h"
#include "base/memory.h"
#include "delivery/outbox/view.h"
#include "server/cli/admin.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/control_client.h"
#include "server/cli/outbox_replay.h"
#include "server/cli/rows.h"
#include "server/drain.h"
#include "server/output.h"
#include "settings/unit.h"

enum { TEXT_MAX = 1024 * 1024 };

/* What the store has, and what its server says. */
struct outbox_status {
    struct outbox_counters counters;
    bool has_server;
    struct json_object *state; /* of the server, as `sluice top --json` shows it; NULL: not known */
    struct arena *arena;
};

static void ask_server(struct outbox_status *status, const struct config *config)
{
    struct control_client *client = control_client_open(config->store.path);
    struct error err = { 0 };

    status->has_server = client != NULL;
    if (client && !control_client_top_soon(client, &status->state, &err))
        status->state = NULL; /* the server is busy: the store's counters are shown alone */
    control_client_close(client);
}

/* What the server says of the sink; NULL: nothing. */
static struct json_object *find_sink(const struct outbox_status *status, const char *name)
{
    struct json_object *sinks;

    if (!status->state || !json_find(status->state, "sinks", &sinks))
        return NULL;
    for (size_t i = 0; i < json_count(sinks); i++)
        if (str_equal(json_find_str(json_at(sinks, i), "name"), str_from_c(name)))
            return json_at(sinks, i);
    return NULL;
}

/* The server's members, as they are. */
static void add_json_state(struct buf *out, const struct outbox_status *status,
                           struct json_object *said)
{
    static const char *const names[] = { "misconfigured", "state", "waits_until", "last_error" };
    struct json_object *value;

    for (size_t i = 0; said && i < COUNT_OF(names); i++)
        if (json_find(said, names[i], &value))
            member_json(out, names[i], json_text(status->arena, value));
}

static void add_json_sink(struct buf *out, const struct outbox_status *status, size_t index)
{
    const struct outbox_sink_counters *sink = &status->counters.sinks[index];

    buf_add_char(out, '{');
    member_text(out, "name", str_from_c(sink->name));
    member_bool(out, "configured", sink->configured);
    member_int(out, "enqueued", sink->enqueued);
    member_int(out, "delivered", sink->delivered);
    member_int(out, "pending", sink->pending);
    member_int(out, "dead", sink->dead);
    member_int(out, "dropped", sink->dropped);
    member_bool(out, "paused", sink->paused);
    add_json_state(out, status, find_sink(status, sink->name));
    member_time(out, "oldest_pending", sink->oldest_us);
    if (sink->blocked_seq > 0) {
        member_open(out, "blocked", '{');
        member_int(out, "sequence", sink->blocked_seq);
        member_text(out, "key", str_from_c(sink->blocked_key));
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

static void add_json(struct buf *out, const struct config *config,
                     const struct outbox_status *status)
{
    const struct outbox_counters *counters = &status->counters;

    buf_add_char(out, '{');
    member_text(out, "path", str_from_c(config->store.path));
    member_bool(out, "server", status->has_server);
    member_int(out, "bytes", counters->bytes);
    member_int(out, "max_bytes", (int64_t)config->store.max_size);
    member_int(out, "accepted", counters->accepted);
    member_int(out, "duplicates", counters->duplicates);
    member_int(out, "remembered", counters->seen);
    member_int(out, "history_bytes", counters->history_bytes);
    member_open(out, "quarantine", '{');
    member_int(out, "rows", counters->refused_rows);
    member_int(out, "bytes", counters->refused_bytes);
    member_int(out, "evicted", counters->refused_evicted);
    buf_add_char(out, '}');
    member_open(out, "sinks", '[');
    for (size_t i = 0; i < counters->sink_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        add_json_sink(out, status, i);
    }
    buf_add(out, STR("]}\n"));
}

static void add_blocked(struct buf *out, const struct outbox_sink_counters *sink)
{
    if (sink->blocked_seq == 0)
        return;
    buf_printf(out,
               "\n%s waits for record %" PRId64 " (key %s), which failed; "
               "`sluice dead move %" PRId64 "` puts it aside\n",
               sink->name, sink->blocked_seq, sink->blocked_key, sink->blocked_seq);
}

/* A text of others, which may not break the line. */
static void add_words(struct buf *out, const char *title, struct str text)
{
    if (text.len == 0)
        return;
    buf_printf(out, "  %s: ", title);
    output_safe_column(out, text, 0);
    buf_add_char(out, '\n');
}

static void add_last_error(struct buf *out, const char *name, struct json_object *sink)
{
    struct str until = sink ? json_find_str(sink, "waits_until") : STR_NONE;
    struct json_object *error;

    if (!sink || !json_find(sink, "last_error", &error) || !json_is_object(error))
        return;
    buf_printf(out, "\n%s: the last error was at %.*s; %" PRId64 " in a row\n", name,
               STR_ARG(json_find_str(error, "at")), json_find_int64(error, "in_a_row"));
    add_words(out, "reason", json_find_str(error, "reason"));
    add_words(out, "the target answered", json_find_str(error, "said"));
    if (until.len > 0)
        buf_printf(out, "  waits until: %.*s\n", STR_ARG(until));
}

static void add_text(struct buf *out, const struct config *config,
                     const struct outbox_status *status)
{
    const struct outbox_counters *counters = &status->counters;

    buf_printf(out, "store       %s%s\n", config->store.path,
               status->has_server ? ", open in a server" : "");
    buf_printf(out, "undelivered %" PRId64 " of %" PRIu64 " bytes\n", counters->bytes,
               config->store.max_size);
    buf_printf(out,
               "events      %" PRId64 " accepted, %" PRId64 " duplicates, %" PRId64 " remembered\n",
               counters->accepted, counters->duplicates, counters->seen);
    buf_printf(out, "history     %" PRId64 " bytes\n", counters->history_bytes);
    buf_printf(out, "quarantine  %" PRId64 " events, %" PRId64 " bytes, %" PRId64 " evicted\n",
               counters->refused_rows, counters->refused_bytes, counters->refused_evicted);
    if (counters->sink_count > 0)
        buf_printf(out, "\n%-20s %10s %10s %10s %8s %8s %s\n", "SINK", "ENQUEUED", "DELIVERED",
                   "PENDING", "DEAD", "DROPPED", "OLDEST PENDING");
    for (size_t i = 0; i < counters->sink_count; i++) {
        const struct outbox_sink_counters *sink = &counters->sinks[i];
        struct json_object *said = find_sink(status, sink->name);

        buf_printf(
            out, "%-20s %10" PRId64 " %10" PRId64 " %10" PRId64 " %8" PRId64 " %8" PRId64 " ",
            sink->name, sink->enqueued, sink->delivered, sink->pending, sink->dead, sink->dropped);
        output_time_column(out, sink->oldest_us);
        buf_printf(out, "%s%s%s\n", sink->configured ? "" : "not configured ",
                   sink->paused ? "paused " : "",
                   said && json_find_true(said, "misconfigured") ? "misconfigured" : "");
    }
    for (size_t i = 0; i < counters->sink_count; i++) {
        add_blocked(out, &counters->sinks[i]);
        add_last_error(out, counters->sinks[i].name, find_sink(status, counters->sinks[i].name));
    }
}

static int status(const struct config *config, bool json, struct error *err)
{
    struct outbox_view *view;
    struct outbox_status *found;
    struct buf out;

    if (!outbox_view_open(config->store.path, &view, err))
        return COMMAND_ENVIRONMENT;
    found = mem_alloc(sizeof(*found));
    found->arena = arena_create();

    bool ok = outbox_view_counters(view, &found->counters, err);

    ask_server(found, config);
    buf_init(&out, TEXT_MAX);
    if (ok && json)
        add_json(&out, config, found);
    else if (ok)
        add_text(&out, config, found);
    cli_print_all(&out);
    json_cleanup(&found->state);
    arena_destroy(found->arena);
    mem_free(found);
    outbox_view_close(view);
    return ok ? COMMAND_OK : COMMAND_ENVIRONMENT;
}

enum outbox_verb {
    VERB_STATUS,
    VERB_DRAIN,
    VERB_REPLAY,
    VERB_DROP_SINK, /* this one and what follows take a name */
    VERB_PAUSE,
    VERB_RESUME,
    VERBS
};

static const char *const verbs[VERBS] = {
    [VERB_STATUS] = "status",       [VERB_DRAIN] = "drain", [VERB_REPLAY] = "replay",
    [VERB_DROP_SINK] = "drop-sink", [VERB_PAUSE] = "pause", [VERB_RESUME] = "resume",
};

/* VERBS: the arguments are not understood. */
static enum outbox_verb verb_of(const struct cli *cli)
{
    enum outbox_verb verb = VERB_STATUS;

    if (cli->argument_count == 0)
        return VERBS;
    while (verb < VERBS && strcmp(verbs[verb], cli->arguments[0]) != 0)
        verb++;
    return cli->argument_count == (verb < VERB_DROP_SINK ? 1 : 2) ? verb : VERBS;
}

static int change_sink(const struct config *config, enum outbox_verb verb, const char *name,
                       struct error *err)
{
    struct admin *admin;

    if (!admin_open(config, &admin, err))
        return COMMAND_ENVIRONMENT;

    bool ok = verb == VERB_DROP_SINK ? admin_drop_sink(admin, name, err)
                                     : admin_pause_sink(admin, name, verb == VERB_PAUSE, err);

    admin_close(admin);
    if (ok)
        return COMMAND_OK;
    return cli_status(err);
}

static bool read_timeout(void *self, const char *value, struct error *err)
{
    return settings_time_text(str_from_c(value), self) ||
           fail(err, ERR_CONFIG, "a time such as 10m");
}

/* What is left, one line for each sink. */
static int report_rest(const struct outbox_counters *counters)
{
    int status = COMMAND_OK;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    for (size_t i = 0; i < counters->sink_count; i++) {
        const struct outbox_sink_counters *sink = &counters->sinks[i];

        if (sink->pending > 0)
            status = COMMAND_NO;
        buf_printf(&out, "%s: %" PRId64 " pending, %" PRId64 " dead%s\n", sink->name, sink->pending,
                   sink->dead, sink->configured ? "" : ", not configured");
    }
    cli_print_all(&out);
    return status;
}

static int drain(const struct config *config, int64_t timeout_us, struct error *err)
{
    struct outbox_counters *counters = mem_alloc(sizeof(*counters));
    int status = COMMAND_ENVIRONMENT;

    if (drain_run(config, timeout_us, counters, err))
        status = report_rest(counters);
    mem_free(counters);
    return status;
}

static bool is_name(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
           strlen(text);
}

/* NULL, or what is wrong with the options of the verb. */
static const char *refuse_options(enum outbox_verb verb, const struct replay_options *replay)
{
    bool has_any =
        replay->sink || replay->route || replay->from_us || replay->until_us || replay->dry_run;

    if (verb != VERB_REPLAY)
        return has_any ? "--sink, --since, --until, --route and --dry-run belong to replay" : NULL;
    if (!replay->sink || !replay->from_us)
        return "replay needs --sink NAME and --since T";
    return replay->route && !is_name(replay->route) ? "--route wants the name of a route" : NULL;
}

/* What the command was called with. */
struct call {
    bool json;
    int64_t timeout_us;
    struct replay_options replay;
};

static int outbox_run_verb(const struct config *config, enum outbox_verb verb,
                           const struct cli *cli, const struct call *call, struct error *err)
{
    switch (verb) {
    case VERB_STATUS:
        return status(config, call->json, err);
    case VERB_DRAIN:
        return drain(config, call->timeout_us, err);
    case VERB_REPLAY:
        return outbox_replay_run(config, &call->replay, err);
    default:
        return change_sink(config, verb, cli->arguments[1], err);
    }
}

static const struct cli_spec outbox_spec = {
    .usage = "sluice outbox status [-c FILE] [--json]\n"
             "sluice outbox pause NAME [-c FILE]\n"
             "sluice outbox resume NAME [-c FILE]\n"
             "sluice outbox drop-sink NAME [-c FILE]\n"
             "sluice outbox drain [-c FILE] [--timeout TIME]\n"
             "sluice outbox replay --sink NAME --since T [--until T] [--route NAME] "
             "[--dry-run] [-c FILE]",
    .about = "`status` shows what the store holds: events accepted and remembered, refused "
             "ones, and for\n"
             "each sink what was given to it and what waits. `pause` stops the deliveries to "
             "a sink, whose\n"
             "records wait, until `resume`; a restart does not end a pause. A sink that is no "
             "longer\n"
             "configured keeps its backlog, in case it comes back; `drop-sink` forgets it. "
             "`drain` delivers\n"
             "what waits, while no server runs, and then says what is left: for a store that "
             "is given up.\n"
             "`replay` delivers records again that store.history has kept: those that the sink "
             "got, and those\n"
             "of the routes that it has now.\n",
    .actions = "status pause resume drop-sink drain replay",
    .ending = "Exits with 0 when all is well, 1 when the sink cannot be changed or records are "
              "left, 2 for a\n"
              "wrong call, 3 when the configuration, the store or the server is at fault.\n",
    .takes_config = true,
    .max_arguments = 2,
};

int cmd_outbox(int argc, char **argv)
{
    struct call call = { 0 };
    const struct cli_option options[] = {
        { "json", 0, NULL, "status: one JSON object", .flag = &call.json },
        { "timeout", 0, "TIME", "drain: give up after this time, for example 10m",
          .read = read_timeout, .self = &call.timeout_us },
        { "sink", 0, "NAME", "replay: to this sink", .text = &call.replay.sink },
        { "since", 0, "T",
          "replay: records accepted at or after T: 2026-11-23T06:22:01Z, or\n"
          "how long ago: 90s, 2h, 3d",
          .read = rows_read_time, .self = &call.replay.from_us },
        { "until", 0, "T", "replay: records accepted before T", .read = rows_read_time,
          .self = &call.replay.until_us },
        { "route", 0, "NAME", "replay: records of this route alone", .text = &call.replay.route },
        { "dry-run", 0, NULL, "replay: only say how many records there are",
          .flag = &call.replay.dry_run },
        { 0 },
    };
    struct cli_spec spec = outbox_spec;
    struct cli cli;
    struct config *config;
    struct error err = { 0 };
    int exit_status;

    spec.options = options;
    if (!cli_parse(argc, argv, &spec, &cli, &exit_status))
        return exit_status;

    enum outbox_verb verb = verb_of(&cli);

    if (verb == VERBS)
        return cli_refuse("outbox",
                          "say status, pause NAME, resume NAME, drop-sink NAME, drain, or replay");
    if (refuse_options(verb, &call.replay))
        return cli_refuse("outbox", refuse_options(verb, &call.replay));
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(LOG_ERROR, LOG_TEXT);
    exit_status = COMMAND_ENVIRONMENT;
    if (!*config->store.path)
        (void)fail(&err, ERR_CONFIG, "the configuration has no store (store.path)");
    else
        exit_status = outbox_run_verb(config, verb, &cli, &call, &err);
    if (err.text[0])
        cli_complain("outbox", err.text);
    config_destroy(config);
    return exit_status;
}
