/*
 * inspect_sinks.c - checks the sinks: their secrets, their files, and whether HTTP sinks answer.
 *
 * An HTTP sink is asked with HEAD, which changes nothing. It must be reachable and accept the
 * credentials. Many receivers only know POST, so 404, 405 and 501 are fine.
 */
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/secret.h"
#include "delivery/sinks/oauth.h"
#include "delivery/sinks/webhook.h"
#include "server/cli/inspect_internal.h"

enum { TIMEOUT_US = 5 * US_PER_S, NOT_IMPLEMENTED = 501, OAUTH = 1 /* header */ };

/* Header lines of a request; it owns the secret values. */
struct sink_headers {
    struct fetch_header *list;
    size_t count;
    size_t first_secret;
};

static void end_headers(const struct sink_headers *headers)
{
    for (size_t i = headers->first_secret; i < headers->count; i++)
        secret_free(headers->list[i].value);
}

/* False: a secret cannot be read, which is reported. */
static bool read_headers(const struct inspection *inspection, size_t index,
                         struct sink_headers *out)
{
    const struct config_sink *sink = &inspection->config->sinks[index];
    struct arena *arena = inspection->arena;
    bool ok = true;

    *out = (struct sink_headers){ .first_secret = sink->headers.count };
    out->list = arena_alloc(arena, (sink->headers.count + sink->secret_headers.count + OAUTH) *
                                       sizeof(*out->list));
    for (size_t i = 0; i < sink->headers.count; i++)
        out->list[out->count++] = (struct fetch_header){ sink->headers.list[i].key,
                                                         str_from_c(sink->headers.list[i].value) };
    for (size_t i = 0; i < sink->secret_headers.count; i++) {
        const struct config_pair *pair = &sink->secret_headers.list[i];
        struct error err = { 0 };
        struct str value;

        if (inspect_is_unknown(pair->value)) {
            ok = false;
            continue;
        }
        if (secret_read_file(pair->value, &value, &err)) {
            out->list[out->count++] = (struct fetch_header){ pair->key, value };
            continue;
        }
        inspect_say(inspection, INSPECT_FAILURE, "sink",
                    arena_printf(arena, "/sinks/%zu/secret_headers/%s", index, pair->key).ptr, "%s",
                    err.text);
        ok = false;
    }
    return ok;
}

static void report_status(const struct inspection *inspection, const char *pointer,
                          const struct config_sink *sink, int status)
{
    if (status == 401 || status == 403 || status == 407)
        inspect_say(inspection, INSPECT_FAILURE, "sink", pointer,
                    "%s: refuses the credentials (HEAD is answered %d)", sink->name, status);
    else if (status >= 500 && status != NOT_IMPLEMENTED)
        inspect_say(inspection, INSPECT_FAILURE, "sink", pointer, "%s: HEAD is answered %d",
                    sink->name, status);
    else if (status >= 300 && status < 400)
        inspect_say(inspection, INSPECT_WARNING, "sink", pointer,
                    "%s: HEAD is answered %d, and redirects are not followed", sink->name, status);
    else
        inspect_say(inspection, INSPECT_FINE, "sink", pointer, "%s answers (HEAD: %d)", sink->name,
                    status);
}

static void ask_sink(const struct inspection *inspection, size_t index,
                     const struct sink_headers *headers)
{
    CLEANUP(fetch_answer_done) struct fetch_answer answer;
    const struct config_sink *sink = &inspection->config->sinks[index];
    const char *pointer = arena_printf(inspection->arena, "/sinks/%zu/url", index).ptr;
    struct fetch_client *client = fetch_client_create();
    struct error err = { 0 };
    const struct fetch_request request = {
        .method = "HEAD",
        .url = sink->url,
        .headers = headers->list,
        .header_count = headers->count,
        .timeout_us = sink->timeout_us < TIMEOUT_US ? sink->timeout_us : TIMEOUT_US,
        .proxy = FETCH_PROXY_ENVIRONMENT,
        .ca_file = sink->ca_file,
        .status_only = true,
        .cert_file = sink->cert_file,
        .key_file = sink->key_file,
    };

    fetch_answer_init(&answer, 0);
    if (fetch_client_run(client, &request, &answer, &err)) {
        inspect_note_date(inspection, sink->url, &answer);
        report_status(inspection, pointer, sink, answer.status);
    } else {
        inspect_say(inspection, INSPECT_FAILURE, "sink", pointer, "%s: %s", sink->name, err.text);
    }
    fetch_client_destroy(client);
}

