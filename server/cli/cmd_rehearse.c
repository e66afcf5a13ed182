/*
 * cmd_rehearse.c - `sluice rehearse`: send events as EventBridge would, and show what became of
 * them.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/interrupt.h"
#include "server/cli/lines.h"
#include "server/cli/rehearsal.h"

enum { EVENT_MAX = 8 * 1024 * 1024, TOKEN_TIMEOUT_US = 5 * US_PER_S };

struct rehearse {
    struct rehearsal_options options;
    const char *bus;
    const char *auth;
    const char *user;
    const char *secret_file;
    const char *dlq;
    struct oauth_options oauth;
    double batch;
    bool json;
    struct rehearsal *rehearsal;
    struct buf body; /* the array that is filled */
    size_t in_body;
};

static bool read_positive(void *self, const char *value, struct error *err)
{
    double *number = self;
    char *end;

    *number = strtod(value, &end);
    return (end != value && !*end && *number > 0) ||
           fail(err, ERR_INVALID, "a number over 0 is needed, not %s", value);
}

/* Events. A custom bus sends arrays, unless --batch is 1. */

static void end_body(struct rehearse *rehearse)
{
    if (rehearse->in_body == 0)
        return;
    buf_add_char(&rehearse->body, ']');
    rehearsal_add(rehearse->rehearsal, buf_str(&rehearse->body));
    buf_clear(&rehearse->body);
    rehearse->in_body = 0;
}

static void add_event(struct rehearse *rehearse, struct str event)
{
    event = str_trim(event);
    if (event.len == 0)
        return;
    if (rehearse->options.sender.bus == SENDER_CLASSIC || rehearse->batch < 2) {
        rehearsal_add(rehearse->rehearsal, event);
        return;
    }
    buf_add_char(&rehearse->body, rehearse->in_body == 0 ? '[' : ',');
    buf_add(&rehearse->body, event);
    if (++rehearse->in_body >= (size_t)rehearse->batch)
        end_body(rehearse);
}

static bool add_events(struct rehearse *rehearse, int fd, struct error *err)
{
    struct lines lines;
    struct str line;

    lines_init(&lines, fd, EVENT_MAX);
    while (lines_next(&lines, &line, err))
        add_event(rehearse, line);
    lines_done(&lines);
    return err->code == ERR_NONE;
}

/* A file is one event, or one on each line if its name ends in .ndjson. */
static bool add_file(struct rehearse *rehearse, const char *path, struct error *err)
{
    CLEANUP(file_close) int fd = -1;
    struct str text;

    if (strcmp(path, "-") == 0)
        return add_events(rehearse, STDIN_FILENO, err);
    if (str_ends_with(str_from_c(path), STR(".ndjson")))
        return file_open(path, &fd, err) && add_events(rehearse, fd, err);
    if (!file_read(path, EVENT_MAX, &text, err))
        return false;
    add_event(rehearse, text);
    mem_free((void *)text.ptr);
    return true;
}

/* The credential. */

static bool use_api_key(struct rehearse *rehearse, struct error *err)
{
    struct sender_options *sender = &rehearse->options.sender;

    if (!*sender->header)
        sender->header = "x-api-key";
    return secret_read_file(rehearse->secret_file, &sender->header_value, err);
}

static bool use_basic(struct rehearse *rehearse, struct error *err)
{
    struct sender_options *sender = &rehearse->options.sender;

    sender->header = "Authorization";
    return sender_basic(rehearse->user, rehearse->secret_file, &sender->header_value, err);
}

static bool use_oauth(struct rehearse *rehearse, struct error *err)
{
    (void)err;
    rehearse->oauth.client_secret_file = rehearse->secret_file;
    rehearse->oauth.ca_file = rehearse->options.sender.ca_file;
    rehearse->oauth.timeout_us = TOKEN_TIMEOUT_US;
    rehearse->oauth.in_form = true; /* EventBridge sends them so */
    rehearse->options.sender.oauth = oauth_create(&rehearse->oauth);
    return true;
}

