/*
 * rows.c - see rows.h.
 */
#include "server/cli/rows.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "settings/unit.h"

#define NUMBER_MAX (INT64_MAX / 10)

enum option_key {
    OPTION_SINCE = 256,
    OPTION_UNTIL,
    OPTION_OUTCOME,
    OPTION_SINK,
    OPTION_ROUTE,
    OPTION_SCHEMA_VERSION,
    OPTION_ALL,
    OPTION_LIMIT,
    OPTION_JSON,
    OPTION_BYTES,
    OPTION_DRY_RUN,
    OPTION_RATE,
};

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "since", required_argument, NULL, OPTION_SINCE },
    { "until", required_argument, NULL, OPTION_UNTIL },
    { "outcome", required_argument, NULL, OPTION_OUTCOME },
    { "sink", required_argument, NULL, OPTION_SINK },
    { "route", required_argument, NULL, OPTION_ROUTE },
    { "schema-version", required_argument, NULL, OPTION_SCHEMA_VERSION },
    { "all", no_argument, NULL, OPTION_ALL },
    { "limit", required_argument, NULL, OPTION_LIMIT },
    { "json", no_argument, NULL, OPTION_JSON },
    { "bytes", no_argument, NULL, OPTION_BYTES },
    { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
    { "rate", required_argument, NULL, OPTION_RATE },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

/* What the command line says before the configuration is known. */
struct words {
    const char *config;
    const char *route;
    bool help;
    bool has_move;     /* is it a verb of this command? */
    const char *wrong; /* what is wrong with it; NULL: nothing */
};

/* A time: RFC 3339, or how long ago. */
static bool read_time(const char *text, int64_t *us)
{
    int64_t ago;

    if (clock_parse(str_from_c(text), us))
        return true;
    if (!settings_time_text(str_from_c(text), &ago))
        return false;
    *us = clock_now_us() - ago;
    return true;
}

/* A whole number, 1 or more. */
static bool read_count(const char *text, int64_t *out)
{
    int64_t number = 0;

    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || number > NUMBER_MAX / 10)
            return false;
        number = number * 10 + (*at - '0');
    }
    *out = number;
    return number > 0;
}

static bool read_rate(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && !*end && *out > 0;
}

static void take_time(const char *text, int64_t *us, struct words *words)
{
    if (!read_time(text, us))
        words->wrong = "a time is 2026-11-23, 2026-11-23T06:22:01Z, or how long ago: 90s, 2h, 3d";
}

/* All failures of the registry have one name together. */
static void take_outcome(const char *text, struct outbox_filter *filter)
{
    if (strcmp(text, "registry") == 0)
        filter->only_registry_kind = true;
    else
        filter->outcome = text;
}

static void take_option(int key, struct cli_rows *rows, struct words *words)
{
    int64_t limit;

    switch (key) {
    case 'c':
        words->config = optarg;
        break;
    case 'h':
        words->help = true;
        break;
    case OPTION_SINCE:
        take_time(optarg, &rows->filter.from_us, words);
        break;
    case OPTION_UNTIL:
        take_time(optarg, &rows->filter.until_us, words);
        break;
    case OPTION_OUTCOME:
        take_outcome(optarg, &rows->filter);
        break;
    case OPTION_SINK:
        rows->filter.sink = optarg;
        break;
    case OPTION_ROUTE:
        words->route = optarg;
        break;
    case OPTION_SCHEMA_VERSION:
        rows->filter.version = optarg;
        break;
    case OPTION_ALL:
        rows->filter.with_resolved = true;
        break;
    case OPTION_LIMIT:
        if (read_count(optarg, &limit))
            rows->filter.limit = (size_t)limit;
        else
            words->wrong = "--limit wants a number from 1 on";
        break;
    case OPTION_JSON:
        rows->json = true;
        break;
    case OPTION_BYTES:
        rows->bytes = true;
        break;
    case OPTION_DRY_RUN:
        rows->dry_run = true;
        break;
    case OPTION_RATE:
        if (!read_rate(optarg, &rows->rate))
            words->wrong = "--rate wants a number over 0";
        break;
    default:
        words->wrong = "unknown option, or one without its value";
    }
}

/* The verb, and how many arguments it wants with itself; 0: any number. */
static bool take_verb(const char *word, bool has_move, struct cli_rows *rows, int *wanted)
{
    static const struct {
        const char *word;
        int wanted;
    } verbs[] = {
        [CLI_ROWS_LIST] = { "list", 1 },
        [CLI_ROWS_SHOW] = { "show", 2 },
        [CLI_ROWS_REPLAY] = { "replay", 0 },
        [CLI_ROWS_MOVE] = { "move", 2 },
    };
    size_t count = has_move ? COUNT_OF(verbs) : CLI_ROWS_MOVE;

    for (size_t i = 0; i < count; i++)
        if (strcmp(word, verbs[i].word) == 0) {
            rows->verb = (enum cli_rows_verb)i;
            *wanted = verbs[i].wanted;
            return true;
        }
    return false;
}

