/*
 * sinks_s3.c - the rules for sinks of S3 that a schema cannot express.
 */
#include "server/config/config_internal.h"

#include "delivery/sinks/s3.h"

static struct str sink_pointer(const struct config *config, size_t index, const char *key)
{
    return arena_printf(config->arena, "/sinks/%zu/%s", index, key);
}

static void check_s3(struct settings *settings, const struct config *config, size_t index)
{
    const struct config_sink *sink = &config->sinks[index];
    const struct sink_s3_options options = {
        .bucket = sink->bucket,
        .prefix = sink->prefix,
        .time = sink->time,
    };
    const char *key;
    struct error err;

    if (!*config->store.path)
        settings_complain(settings, sink_pointer(config, index, "kind"),
                          "an s3 sink needs a store: senders would wait for its objects");
    if (*sink->bucket && !sink_s3_check(&options, &key, &err))
        settings_complain(settings, sink_pointer(config, index, key), "%s", err.text);
}

/* Would the objects of both have the same names? Then each would take the other's for foreign. */
static bool is_same_place(const struct config_sink *a, const struct config_sink *b)
{
    return a->kind == CONFIG_SINK_S3 && b->kind == CONFIG_SINK_S3 &&
           strcmp(a->bucket, b->bucket) == 0 && strcmp(a->prefix, b->prefix) == 0 &&
           strcmp(a->endpoint_url, b->endpoint_url) == 0;
}

void config_sink_rules_s3(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        if (config->sinks[i].kind != CONFIG_SINK_S3)
            continue;
        check_s3(settings, config, i);
        for (size_t j = 0; j < i; j++)
            if (is_same_place(&config->sinks[i], &config->sinks[j]))
                settings_complain(settings, sink_pointer(config, i, "prefix"),
                                  "another sink writes to this bucket and prefix already");
    }
}