/* NULL: the options fit together. */
static const char *rehearse_refuse(struct rehearse *rehearse)
{
    const char *auth = rehearse->auth;

    if (strcmp(rehearse->bus, "classic") != 0 && strcmp(rehearse->bus, "custom") != 0)
        return "--bus takes classic or custom";
    if (*auth && strcmp(auth, "api-key") != 0 && strcmp(auth, "basic") != 0 &&
        strcmp(auth, "oauth") != 0)
        return "--auth takes api-key, basic or oauth";
    if (*auth && !*rehearse->secret_file)
        return "--auth needs --secret-file";
    if (strcmp(auth, "basic") == 0 && !*rehearse->user)
        return "--auth basic needs --user";
    if (strcmp(auth, "oauth") == 0 && (!*rehearse->oauth.token_url || !*rehearse->user))
        return "--auth oauth needs --token-url, and the client's id as --user";
    return NULL;
}

static bool use_credential(struct rehearse *rehearse, struct error *err)
{
    if (strcmp(rehearse->auth, "api-key") == 0)
        return use_api_key(rehearse, err);
    if (strcmp(rehearse->auth, "basic") == 0)
        return use_basic(rehearse, err);
    return strcmp(rehearse->auth, "oauth") != 0 || use_oauth(rehearse, err);
}

/* The result. */

static void print_counts(const char *name, const uint64_t *counts, size_t count)
{
    (void)printf("%s", name);
    for (size_t i = 0; i < count; i++)
        if (counts[i] > 0)
            (void)printf("  %zu: %" PRIu64, i, counts[i]);
    (void)putchar('\n');
}

static void print_text(const struct rehearsal_result *result)
{
    (void)printf("delivered %" PRIu64 ", dead %" PRIu64, result->delivered, result->dead);
    if (result->left > 0)
        (void)printf(", not decided %" PRIu64, result->left);
    (void)printf(", calls %" PRIu64 "\n", result->calls);
    print_counts("delivered at try ", result->at_try, REHEARSAL_TRIES_MAX + 1);
    print_counts("answers (0: none)", result->statuses, REHEARSAL_STATUS_MAX);
    (void)printf("time of a call     p50 %.1f ms  p99 %.1f ms\n", (double)result->p50_us / 1000,
                 (double)result->p99_us / 1000);
}

static void print_json_counts(const char *name, const uint64_t *counts, size_t count)
{
    const char *separator = "";

    (void)printf(",\"%s\":{", name);
    for (size_t i = 0; i < count; i++)
        if (counts[i] > 0) {
            (void)printf("%s\"%zu\":%" PRIu64, separator, i, counts[i]);
            separator = ",";
        }
    (void)putchar('}');
}

static void print_json(const struct rehearsal_result *result)
{
    (void)printf("{\"delivered\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"left\":%" PRIu64
                 ",\"calls\":%" PRIu64,
                 result->delivered, result->dead, result->left, result->calls);
    print_json_counts("tries", result->at_try, REHEARSAL_TRIES_MAX + 1);
    print_json_counts("statuses", result->statuses, REHEARSAL_STATUS_MAX);
    (void)printf(",\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64 "}\n", result->p50_us,
                 result->p99_us);
}

/* Running. */

static bool add_all(struct rehearse *rehearse, const struct cli *cli, struct error *err)
{
    for (int i = 1; i < cli->argument_count; i++)
        if (!add_file(rehearse, cli->arguments[i], err))
            return false;
    if (cli->argument_count == 1 && !add_events(rehearse, STDIN_FILENO, err))
        return false;
    end_body(rehearse);
    return true;
}

static bool open_dlq(struct rehearse *rehearse, struct error *err)
{
    if (!*rehearse->dlq)
        return true;
    rehearse->options.dlq = fopen(rehearse->dlq, "a");
    return rehearse->options.dlq || fail_errno(err, ERR_SYSTEM, errno, "%s", rehearse->dlq);
}

static bool close_dlq(const struct rehearse *rehearse, struct error *err)
{
    return !rehearse->options.dlq || fclose(rehearse->options.dlq) == 0 ||
           fail_errno(err, ERR_SYSTEM, errno, "%s", rehearse->dlq);
}

static bool rehearse_all(struct rehearse *rehearse, const struct cli *cli,
                         struct rehearsal_result *result, struct error *err)
{
    rehearse->rehearsal = rehearsal_create(&rehearse->options);
    buf_init(&rehearse->body, SIZE_MAX);

