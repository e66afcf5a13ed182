/*
 * cmd_top.c - `sluice top`: what a running server does, in a terminal.
 *
 * The server's totals are read over the control socket twice; the difference gives the rates. On a
 * terminal the screen is drawn again each time, else one block follows the other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/json.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/control_client.h"
#include "server/output.h"
#include "server/totals.h"
#include "settings/unit.h"

enum { TEXT_MAX = 1024 * 1024, INTERVAL_US = 2 * US_PER_S };

struct top {
    struct control_client *client;
    struct config *config;
    int64_t interval_us;
    int64_t count; /* of blocks; 0: until it is interrupted */
    bool json;
};

/* One reading of the server's totals. */
struct sample {
    struct json_object *state;
    int64_t at_us;
};

/* The element of the list `name` whose name is `wanted`; NULL: none. */
static struct json_object *find_named(struct json_object *state, const char *name,
                                      struct str wanted)
{
    struct json_object *list;

    if (!state || !json_find(state, name, &list))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *element = json_object_array_get_idx(list, i);

        if (str_equal(json_find_str(element, "name"), wanted))
            return element;
    }
    return NULL;
}

/* What became of the events of `route`, a member of the state's "routes"; NULL: zeroes. */
static struct totals totals_of(const struct config *config, struct json_object *route)
{
    struct totals totals = { 0 };
    struct json_object *outcomes;

    if (!route || !json_find(route, "outcomes", &outcomes))
        return totals;
    for (enum condition i = 0; i < CONDITION_COUNT; i++)
        totals_add(&totals, config->status_map, i, json_find_int64(outcomes, status_name(i)));
    return totals;
}

static double rate(int64_t now, int64_t before, double seconds)
{
    return seconds > 0 && now > before ? (double)(now - before) / seconds : 0;
}

static void add_route(struct buf *out, const struct config *config, const struct sample pair[2],
                      struct json_object *route)
{
    double seconds = (double)(pair[1].at_us - pair[0].at_us) / US_PER_S;
    struct str name = json_find_str(route, "name");
    struct totals now = totals_of(config, route);
    struct totals before = totals_of(config, find_named(pair[0].state, "routes", name));

    if (name.len == 0 && now.accepted + now.refused + now.failed == 0)
        return;
    output_safe_column(out, name.len ? name : STR("(no route)"), 28);
    buf_printf(out, "%10.1f %10.1f %10.1f %12" PRId64 " %10" PRId64 " %10" PRId64 "\n",
               rate(now.accepted, before.accepted, seconds),
               rate(now.refused, before.refused, seconds), rate(now.failed, before.failed, seconds),
               now.accepted, now.refused, now.failed);
}

static void add_sink(struct buf *out, const struct sample pair[2], struct json_object *sink)
{
    double seconds = (double)(pair[1].at_us - pair[0].at_us) / US_PER_S;
    struct str name = json_find_str(sink, "name");
    struct json_object *before = find_named(pair[0].state, "sinks", name);
    int64_t delivered = json_find_int64(sink, "delivered");

    output_safe_column(out, name, 28);
    buf_printf(out, "%10.1f %12" PRId64 " %10" PRId64 " %10" PRId64 " %9.1fs %s%s\n",
               rate(delivered, before ? json_find_int64(before, "delivered") : delivered, seconds),
               delivered, json_find_int64(sink, "pending"), json_find_int64(sink, "dead"),
               (double)json_find_int64(sink, "oldest_ms") / 1000,
               json_find_true(sink, "paused") ? "paused " : "",
               json_find_true(sink, "misconfigured") ? "misconfigured" : "");
}

static void add_lists(struct buf *out, const struct config *config, const struct sample pair[2])
{
    struct json_object *list;

    buf_printf(out, "\n%-28s %10s %10s %10s %12s %10s %10s\n", "ROUTE", "ACCEPTED/S", "REFUSED/S",
               "5XX/S", "ACCEPTED", "REFUSED", "5XX");
    if (json_find(pair[1].state, "routes", &list))
        for (size_t i = 0; i < json_object_array_length(list); i++)
            add_route(out, config, pair, json_object_array_get_idx(list, i));
    buf_printf(out, "\n%-28s %10s %12s %10s %10s %10s\n", "SINK", "RECORDS/S", "DELIVERED",
               "PENDING", "DEAD", "OLDEST");
    if (json_find(pair[1].state, "sinks", &list))
        for (size_t i = 0; i < json_object_array_length(list); i++)
            add_sink(out, pair, json_object_array_get_idx(list, i));
}

