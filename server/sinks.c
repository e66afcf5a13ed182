/*
 * sinks.c - see sinks.h.
 */
#include "server/sinks.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "server/sink_kinds.h"

struct sinks {
    struct arena *arena;   /* of all names and options */
    struct tracer *tracer; /* NULL: none */
    struct sink_sessions *sessions;
    struct pump **pumps;
    size_t count;
};

/* Without folders: their files can change at any time. */
static struct config_strings copy_own_files(struct arena *arena,
                                            const struct config_own_files *files)
{
    const char **list = arena_alloc(arena, (files->count + 1) * sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        if (!files->list[i].ending)
            list[count++] = arena_copy(arena, str_from_c(files->list[i].path)).ptr;
    return (struct config_strings){ list, count };
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
        sink.linger_us = lesser(sink.linger_us, config->http.deadline_us / 2);
    }
    return sink;
}

/* What the pump does; S3 needs order (s3.h). */
static struct pump_rules rules_of(const struct config_sink *config, bool is_awaited)
{
    bool is_s3 = config->kind == CONFIG_SINK_S3;

    return (struct pump_rules){
        .order = is_s3 ? BACKLOG_STRICT : config->ordered,
        .is_awaited = is_awaited,
        .max_attempts = config->max_attempts,
        .max_backoff_us = config->max_backoff_us,
        .linger_us = is_s3 ? config->max_age_us : config->linger_us,
        .rate = config->rate,
    };
}

static struct pump *create_pump(const struct sinks *sinks, const struct sink_maker *maker,
                                const struct config_sink *config, struct error *err)
{
    struct sink sink;

    if (!sink_make(maker, config, &sink, err))
        return NULL;
    return pump_create(&(struct pump_options){
        .name = arena_copy(maker->arena, str_from_c(config->name)).ptr,
        .key = arena_copy(maker->arena, str_from_c(config->key)).ptr,
        .rules = rules_of(config, maker->is_awaited),
        .sink = sink,
        .tracer = sinks->tracer,
    });
}

static bool create_pumps(struct sinks *sinks, const struct config *config, struct error *err)
{
    const struct sink_maker maker = {
        .arena = sinks->arena,
        .taken = copy_own_files(sinks->arena, &config->own_files),
        .is_awaited = !*config->store.path,
        .aws = &config->aws,
        .sessions = sinks->sessions,
    };

    for (; sinks->count < config->sink_count; sinks->count++) {
        const struct config_sink sink = effective_sink(config, sinks->count);
        struct pump *pump = create_pump(sinks, &maker, &sink, err);

        if (!pump)
            return false;
        sinks->pumps[sinks->count] = pump;
    }
    return true;
}

bool sinks_create(const struct config *config, struct tracer *tracer, struct sinks **out,
                  struct error *err)
{
    struct sinks *sinks;

    if (!fetch_init(err))
        return false;
    sinks = mem_alloc(sizeof(*sinks));
    sinks->tracer = tracer;
    sinks->arena = arena_create();
    sinks->sessions = sink_sessions_create();
    sinks->pumps = arena_alloc(sinks->arena, (config->sink_count + 1) * sizeof(struct pump *));
    if (!create_pumps(sinks, config, err)) {
        sinks_destroy(sinks);
        return false;
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
    sink_sessions_destroy(sinks->sessions);
    arena_destroy(sinks->arena);
    mem_free(sinks);
}

struct pump *const *sinks_pumps(const struct sinks *sinks, size_t *count)
{
    *count = sinks->count;
    return sinks->pumps;
}