/* Can the sink sign? If not, that is reported. */
static bool can_sign(const struct inspection *inspection, size_t index)
{
    const char *file = inspection->config->sinks[index].sign.secret_file;
    const struct webhook_message message = { .id = STR("doctor"), .body = STR("{}") };
    struct error err = { 0 };

    if (inspect_is_unknown(file))
        return false;
    if (!*file || webhook_sign(file, &message, arena_buf(inspection->arena, SIZE_MAX), &err))
        return true;
    inspect_say(inspection, INSPECT_FAILURE, "sink",
                arena_printf(inspection->arena, "/sinks/%zu/sign/secret_file", index).ptr, "%s",
                err.text);
    return false;
}

/* Add a token, if the sink sends one. False: none is issued, which is reported. */
static bool add_token(const struct inspection *inspection, size_t index,
                      struct sink_headers *headers)
{
    const struct config_sink *sink = &inspection->config->sinks[index];
    struct error err = { 0 };
    struct oauth_grant grant;
    struct oauth *oauth;
    bool ok;

    if (!*sink->oauth.token_url)
        return true;
    oauth = oauth_create(&(struct oauth_options){
        .token_url = sink->oauth.token_url,
        .client_id = sink->oauth.client_id,
        .client_secret_file = sink->oauth.client_secret_file,
        .scope = sink->oauth.scope,
        .ca_file = sink->ca_file,
        .timeout_us = TIMEOUT_US,
    });
    ok = oauth_authorize(oauth, &grant, &err);
    if (ok)
        headers->list[headers->count++] =
            (struct fetch_header){ "Authorization", grant.authorization };
    else
        inspect_say(inspection, INSPECT_FAILURE, "sink",
                    arena_printf(inspection->arena, "/sinks/%zu/oauth", index).ptr, "%s: %s",
                    sink->name, err.text);
    oauth_destroy(oauth);
    return ok;
}

static void look_at_http(const struct inspection *inspection, size_t index)
{
    CLEANUP(end_headers) struct sink_headers headers;
    bool is_sound = read_headers(inspection, index, &headers);

    is_sound = can_sign(inspection, index) && is_sound;
    if (is_sound && inspection->options->asks_others && add_token(inspection, index, &headers))
        ask_sink(inspection, index, &headers);
}

static void look_at_file(const struct inspection *inspection, size_t index)
{
    const struct config_sink *sink = &inspection->config->sinks[index];
    const char *pointer = arena_printf(inspection->arena, "/sinks/%zu/path", index).ptr;

    inspect_say(inspection, INSPECT_FINE, "sink", pointer, "%s writes to %s", sink->name,
                sink->path);
    inspect_disk(inspection, pointer, sink->path, 0);
}

void inspect_sinks(const struct inspection *inspection)
{
    const struct config *config = inspection->config;

    for (size_t i = 0; i < config->sink_count; i++) {
        if (!inspect_is_sound(inspection, arena_printf(inspection->arena, "/sinks/%zu", i).ptr))
            continue;
        inspect_sink_fields(inspection, i);
        if (config->sinks[i].kind == CONFIG_SINK_HTTP)
            look_at_http(inspection, i);
        else if (config->sinks[i].kind == CONFIG_SINK_FILE)
            look_at_file(inspection, i);
        else if (config->sinks[i].kind == CONFIG_SINK_KAFKA && inspection->options->asks_others)
            inspect_kafka(inspection, i);
        else if (inspection->options->asks_others)
            inspect_target(inspection, i);
    }
}
