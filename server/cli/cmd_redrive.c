/*
 * cmd_redrive.c - `sluice redrive`: post the events of a rule's dead-letter queue to the server.
 *
 * A message is removed when the server has answered 200, or 400 and keeps the event in quarantine.
 * An answer that a later try can change ends the work: the server does not take events now.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/secret.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/dead_letters.h"
#include "server/cli/interrupt.h"
#include "server/cli/progress.h"
#include "server/cli/rows.h"
#include "server/cli/sender.h"

enum { URL_SIZE = 2048, CODES_MAX = 16, REASONS_MAX = 2 * 1024 * 1024 };

/* How many messages had an ERROR_CODE. */
struct code {
    char name[64];
    uint64_t count;
};

struct redrive {
    const struct config *config;
    const char *url;
    char default_url[URL_SIZE];
    bool dry_run;
    bool json;
    int64_t since_us;
    int64_t limit; /* 0: none */
    struct sender_options options;
    struct sender *sender;
    struct dead_letters *letters;
    struct code codes[CODES_MAX];
    size_t code_count;
    uint64_t seen;
    uint64_t delivered;
    uint64_t quarantined;
    uint64_t refused;
    bool is_busy; /* the server does not take events now */
    struct sender_result last;
};

static bool read_limit_count(void *self, const char *value, struct error *err)
{
    int64_t *limit = self;

    return (whole_number(str_from_c(value), INT32_MAX, limit) && *limit > 0) ||
           fail(err, ERR_INVALID, "--limit wants a number from 1 on");
}

static void count_code(struct redrive *redrive, struct str name)
{
    struct code *code = redrive->codes;
    size_t i = 0;

    while (i < redrive->code_count && !str_equal(str_from_c(code[i].name), name))
        i++;
    if (i == CODES_MAX)
        i--; /* the rest counts as the last one */
    if (i == redrive->code_count) {
        (void)snprintf(code[i].name, sizeof(code[i].name), "%.*s", STR_ARG(name));
        redrive->code_count++;
    }
    code[i].count++;
}

/* Does the server keep this event if it answers 400? The quarantine needs room for the reasons,
 * too. */
static bool keeps_refused(const struct config *config, struct str body)
{
    const struct config_store *store = &config->store;

    return *store->path && store->quarantine.enabled &&
           body.len + REASONS_MAX <= store->quarantine.max_size;
}

/* Post one message. True: it can be removed. */
static bool post_letter(struct redrive *redrive, const struct dead_letter *letter)
{
    redrive->last = sender_send(redrive->sender, letter->body);
    if (redrive->last.verdict == SENDER_DELIVERED) {
        redrive->delivered++;
        return true;
    }
    if (redrive->last.status == 400 && keeps_refused(redrive->config, letter->body)) {
        redrive->quarantined++;
        return true;
    }
    redrive->is_busy = redrive->last.verdict == SENDER_RETRY;
    redrive->refused++;
    return false;
}

static bool handle_letter(struct redrive *redrive, const struct dead_letter *letter,
                          struct error *err)
{
    if (letter->sent_us < redrive->since_us ||
        (redrive->limit > 0 && redrive->seen == (uint64_t)redrive->limit) || redrive->is_busy ||
        interrupt_came()) {
        dead_letters_keep(redrive->letters, letter);
        return true;
    }
    redrive->seen++;
    count_code(redrive, letter->error_code.len > 0 ? letter->error_code : STR("none"));
    if (!redrive->dry_run && post_letter(redrive, letter))
        return dead_letters_remove(redrive->letters, letter, err);
    dead_letters_keep(redrive->letters, letter);
    return true;
}

static bool is_at_end(const struct redrive *redrive)
{
    return redrive->is_busy || interrupt_came() ||
           (redrive->limit > 0 && redrive->seen == (uint64_t)redrive->limit);
}

static bool redrive_all(struct redrive *redrive, struct error *err)
{
    struct progress progress;
    const struct dead_letter *list;
    size_t count;
    bool ok = true;

    progress_start(&progress, dead_letters_count(redrive->letters));
    while (ok && !is_at_end(redrive)) {
        ok = dead_letters_take(redrive->letters, &list, &count, err);
        if (!ok || count == 0)
            break;
        for (size_t i = 0; ok && i < count; i++)
            ok = handle_letter(redrive, &list[i], err);
        progress_add(&progress, count);
    }
    progress_end(&progress);
    return ok;
}

/* Where events go, and with which credential. */