    bool ok = fetch_init(err) && use_credential(rehearse, err) && add_all(rehearse, cli, err) &&
              open_dlq(rehearse, err) && rehearsal_run(rehearse->rehearsal, result, err);

    ok = close_dlq(rehearse, err) && ok;
    buf_done(&rehearse->body);
    rehearsal_destroy(rehearse->rehearsal);
    oauth_destroy(rehearse->options.sender.oauth);
    secret_free(rehearse->options.sender.header_value);
    return ok;
}

static int run_rehearse(struct rehearse *rehearse, const struct cli *cli)
{
    struct rehearsal_result result = { 0 };
    struct error err = { 0 };

    rehearse->options.sender.url = cli->arguments[0];
    rehearse->options.sender.bus =
        strcmp(rehearse->bus, "custom") == 0 ? SENDER_CUSTOM : SENDER_CLASSIC;
    (void)signal(SIGPIPE, SIG_IGN); /* of connections */
    interrupt_watch();
    if (!rehearse_all(rehearse, cli, &result, &err)) {
        cli_complain("rehearse", err.text);
        return COMMAND_ENVIRONMENT;
    }
    if (rehearse->json)
        print_json(&result);
    else
        print_text(&result);
    return result.dead + result.left == 0 ? COMMAND_OK : COMMAND_NO;
}

static const char rehearse_about[] =
    "Send events to URL as an API destination of EventBridge does: a new connection for each "
    "call,\nits headers, 5 seconds for the answer, its retries with Retry-After, and a "
    "dead-letter queue.\nEach file of EVENTS is one event, or one on each line if its name ends in "
    ".ndjson, as is standard\ninput. An interrupt ends the rehearsal, and the result so far is "
    "printed.\n";

int cmd_rehearse(int argc, char **argv)
{
    struct rehearse rehearse = {
        .options = { .sender = { .ca_file = "", .header = "" }, .speed = 1, .rate = 300 },
        .bus = "classic",
        .auth = "",
        .user = "",
        .secret_file = "",
        .dlq = "",
        .oauth = { .token_url = "", .scope = "" },
        .batch = 10,
    };
    const struct cli_option options[] = {
        { "bus", 0, "KIND",
          "classic (the default), or custom: arrays, and every answer but 2xx\nis retried",
          .text = &rehearse.bus },
        { "rate", 0, "N", "calls a second, at most; default 300", .read = read_positive,
          .self = &rehearse.options.rate },
        { "speed", 0, "N", "pauses between tries are N times shorter", .read = read_positive,
          .self = &rehearse.options.speed },
        { "batch", 0, "N", "custom: events in an array; default 10, 1: no array",
          .read = read_positive, .self = &rehearse.batch },
        { "dlq", 0, "FILE", "append what is given up to FILE, one JSON object a line",
          .text = &rehearse.dlq },
        { "auth", 0, "KIND", "api-key, basic or oauth; default: none", .text = &rehearse.auth },
        { "secret-file", 0, "FILE",
          "its first line is the key, the password or the client's secret",
          .text = &rehearse.secret_file },
        { "header", 0, "NAME", "api-key: the header; default x-api-key",
          .text = &rehearse.options.sender.header },
        { "user", 0, "NAME", "basic: the user; oauth: the client's id", .text = &rehearse.user },
        { "token-url", 0, "URL", "oauth: where tokens are issued",
          .text = &rehearse.oauth.token_url },
        { "scope", 0, "TEXT", "oauth: what is asked for", .text = &rehearse.oauth.scope },
        { "ca-file", 0, "FILE", "trust these certificates, instead of the system's",
          .text = &rehearse.options.sender.ca_file },
        { "json", 0, NULL, "print the result as a JSON object", .flag = &rehearse.json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice rehearse URL [OPTION...] [EVENTS...|-]",
        .about = rehearse_about,
        .ending = "Exits with 0 when all events are delivered, 1 when not, 2 for a wrong call, 3 "
                  "when a file cannot\nbe used.\n",
        .options = options,
        .max_arguments = INT_MAX,
    };
    const char *wrong;
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    rehearse.oauth.client_id = rehearse.user;
    wrong = cli.argument_count == 0 ? "say which URL" : rehearse_refuse(&rehearse);
    if (wrong)
        return cli_refuse("rehearse", wrong);
    return run_rehearse(&rehearse, &cli);
}
