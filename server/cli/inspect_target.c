/*
 * inspect_target.c - asks AWS about the stream, queue, topic, table, bus or bucket of a
 * sink.
 */
#include "aws/describe.h"
#include "base/chars.h"
#include "base/clock.h"
#include "delivery/sinks/s3_bucket.h"
#include "server/cli/inspect_internal.h"
#include "server/sink_sessions.h"

enum { TIMEOUT_US = 5 * US_PER_S };

/* What a kind of sink writes to. */
struct target {
    const char *service; /* in aws/service.h */
    const char *what;
    const char *key; /* of the configuration */
    const char *name;
};

/* False: the sink's kind is none of AWS. */
static bool target_of(const struct config_sink *sink, struct target *out)
{
    switch (sink->kind) {
    case CONFIG_SINK_KINESIS:
        *out = (struct target){ "kinesis", "stream", "stream", sink->stream };
        return true;
    case CONFIG_SINK_SQS:
        *out = (struct target){ "sqs", "queue", "queue_url", sink->queue_url };
        return true;
    case CONFIG_SINK_S3:
        *out = (struct target){ "s3", "bucket", "bucket", sink->bucket };
        return true;
    case CONFIG_SINK_FIREHOSE:
        *out = (struct target){ "firehose", "delivery stream", "delivery_stream",
                                sink->delivery_stream };
        return true;
    case CONFIG_SINK_EVENTBRIDGE:
        *out = (struct target){ "eventbridge", "bus", "bus", *sink->bus ? sink->bus : "default" };
        return true;
    case CONFIG_SINK_SNS:
        *out = (struct target){ "sns", "topic", "topic_arn", sink->topic_arn };
        return true;
    case CONFIG_SINK_DYNAMODB:
        *out = (struct target){ "dynamodb", "table", "table", sink->table };
        return true;
    default:
        return false;
    }
}

/* The name of the attribute that is a key of a table; "": none. */
static const char *attribute_of(const struct config_pairs *key)
{
    return key->count > 0 ? key->list[0].key : "";
}

/* The part of an S3 prefix that is the same for all records. */
static const char *fixed_prefix(const struct config_sink *sink, struct arena *arena)
{
    struct str rest = str_from_c(sink->prefix);

    return arena_copy(arena, take_until(&rest, '{')).ptr;
}

/* The name of a bucket, and the endpoint of an access point. */
static bool choose_bucket(const struct inspection *inspection, const struct config_sink *sink,
                          struct aws_describe_options *options, struct error *err)
{
    struct s3_bucket bucket;

    if (!s3_bucket_read(sink->bucket, inspection->arena, &bucket, err))
        return false;
    options->name = bucket.name;
    options->prefix = fixed_prefix(sink, inspection->arena);
    options->path_style = sink->path_style;
    if (bucket.region)
        options->region = bucket.region;
    if (bucket.endpoint_url && !*sink->endpoint_url)
        options->endpoint_url = bucket.endpoint_url;
    return true;
}

static bool describe_target(const struct inspection *inspection, const struct config_sink *sink,
                            struct aws_describe_options *options, struct aws_description *found,
                            struct error *err)
{
    if (sink->kind == CONFIG_SINK_S3 && !choose_bucket(inspection, sink, options, err))
        return false;
    *found = aws_describe(options, inspection->arena);
    return true;
}

void inspect_target(const struct inspection *inspection, size_t index)
{
    static const enum inspect_finding findings[] = {
        [AWS_SEEN] = INSPECT_FINE, [AWS_HIDDEN] = INSPECT_WARNING, [AWS_TROUBLE] = INSPECT_FAILURE
    };
    const struct config *config = inspection->config;
    const struct config_sink *sink = &config->sinks[index];
    const struct aws_session_options settings =
        sink_session_options(sink, &config->aws, inspection->arena);
    struct aws_description found = { .sight = AWS_TROUBLE };
    struct aws_session *session = NULL;
    struct error err = { 0 };
    struct target target;

    if (!target_of(sink, &target))
        return;

    bool ok = aws_session_create(&settings, &session, &err);
    struct aws_describe_options options = {
        .session = session,
        .service = target.service,
        .region = settings.region,
        .endpoint_url = sink->endpoint_url,
        .name = target.name,
        .hash_key = attribute_of(&sink->hash_key),
        .range_key = attribute_of(&sink->range_key),
        .probe = inspection->options->probes,
        .deadline_us = clock_monotonic_us() + TIMEOUT_US,
    };

    ok = ok && describe_target(inspection, sink, &options, &found, &err);
    inspect_say(inspection, findings[found.sight], "sink",
                arena_printf(inspection->arena, "/sinks/%zu/%s", index, target.key).ptr,
                "%s: %s %s: %s", sink->name, target.what, target.name, ok ? found.text : err.text);
    aws_session_destroy(session);
}
