/*
 * sinks_aws.c - the rules for sinks of AWS that a schema cannot express.
 */
#include "server/config/config_internal.h"

#include "base/chars.h"

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
    struct str region = STR_NONE;

    if (str_starts_with(str_from_c(sink->stream), STR("arn:")))
        region = region_of_arn(str_from_c(sink->stream));
    else if (*sink->queue_url)
        region = region_of_queue(str_from_c(sink->queue_url));
    return region.len > 0 ? region : STR_NONE;
}

static bool is_fifo(const struct config_sink *sink)
{
    return str_ends_with(str_from_c(sink->queue_url), STR(".fifo"));
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

void config_sink_rules_aws(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        const struct config_sink *sink = &config->sinks[i];

        check_region(settings, config->arena, sink, i);
        if (sink->kind == CONFIG_SINK_SQS)
            check_fifo(settings, config->arena, sink, i);
    }
}
