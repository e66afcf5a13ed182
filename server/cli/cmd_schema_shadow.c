/*
 * cmd_schema_shadow.c - `sluice schema shadow`: what shadow schemas would decide differently.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/cli/cmd_schema.h"
#include "server/cli/commands.h"
#include "server/cli/control_client.h"
#include "server/output.h"

enum { TEXT_MAX = 1024 * 1024 };

static int64_t count_of(struct json_object *object, const char *name)
{
    struct json_object *value;
    int64_t count = 0;

    if (json_find(object, name, &value))
        (void)json_int64(value, &count);
    return count;
}

static void add_rule(struct buf *out, struct json_object *rule)
{
    struct str keyword = json_find_str(rule, "rule");
    struct str place = json_find_str(rule, "place");

    buf_printf(out, "  %-12.*s %8" PRId64 "  ", STR_ARG(json_find_str(rule, "verdict")),
               count_of(rule, "events"));
    output_safe_column(out, keyword.len ? keyword : STR("(too costly to say)"), 0);
    buf_add(out, STR("at "));
    output_safe_column(out, place.len ? place : STR("\"\""), 0);
    buf_printf(out, "first %.*s\n", STR_ARG(json_find_str(rule, "first_at")));
}

static void add_error(struct buf *out, struct json_object *shadow)
{
    struct str error = json_find_str(shadow, "error");

    if (error.len > 0)
        buf_printf(out, "  the last look at the shadow failed: %.*s\n", STR_ARG(error));
}

static void add_counts(struct buf *out, struct json_object *shadow, struct json_object *events)
{
    struct str since = json_find_str(shadow, "since");

    if (since.len == 0) {
        buf_add(out, STR("  no event yet\n"));
        return;
    }
    buf_printf(out,
               "  since %.*s, with versions %.*s and %.*s: %" PRId64 " events agree, %" PRId64
               " would be refused, %" PRId64 " would be accepted, %" PRId64 " skipped, %" PRId64
               " without the schema\n",
               STR_ARG(since), STR_ARG(json_find_str(shadow, "live_version")),
               STR_ARG(json_find_str(shadow, "shadow_version")), count_of(events, "agrees"),
               count_of(events, "would_refuse"), count_of(events, "would_accept"),
               count_of(events, "skipped"), count_of(events, "unavailable"));
}

static void print_shadow(struct buf *out, struct json_object *shadow, struct json_object *events)
{
    struct json_object *rules = NULL;
    int64_t left_out = count_of(shadow, "rules_left_out");

    buf_printf(out, "%.*s: %.*s/%.*s, shadow: %.*s\n", STR_ARG(json_find_str(shadow, "route")),
               STR_ARG(json_find_str(shadow, "registry")), STR_ARG(json_find_str(shadow, "schema")),
               STR_ARG(json_find_str(shadow, "shadow")));
    add_error(out, shadow);
    add_counts(out, shadow, events);
    (void)json_find(shadow, "rules", &rules);
    for (size_t i = 0; i < json_count(rules); i++)
        add_rule(out, json_at(rules, i));
    if (left_out > 0)
        buf_printf(out, "  and %" PRId64 " events of more rules\n", left_out);
}

/* Print the shadow of one route. False: it would decide some events differently. */
static bool print_one(const struct schema_cli *cli, struct json_object *shadow)
{
    struct json_object *events = NULL;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    (void)json_find(shadow, "events", &events);
    if (cli->json) {
        buf_add(&out, json_text(cli->arena, shadow));
        buf_add_char(&out, '\n');
    } else {
        print_shadow(&out, shadow, events);
    }
    cli_print_all(&out);
    return count_of(events, "would_refuse") + count_of(events, "would_accept") == 0;
}

static bool is_wanted(const struct schema_cli *cli, const struct config_route *route)
{
    return !route->drop && (*route->shadow.version || *route->shadow.file) &&
           (cli->argument_count == 0 || strcmp(cli->arguments[0], route->name) == 0) &&
           (!cli->schema || (strcmp(cli->schema, route->schema) == 0 &&
                             strcmp(cli->registry, route->registry) == 0));
}

/* Ask the server for each shadow. False: that failed. */
static bool print_all(const struct schema_cli *cli, struct control_client *server, size_t *shown,
                      bool *agrees, struct error *err)
{
    for (size_t i = 0; i < cli->config->route_count; i++) {
        const struct config_route *route = &cli->config->routes[i];
        CLEANUP(json_cleanup) struct json_object *shadow = NULL;

        if (!is_wanted(cli, route))
            continue;
        if (!control_client_shadow(server, route->name, &shadow, err))
            return fail_within(err, route->name);
        *agrees = print_one(cli, shadow) && *agrees;
        ++*shown;
    }
    return true;
}

int schema_cli_shadow(const struct schema_cli *cli)
{
    const char *store = cli->config->store.path;
    struct control_client *server = *store ? control_client_open(store) : NULL;
    struct error err = { 0 };
    bool agrees = true;
    size_t shown = 0;
    bool ok = server
                  ? print_all(cli, server, &shown, &agrees, &err)
                  : fail(&err, ERR_SYSTEM, "no server with this configuration's store runs here");

    control_client_close(server);
    if (!ok)
        return schema_cli_complain(&err);
    if (shown == 0)
        return cli_refuse("schema", "no such route has a shadow");
    return agrees ? COMMAND_OK : COMMAND_NO;
}
