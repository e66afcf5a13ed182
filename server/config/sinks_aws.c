/*
 * sinks_aws.c - the rules for sinks of AWS that a schema cannot express.
 */
#include "server/config/config_internal.h"

#include "base/chars.h"
#include "delivery/record_format.h"
#include "handlers/matcher.h"

/* arn:PARTITION:SERVICE:REGION:... */
static struct str region_of_arn(struct str arn)
{
    for (int i = 0; i < 3; i++)
        (void)take_until(&arn, ':');
    return take_until(&arn, ':');
}

static struct str host_of(struct str url)
{
    (void)take_until(&url, ':');
    url = str_from(url, strlen("//"));
    url = take_until(&url, '/');
    return take_until(&url, ':');
}

static bool is_host_of_aws(struct str host)
{
    return str_ends_with(host, STR(".amazonaws.com")) ||
           str_ends_with(host, STR(".amazonaws.com.cn")) || str_ends_with(host, STR(".api.aws"));
}

/* sqs.REGION.amazonaws.com, vpce-ID.sqs.REGION.vpce.amazonaws.com, REGION.queue.amazonaws.com. */
static struct str region_of_queue(struct str url)
{
    struct str host = host_of(url);
    struct str before = STR_NONE;

    if (!is_host_of_aws(host))
        return STR_NONE;
    while (host.len > 0) {
        struct str label = take_until(&host, '.');

        if (str_equal(label, STR("sqs")) || str_equal(label, STR("sqs-fips")))
            return take_until(&host, '.');
        if (str_equal(label, STR("queue")))
            return before;
        before = label;
    }
    return STR_NONE;
}

struct str config_sink_region(const struct config_sink *sink)
{
    const char *names[] = { sink->stream, sink->bus, sink->topic_arn };
    struct str region = region_of_queue(str_from_c(sink->queue_url));

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_starts_with(str_from_c(names[i]), STR("arn:")))
            region = region_of_arn(str_from_c(names[i]));
    return region.len > 0 ? region : STR_NONE;
}

static bool is_fifo(const struct config_sink *sink)
{
    return str_ends_with(str_from_c(sink->queue_url), STR(".fifo")) ||
           str_ends_with(str_from_c(sink->topic_arn), STR(".fifo"));
}

static void check_region(struct settings *settings, struct arena *arena,
                         const struct config_sink *sink, size_t index)
{
    struct str region = config_sink_region(sink);

    if (region.ptr && *sink->region && !str_equal(region, str_from_c(sink->region)))
        settings_complain(settings, arena_printf(arena, "/sinks/%zu/region", index),
                          "the target is in %.*s", STR_ARG(region));
}

static void check_fifo(struct settings *settings, struct arena *arena,
                       const struct config_sink *sink, size_t index)
{
    if (is_fifo(sink) && !*sink->group_id)
        settings_complain(settings, arena_printf(arena, "/sinks/%zu", index),
                          "a FIFO target needs group_id");
    if (!is_fifo(sink) && sink->deduplication == CONFIG_DEDUPLICATION_CONTENT)
        settings_complain(settings, arena_printf(arena, "/sinks/%zu/deduplication", index),
                          "only a FIFO target finds duplicates");
}

/* The glob of all results of the text at `key`. False: it is not valid, which is a problem. */
static bool format_glob(struct settings *settings, struct arena *arena, const char *text,
                        struct str pointer, struct str *glob)
{
    struct buf *out = arena_buf(arena, SIZE_MAX);
    struct record_format *format;
    struct error err;

    if (!record_format_create(str_from_c(text), &format, &err)) {
        settings_complain(settings, pointer, "%s", err.text);
        return false;
    }
    record_format_glob(format, out);
    record_format_destroy(format);
    *glob = buf_str(out);
    return true;
}

/* Does the route hand on events whose `key` fits the glob? */
static bool takes(const struct config_route *route, const char *key, struct str glob)
{
    return !route->drop && route->matcher && matcher_meets(route->matcher, str_from_c(key), glob);
}

/* An event that a rule sends back to a route would go round for ever. */
static void check_loop(struct settings *settings, const struct config *config, size_t index)
{
    struct arena *arena = config->arena;
    const struct config_sink *sink = &config->sinks[index];
    struct str pointer = arena_printf(arena, "/sinks/%zu/source", index);
    struct str source;
    struct str type;

    if (!*sink->source || !*sink->detail_type)
        return; /* the schema refuses it */
    if (!format_glob(settings, arena, sink->source, pointer, &source) ||
        !format_glob(settings, arena, sink->detail_type,
                     arena_printf(arena, "/sinks/%zu/detail_type", index), &type))
        return;
    for (size_t i = 0; i < config->route_count; i++)
        if (takes(&config->routes[i], "source", source) &&
            takes(&config->routes[i], "detail-type", type)) {
            settings_complain(settings, pointer,
                              "events with this source and detail_type could come back by "
                              "routes[%zu]: give it a `match` that excludes them",
                              i);
            return;
        }
}

/* Key, document and time to live are different attributes. */
static void check_names(struct settings *settings, struct arena *arena,
                        const struct config_sink *sink, size_t index)
{
    bool is_document = sink->as == CONFIG_DYNAMODB_DOCUMENT;
    const char *names[] = { sink->hash_key.count ? sink->hash_key.list[0].key : "",
                            sink->range_key.count ? sink->range_key.list[0].key : "",
                            is_document ? sink->document : "", sink->ttl.name };
    static const char *const keys[] = { "hash_key", "range_key", "document", "ttl/name" };

    for (size_t i = 1; i < COUNT_OF(names); i++)
        for (size_t j = 0; j < i; j++)
            if (*names[i] && strcmp(names[i], names[j]) == 0)
                settings_complain(settings, arena_printf(arena, "/sinks/%zu/%s", index, keys[i]),
                                  "%s has this name already", keys[j]);
}

void config_sink_rules_aws(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        const struct config_sink *sink = &config->sinks[i];

        check_region(settings, config->arena, sink, i);
        if (sink->kind == CONFIG_SINK_SQS || sink->kind == CONFIG_SINK_SNS)
            check_fifo(settings, config->arena, sink, i);
        if (sink->kind == CONFIG_SINK_EVENTBRIDGE)
            check_loop(settings, config, i);
        if (sink->kind == CONFIG_SINK_DYNAMODB)
            check_names(settings, config->arena, sink, i);
    }
}
