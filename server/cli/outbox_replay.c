/*
 * outbox_replay.c - see outbox_replay.h.
 */
#include "server/cli/outbox_replay.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "server/cli/admin.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

enum { TEXT_MAX = 1024, PAUSE_US = 200 * US_PER_MS };

static bool has_route(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->route_count; i++)
        if (strcmp(config->routes[i].name, name) == 0)
            return true;
    return false;
}

/* A name that an earlier configuration had is not an error: its records may be there still. */
static void warn_of_route(const struct config *config, const char *name)
{
    if (name && !has_route(config, name))
        cli_complain("outbox", "no route has this name now; looking for records of an earlier one");
}

static bool replay_portions(struct admin *admin, struct outbox_replay *replay, int64_t *count,
                            struct error *err)
{
    for (*count = 0; !replay->done; *count += replay->count) {
        if (!admin_replay_records(admin, replay, err))
            return false;
        if (replay->waits)
            clock_sleep(PAUSE_US);
    }
    return true;
}

static void print_count(const struct replay_options *options, int64_t count, bool is_all)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    buf_printf(&out, "%" PRId64 " records %s sink %s%s\n", count,
               options->dry_run ? "would be delivered again to" : "wait again for", options->sink,
               is_all ? "" : ", not all");
    cli_print_all(&out);
}

int outbox_replay_run(const struct config *config, const struct replay_options *options,
                      struct error *err)
{
    struct outbox_replay replay = {
        .sink = options->sink,
        .from_us = options->from_us,
        .until_us = options->until_us ? options->until_us : INT64_MAX,
        .routes = config_routes_of(config, options->sink).ptr,
        .only_routes = options->route != NULL,
        .dry_run = options->dry_run,
    };
    struct admin *admin;
    int64_t count;

    if (options->route)
        replay.routes = config_output_names(config, options->route, options->sink).ptr;
    warn_of_route(config, options->route);
    if (!admin_open(config, &admin, err))
        return COMMAND_ENVIRONMENT;

    bool ok = replay_portions(admin, &replay, &count, err);

    admin_close(admin);
    if (ok || count > 0)
        print_count(options, count, ok);
    return ok ? COMMAND_OK : cli_status(err);
}