static void show(const struct top *top, const struct sample pair[2])
{
    struct json_object *state = pair[1].state;
    struct json_object *store;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    if (isatty(STDOUT_FILENO))
        buf_add(&out, STR("\x1b[H\x1b[J"));
    buf_printf(&out, "%s, %" PRId64 " connections, %" PRId64 " bytes of bodies in flight\n",
               json_find_true(state, "ready") ? "ready" : "NOT READY",
               json_find_int64(state, "connections"), json_find_int64(state, "inflight_bytes"));
    if (json_find(state, "store", &store))
        buf_printf(
            &out, "store: %" PRId64 " of %" PRId64 " bytes wait, %" PRId64 " refused events open\n",
            json_find_int64(store, "bytes"), json_find_int64(store, "max_bytes"),
            json_find_int64(store, "refused_open"));
    add_lists(&out, top->config, pair);
    buf_add_char(&out, '\n');
    cli_print_all(&out);
    (void)fflush(stdout);
}

static bool take_sample(const struct top *top, struct sample *sample, struct error *err)
{
    sample->at_us = clock_monotonic_us();
    return control_client_top(top->client, &sample->state, err);
}

static void show_json(const struct sample *sample)
{
    struct arena *arena = arena_create();

    cli_print(json_text(arena, sample->state));
    cli_print(STR("\n"));
    (void)fflush(stdout);
    arena_destroy(arena);
}

static bool run_top(const struct top *top, struct error *err)
{
    struct sample pair[2] = { 0 };
    bool ok = take_sample(top, &pair[0], err);

    for (int64_t i = 0; ok && (top->count == 0 || i < top->count); i++) {
        clock_sleep(top->interval_us);
        ok = take_sample(top, &pair[1], err);
        if (!ok)
            break;
        if (top->json)
            show_json(&pair[1]);
        else
            show(top, pair);
        json_object_put(pair[0].state);
        pair[0] = pair[1];
        pair[1].state = NULL;
    }
    json_object_put(pair[0].state);
    return ok;
}

static bool read_interval(void *self, const char *value, struct error *err)
{
    return (settings_time_text(str_from_c(value), self) && *(int64_t *)self > 0) ||
           fail(err, ERR_INVALID, "--interval wants a time, as 500ms or 5s");
}

static bool read_count(void *self, const char *value, struct error *err)
{
    int64_t *count = self;

    return (whole_number(str_from_c(value), INT32_MAX, count) && *count > 0) ||
           fail(err, ERR_INVALID, "--count wants a number from 1 on");
}

static int top_status(struct top *top)
{
    struct error err = { 0 };

    top->client = *top->config->store.path ? control_client_open(top->config->store.path) : NULL;
    if (!top->client)
        (void)fail(&err, ERR_SYSTEM, "no server with this configuration's store runs here");

    bool ok = top->client && run_top(top, &err);

    control_client_close(top->client);
    if (!ok)
        cli_complain("top", err.text);
    return ok ? COMMAND_OK : COMMAND_ENVIRONMENT;
}

int cmd_top(int argc, char **argv)
{
    struct top top = { .interval_us = INTERVAL_US };
    const struct cli_option options[] = {
        { "interval", 0, "T", "between two readings (2s)", .read = read_interval,
          .self = &top.interval_us },
        { "count", 0, "N", "end after N readings", .read = read_count, .self = &top.count },
        { "json", 0, NULL, "print the totals, a JSON object a line", .flag = &top.json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice top [OPTION...]",
        .about = "What a running server does: events by route, sinks, and what waits.\n"
                 "It is asked over the control socket of its store, as the same user or root.\n",
        .options = options,
        .takes_config = true,
    };
    struct cli cli;
    int exit_status;

    if (!cli_parse(argc, argv, &spec, &cli, &exit_status))
        return exit_status;
    if (!cli_load_config(&cli, &top.config))
        return COMMAND_ENVIRONMENT;
    exit_status = top_status(&top);
    config_destroy(top.config);
    return exit_status;
}
