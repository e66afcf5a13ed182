/*
 * sink_kinds.c - see sink_kinds.h.
 */
#include "server/sink_kinds.h"

#include "delivery/sinks/file.h"
#include "delivery/sinks/http.h"

enum { HTTP_IN_FLIGHT = 4 };

static const char *copy(const struct sink_maker *maker, const char *text)
{
    return arena_copy(maker->arena, str_from_c(text)).ptr;
}

static bool make_file(const struct sink_maker *maker, const struct config_sink *config,
                      struct sink *out, struct error *err)
{
    (void)err;
    *out = sink_file(&(struct sink_file_options){
        .name = copy(maker, config->name),
        .path = copy(maker, config->path),
        .taken = maker->taken.list,
        .taken_count = maker->taken.count,
        .rotate_size = config->rotate_size,
        .rotate_every_us = config->rotate_every_us,
        .batch = (size_t)config->batch,
    });
    return true;
}

static struct sink_http_header secret_header(const struct sink_maker *maker,
                                             const struct config_pair *pair)
{
    const char *text = config_secret_env(pair->value);

    return (struct sink_http_header){
        .name = copy(maker, pair->key),
        .value = text ? copy(maker, text) : NULL,
        .file = text ? NULL : copy(maker, pair->value),
    };
}

static bool make_http(const struct sink_maker *maker, const struct config_sink *config,
                      struct sink *out, struct error *err)
{
    const struct config_pairs *plain = &config->headers;
    const struct config_pairs *secret = &config->secret_headers;
    size_t count = plain->count + secret->count;
    struct sink_http_header *headers = arena_alloc(maker->arena, (count + 1) * sizeof(*headers));

    (void)err;
    for (size_t i = 0; i < plain->count; i++)
        headers[i] = (struct sink_http_header){ .name = copy(maker, plain->list[i].key),
                                                .value = copy(maker, plain->list[i].value) };
    for (size_t i = 0; i < secret->count; i++)
        headers[plain->count + i] = secret_header(maker, &secret->list[i]);
    *out = sink_http(&(struct sink_http_options){
        .url = copy(maker, config->url),
        .headers = headers,
        .header_count = count,
        .batch = config->batch > 0 ? (size_t)config->batch : 1,
        .timeout_us = config->timeout_us,
        .ca_file = copy(maker, config->ca_file),
        .in_flight = config->in_flight > 0 ? (size_t)config->in_flight : HTTP_IN_FLIGHT,
        .gzip = config->compression == CONFIG_COMPRESSION_GZIP,
        .cert_file = copy(maker, config->cert_file),
        .key_file = copy(maker, config->key_file),
        .sign_file = copy(maker, config->sign.secret_file),
        .oauth = { .token_url = copy(maker, config->oauth.token_url),
                   .client_id = copy(maker, config->oauth.client_id),
                   .client_secret_file = copy(maker, config->oauth.client_secret_file),
                   .scope = copy(maker, config->oauth.scope) },
    });
    return true;
}

typedef bool make_sink(const struct sink_maker *maker, const struct config_sink *config,
                       struct sink *out, struct error *err);

static make_sink *const makers[] = {
    [CONFIG_SINK_FILE] = make_file,
    [CONFIG_SINK_HTTP] = make_http,
};

bool sink_make(const struct sink_maker *maker, const struct config_sink *config, struct sink *out,
               struct error *err)
{
    return makers[config->kind](maker, config, out, err);
}
