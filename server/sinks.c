/*
 * sinks.c - see sinks.h.
 */
#include "server/sinks.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"

struct sinks {
    struct arena *arena;         /* of all names and options */
    struct config_strings taken; /* files of the store, which no sink may write to */
    struct pump **pumps;
    size_t count;
};

static const char *copy(struct sinks *sinks, const char *text)
{
    return arena_copy(sinks->arena, str_from_c(text)).ptr;
}

static struct config_strings copy_all(struct sinks *sinks, struct config_strings names)
{
    const char **list = arena_alloc(sinks->arena, (names.count + 1) * sizeof(*list));

    for (size_t i = 0; i < names.count; i++)
        list[i] = copy(sinks, names.list[i]);
    return (struct config_strings){ list, names.count };
}

static struct sink create_file(struct sinks *sinks, const struct config_sink *config)
{
    return sink_file(&(struct sink_file_options){
        .name = copy(sinks, config->name),
        .path = copy(sinks, config->path),
        .taken = sinks->taken.list,
        .taken_count = sinks->taken.count,
        .rotate_size = config->rotate_size,
        .rotate_every_us = config->rotate_every_us,
    });
}

static struct sink create_http(struct sinks *sinks, const struct config_sink *config)
{
    const struct config_pairs *plain = &config->headers;
    const struct config_pairs *secret = &config->secret_headers;
    size_t count = plain->count + secret->count;
    struct sink_http_header *headers = arena_alloc(sinks->arena, (count + 1) * sizeof(*headers));

    for (size_t i = 0; i < plain->count; i++)
        headers[i] = (struct sink_http_header){ .name = copy(sinks, plain->list[i].key),
                                                .value = copy(sinks, plain->list[i].value) };
    for (size_t i = 0; i < secret->count; i++)
        headers[plain->count + i] =
            (struct sink_http_header){ .name = copy(sinks, secret->list[i].key),
                                       .file = copy(sinks, secret->list[i].value) };
    return sink_http(&(struct sink_http_options){
        .url = copy(sinks, config->url),
        .headers = headers,
        .header_count = count,
        .batch = (size_t)config->batch,
        .timeout_us = config->timeout_us,
        .ca_file = copy(sinks, config->ca_file),
    });
}

static struct sink create_sink(struct sinks *sinks, const struct config_sink *config)
{
    return config->kind == CONFIG_SINK_HTTP ? create_http(sinks, config)
                                            : create_file(sinks, config);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * Without a store, requests wait for the sink until their deadline. A longer attempt is useless,
 * and the pause after a failure must leave time for another attempt.
 */
static struct config_sink effective_sink(const struct config *config, size_t index)
{
    struct config_sink sink = config->sinks[index];

    if (!*config->store.path) {
        sink.timeout_us = lesser(sink.timeout_us, config->http.deadline_us);
        sink.max_backoff_us = lesser(sink.max_backoff_us, config->http.deadline_us / 2);
    }
    return sink;
}

static struct pump *create_pump(struct sinks *sinks, const struct config_sink *config,
                                bool is_awaited)
{
    return pump_create(&(struct pump_options){
        .name = copy(sinks, config->name),
        .rules = { .ordered = config->ordered,
                   .is_awaited = is_awaited,
                   .max_attempts = config->max_attempts,
                   .max_backoff_us = config->max_backoff_us },
        .sink = create_sink(sinks, config),
    });
}

bool sinks_create(const struct config *config, struct sinks **out, struct error *err)
{
    struct sinks *sinks;

    if (!fetch_init(err))
        return false;
    sinks = mem_alloc(sizeof(*sinks));
    sinks->arena = arena_create();
    sinks->taken = copy_all(sinks, config_store_files(config));
    sinks->count = config->sink_count;
    sinks->pumps = arena_alloc(sinks->arena, (sinks->count + 1) * sizeof(struct pump *));
    for (size_t i = 0; i < sinks->count; i++) {
        const struct config_sink sink = effective_sink(config, i);

        sinks->pumps[i] = create_pump(sinks, &sink, !*config->store.path);
    }
    *out = sinks;
    return true;
}

bool sinks_start(struct sinks *sinks, struct outbox *outbox, struct error *err)
{
    for (size_t i = 0; i < sinks->count; i++)
        if (!pump_start(sinks->pumps[i], outbox, err))
            return false;
    return true;
}

void sinks_reopen(struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++)
        pump_reopen(sinks->pumps[i]);
}

/* Drain all at the same time: they share the timeout. */
void sinks_stop(struct sinks *sinks, int64_t timeout_us)
{
    int64_t latest_us = clock_monotonic_us() + timeout_us;

    for (size_t i = 0; i < sinks->count; i++)
        pump_drain(sinks->pumps[i]);
    for (size_t i = 0; i < sinks->count; i++)
        pump_stop(sinks->pumps[i], latest_us);
}

void sinks_destroy(struct sinks *sinks)
{
    if (!sinks)
        return;
    for (size_t i = 0; i < sinks->count; i++)
        pump_destroy(sinks->pumps[i]);
    arena_destroy(sinks->arena);
    mem_free(sinks);
}

struct pump *const *sinks_pumps(const struct sinks *sinks, size_t *count)
{
    *count = sinks->count;
    return sinks->pumps;
}