/* A server that listens on every address is reached on loopback. */
static const char *host_of(const struct config_address *listen)
{
    if (strcmp(listen->host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(listen->host, "::") == 0 ? "::1" : listen->host;
}

static void find_url(struct redrive *redrive)
{
    const struct config_http *http = &redrive->config->http;

    (void)snprintf(redrive->default_url, sizeof(redrive->default_url), "%s://%s%s%s:%u/events",
                   *http->tls.cert_file ? "https" : "http", http->listen.ipv6 ? "[" : "",
                   host_of(&http->listen), http->listen.ipv6 ? "]" : "",
                   (unsigned)http->listen.port);
    redrive->options.url = redrive->url ? redrive->url : redrive->default_url;
    redrive->options.any_certificate = !redrive->url; /* its name is another one */
}

/* The first key or password of the configuration. */
static bool find_credential(struct redrive *redrive, struct error *err)
{
    const struct config_auth *auth = &redrive->config->auth;
    struct sender_options *options = &redrive->options;

    if (auth->api_key_count > 0) {
        options->header = auth->api_keys[0].header;
        return secret_read_file(auth->api_keys[0].value_file, &options->header_value, err);
    }
    if (auth->basic_count > 0) {
        options->header = "Authorization";
        return sender_basic(auth->basic[0].user, auth->basic[0].password_file,
                            &options->header_value, err);
    }
    return !*auth->bearer.issuer ||
           fail(err, ERR_CONFIG, "only bearer tokens are accepted: configure an API key as well");
}

/* The result. */

static void print_redrive_json(const struct redrive *redrive)
{
    (void)printf("{\"seen\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"quarantined\":%" PRIu64
                 ",\"refused\":%" PRIu64 ",\"codes\":{",
                 redrive->seen, redrive->delivered, redrive->quarantined, redrive->refused);
    for (size_t i = 0; i < redrive->code_count; i++) {
        CLEANUP(buf_done) struct buf name;

        buf_init(&name, SIZE_MAX);
        json_write_string(&name, str_from_c(redrive->codes[i].name));
        (void)printf("%s%.*s:%" PRIu64, i > 0 ? "," : "", STR_ARG(buf_str(&name)),
                     redrive->codes[i].count);
    }
    (void)puts("}}");
}

static void print_redrive(const struct redrive *redrive)
{
    if (redrive->json) {
        print_redrive_json(redrive);
        return;
    }
    if (redrive->dry_run)
        (void)printf("%" PRIu64 " messages would be posted\n", redrive->seen);
    else
        (void)printf("delivered %" PRIu64 ", kept in quarantine %" PRIu64
                     ", left in the queue %" PRIu64 "\n",
                     redrive->delivered, redrive->quarantined, redrive->refused);
    for (size_t i = 0; i < redrive->code_count; i++)
        (void)printf("  %-28s %" PRIu64 "\n", redrive->codes[i].name, redrive->codes[i].count);
}

static void complain_of_answer(const struct redrive *redrive)
{
    char text[URL_SIZE + ERR_TEXT_SIZE];

    if (redrive->refused == 0)
        return;
    (void)snprintf(text, sizeof(text), "%s answered %d%s%s", redrive->options.url,
                   redrive->last.status, redrive->last.status > 0 ? "" : ": ",
                   redrive->last.error.text);
    cli_complain("redrive", text);
}

static int redrive_run(struct redrive *redrive, const char *queue_url)
{
    struct error err = { 0 };

    redrive->options.header = "";
    redrive->options.ca_file = "";
    find_url(redrive);
    (void)signal(SIGPIPE, SIG_IGN); /* of connections */
    interrupt_watch();

    bool ok = fetch_init(&err) && find_credential(redrive, &err) &&
              dead_letters_open(queue_url, redrive->config, &redrive->letters, &err);

    redrive->sender = sender_create(&redrive->options);
    ok = ok && redrive_all(redrive, &err);
    dead_letters_close(redrive->letters);
    sender_destroy(redrive->sender);
    secret_free(redrive->options.header_value);
    print_redrive(redrive);
    complain_of_answer(redrive);
    if (!ok)
        cli_complain("redrive", err.text);
    if (!ok)
        return COMMAND_ENVIRONMENT;
    return redrive->refused == 0 ? COMMAND_OK : COMMAND_NO;
}

int cmd_redrive(int argc, char **argv)
{
    struct redrive redrive = { 0 };
    const struct cli_option options[] = {
        { "url", 0, "URL", "post to this server; default: the one of the configuration",
          .text = &redrive.url },
        { "dry-run", 0, NULL, "only count the messages", .flag = &redrive.dry_run },
        { "limit", 0, "N", "at most N messages", .read = read_limit_count, .self = &redrive.limit },
        { "since", 0, "T",
          "messages that were sent at or after T: 2026-11-23T06:22:01Z, or how long\nago: 90s, 2h, "
          "3d",
          .read = rows_read_time, .self = &redrive.since_us },
        { "json", 0, NULL, "print the result as a JSON object", .flag = &redrive.json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice redrive QUEUE_URL [OPTION...]",
        .about = "Post the events in the dead-letter queue of a rule, a queue of SQS, to the "
                 "server, with the\nfirst API key or password of the configuration. A message is "
                 "removed when the server has\nanswered 200, or 400 and keeps the event in "
                 "quarantine. An answer that a later try can change,\nas 503, ends the command. It "
                 "can be interrupted at any time: what was not removed stays in\nthe queue. AWS "
                 "credentials and region are found as for sinks.\n",
        .ending = "Exits with 0 when all are removed, 1 when some are left, 2 for a wrong call, 3 "
                  "when the queue\ncannot be used.\n",
        .options = options,
        .takes_config = true,
        .max_arguments = 1,
    };
    struct config *config;
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (cli.argument_count != 1)
        return cli_refuse("redrive", "say which queue");
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    redrive.config = config;
    status = redrive_run(&redrive, cli.arguments[0]);
    config_destroy(config);
    return status;
}