/* The verb and the ids behind it. */
static void take_arguments(int count, char **arguments, struct cli_rows *rows, struct words *words)
{
    static const char *const wrong[] = {
        [CLI_ROWS_LIST] = "list takes options alone",
        [CLI_ROWS_SHOW] = "show wants one ID",
        [CLI_ROWS_MOVE] = "move wants one SEQUENCE",
    };
    int wanted = 0;

    if (count < 1 || !take_verb(arguments[0], words->has_move, rows, &wanted)) {
        words->wrong = words->has_move ? "say list, show ID, replay or move SEQUENCE"
                                       : "say list, show ID or replay";
        return;
    }
    if (wanted > 0 && count != wanted)
        words->wrong = wrong[rows->verb];
    rows->ids = count > 1 ? mem_alloc_array((size_t)count - 1, sizeof(rows->ids[0])) : NULL;
    for (int i = 1; i < count; i++)
        if (!read_count(arguments[i], &rows->ids[rows->id_count++]))
            words->wrong = "an ID is a number, as list shows it";
}

static bool find_route(const struct config *config, const char *text, struct outbox_filter *filter)
{
    int64_t number;

    if (!text)
        return true;
    if (!read_count(text, &number) || (uint64_t)number > config->route_count)
        return false;
    filter->registry = config->routes[number - 1].registry;
    filter->schema = config->routes[number - 1].schema;
    return true;
}

static bool refuse(const char *command, const char *text, int status, int *exit_status)
{
    cli_complain(command, text);
    if (status == COMMAND_USAGE)
        (void)fprintf(stderr, "Try: sluice %s --help\n", command);
    *exit_status = status;
    return false;
}

static bool load_config(const char *command, const struct words *words, struct cli_rows *rows,
                        int *exit_status)
{
    const struct cli cli = { .config_path = config_path(words->config) };

    if (!cli_load_config(&cli, &rows->config)) {
        *exit_status = COMMAND_ENVIRONMENT;
        return false;
    }
    if (!*rows->config->store.path)
        return refuse(command, "the configuration has no store (store.path)", COMMAND_ENVIRONMENT,
                      exit_status);
    if (!find_route(rows->config, words->route, &rows->filter))
        return refuse(command, "--route wants the number of a route, counted from 1", COMMAND_USAGE,
                      exit_status);
    return true;
}

static void done(struct cli_rows *rows)
{
    mem_free(rows->ids);
    config_destroy(rows->config);
}

static bool parse(int argc, char **argv, const struct cli_rows_command *command,
                  struct cli_rows *out, int *exit_status)
{
    struct words words = { .has_move = command->move != NULL };
    int option;

    *out = (struct cli_rows){ 0 };
    optind = 0; /* getopt's state is the process's; begin anew */
    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1)
        take_option(option, out, &words);
    if (words.help) {
        (void)fputs(command->usage, stdout);
        *exit_status = COMMAND_OK;
        return false;
    }
    if (!words.wrong)
        take_arguments(argc - optind, argv + optind, out, &words);

    bool ok = words.wrong ? refuse(argv[0], words.wrong, COMMAND_USAGE, exit_status)
                          : load_config(argv[0], &words, out, exit_status);

    if (!ok)
        done(out);
    return ok;
}

int cli_rows_status(bool ok)
{
    return ok ? COMMAND_OK : COMMAND_ENVIRONMENT;
}

static int run(const struct cli_rows *rows, const struct cli_rows_command *command,
               struct error *err)
{
    struct outbox_view *view;
    int exit_status;

    if (rows->verb == CLI_ROWS_MOVE)
        return command->move(rows, err);
    if (!outbox_view_open(rows->config->store.path, &view, err))
        return COMMAND_ENVIRONMENT;
    if (rows->verb == CLI_ROWS_LIST)
        exit_status = command->list(rows, view, err);
    else if (rows->verb == CLI_ROWS_SHOW)
        exit_status = command->show(rows, view, err);
    else
        exit_status = command->replay(rows, view, err);
    outbox_view_close(view);
    return exit_status;
}

int cli_rows_run(int argc, char **argv, const struct cli_rows_command *command)
{
    struct cli_rows rows;
    struct error err = { 0 };
    int exit_status;

    if (!parse(argc, argv, command, &rows, &exit_status))
        return exit_status;
    log_configure(LOG_ERROR, LOG_TEXT);
    exit_status = run(&rows, command, &err);
    if (err.text[0])
        cli_complain(argv[0], err.text);
    done(&rows);
    return exit_status;
}

void cli_rows_pace(const struct cli_rows *rows, size_t index, int64_t start_us)
{
    if (rows->rate <= 0)
        return;

    int64_t due_us = start_us + (int64_t)((double)index / rows->rate * 1e6);
    int64_t left_us = due_us - clock_monotonic_us();

    if (left_us > 0) {
        const struct timespec pause = clock_timespec(left_us);

        (void)nanosleep(&pause, NULL); /* a signal may end the program here */
    }
}
