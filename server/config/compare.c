/*
 * compare.c - which keys can change while the server runs, and which cannot.
 *
 * Keys are compared by their values as JSON, with defaults filled in; so 2MiB and 2097152 differ.
 */
#include "server/config/config_internal.h"

#include "base/json.h"

struct group {
    const char *const *paths;
    size_t count;
};

/* Sockets, threads, memory and files that are set up once. */
static const char *const fixed[] = {
    "http.listen",
    "http.metrics_listen",
    "admin.listen",
    "http.threads",
    "http.max_connections",
    "http.max_connections_per_address",
    "http.max_body",
    "http.max_in_flight",
    "http.max_inflight_bytes",
    "http.deadline",
    "http.idle_timeout",
    "http.max_head",
    "http.rate_limit",
    "http.trusted_proxies",
    "http.proxy_protocol",
    "store.path",
    "store.max_size",
    "store.dead_max_size",
    "store.history",
    "store.history_max_size",
    "store.dedup_window",
    "store.dedup_max_rows",
    "store.replays",
    "store.quarantine.enabled",
    "store.quarantine.keep",
    "store.quarantine.max_rows",
    "store.quarantine.max_size",
    "log.format",
    "tracing.endpoint",
    "tracing.headers",
    "tracing.secret_headers",
    "tracing.ca_file",
    "tracing.sample",
    "tracing.service_name",
};

/* What the live schemas depend on, together with the names in routes. */
static const char *const schemas[] = {
    "registry.kind",    "registry.dir",
    "registry.refresh", "registry.cache_dir",
    "registry.guard",   "registry.guard_samples",
    "registry.pin",     "validation.assert_formats",
    "aws.region",       "aws.profile",
    "aws.endpoint_url",
};

static const struct group groups[] = {
    [CONFIG_FIXED] = { fixed, COUNT_OF(fixed) },
    [CONFIG_SCHEMAS] = { schemas, COUNT_OF(schemas) },
};

/* With what the sinks have from `aws`, and where relative paths start. */
static void remember_sinks(struct settings *settings, struct config *config)
{
    struct setting root = settings_root(settings);
    struct setting sinks = settings_get(settings, &root, "sinks");
    struct str aws = json_text(config->arena, settings_get(settings, &root, "aws").value);
    struct str *texts = arena_alloc(config->arena, (config->sink_count + 1) * sizeof(*texts));

    for (size_t i = 0; i < config->sink_count; i++) {
        struct setting sink = settings_at(settings, &sinks, i);
        const char *file = settings_place(settings, sink.pointer).file;
        struct str own = json_text(config->arena, sink.value);
        struct str folder = settings_folder(file ? file : "");

        texts[i] = arena_printf(config->arena, "%.*s %.*s %.*s", STR_ARG(own), STR_ARG(aws),
                                STR_ARG(folder));
    }
    config->sink_texts = texts;
}

void config_remember(struct settings *settings, struct config *config)
{
    struct setting root = settings_root(settings);

    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        struct str *texts = arena_alloc(config->arena, groups[i].count * sizeof(*texts));

        for (size_t j = 0; j < groups[i].count; j++)
            texts[j] =
                json_text(config->arena, settings_get(settings, &root, groups[i].paths[j]).value);
        config->texts[i] = texts;
    }
    remember_sinks(settings, config);
}

struct str config_sink_settings(const struct config *config, size_t index)
{
    return config->sink_texts[index];
}

/* The index of the first key that differs, from `start` on; the group's count: there is none. */
static size_t find_change(const struct config *a, const struct config *b, enum config_group group,
                          size_t start)
{
    while (start < groups[group].count && str_equal(a->texts[group][start], b->texts[group][start]))
        start++;
    return start;
}

bool config_is_same(const struct config *a, const struct config *b, enum config_group group)
{
    return find_change(a, b, group, 0) == groups[group].count;
}

void config_check_fixed(struct settings *settings, const struct config *config,
                        const struct config *running)
{
    struct setting root = settings_root(settings);
    size_t at = find_change(config, running, CONFIG_FIXED, 0);

    if (!*config->http.tls.cert_file != !*running->http.tls.cert_file)
        settings_complain(settings, STR("/http/tls"),
                          "cannot be switched on or off while the server runs: restart it");
    if (!*config->store.path && !config->sink_count != !running->sink_count)
        settings_complain(settings, STR("/sinks"),
                          "without a store, the first sink cannot be added or the last one removed "
                          "while the server runs: restart it");
    for (; at < groups[CONFIG_FIXED].count; at = find_change(config, running, CONFIG_FIXED, at + 1))
        settings_complain(settings, settings_get(settings, &root, fixed[at]).pointer,
                          "cannot change while the server runs: restart it");
}
