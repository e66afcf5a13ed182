/*
 * s3_put.c - see s3_put.h.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
#include "delivery/sinks/s3_put.h"

#include "aws/client.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/memory.h"
#include "delivery/sinks/s3_name.h"

enum {
    ANSWER_MAX = 64 * 1024, /* of an error's XML */
    HEADERS_MAX = 5,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_NOT_IMPLEMENTED = 501,
};

#define RANGE_HEADER  "x-amz-meta-sluice-range"
#define LAYOUT_HEADER "x-amz-meta-sluice-layout"

struct s3_writer {
    const struct s3_put_options *options;
    struct aws_client *client;
    struct arena *arena;
};

/* An object on its way. */
struct object {
    struct s3_writer *writer;
    const struct s3_put *put;
    struct s3_lines lines;
    struct str digest;
    struct buf body;
    struct fetch_answer answer;
    struct aws_failure failure;
};

bool s3_writer_create(const struct s3_put_options *options, struct s3_writer **out,
                      struct error *err)
{
    const struct sink_s3_options *sink = &options->options;
    const struct s3_bucket *bucket = &options->bucket;
    struct aws_client *client;

    if (!aws_client_create(
            sink->session,
            &(struct aws_client_options){
                .service = "s3",
                .region = bucket->region ? bucket->region : sink->region,
                .endpoint_url = *sink->endpoint_url ? sink->endpoint_url : bucket->endpoint_url,
                .bucket = bucket->name,
                .path_style = sink->path_style,
                .attempts = 1,
                .attempt_time_us = US_PER_HOUR, /* the deadline is shorter */
            },
            &client, err))
        return false;

    struct s3_writer *writer = mem_alloc(sizeof(*writer));

    *writer = (struct s3_writer){ options, client, arena_create() };
    *out = writer;
    return true;
}

void s3_writer_destroy(struct s3_writer *writer)
{
    if (!writer)
        return;
    aws_client_destroy(writer->client);
    arena_destroy(writer->arena);
    mem_free(writer);
}

void s3_writer_begin(struct s3_writer *writer)
{
    arena_reset(writer->arena);
}

void s3_writer_interrupt(struct s3_writer *writer)
{
    aws_client_interrupt(writer->client);
}

/* The key as a path: every byte but unreserved ones and slashes is percent-encoded, once. */
static struct str path_of(const struct object *object, struct str digest)
{
    struct arena *arena = object->writer->arena;
    struct buf *path = arena_buf(arena, SIZE_MAX);
    const struct s3_name_parts parts = {
        .prefix = object->put->prefix,
        .store = object->put->store,
        .first = object->lines.records[0]->sequence,
        .digest = digest,
        .format = object->writer->options->options.compression,
    };

    buf_add_char(path, '/');
    sigv4_encode(path, s3_name(&parts, arena), true);
    return buf_str(path);
}

static bool send(struct object *object, struct aws_request *request)
{
    const struct sink_s3_options *options = &object->writer->options->options;

    /* A second for each MiB: a slow connection is not a broken one. */
    request->deadline_us = clock_monotonic_us() + options->timeout_us + (int64_t)request->body.len;
    return aws_client_send(object->writer->client, request, object->writer->arena, &object->answer,
                           &object->failure);
}

/* Create the object. `digest` is a part of its name; empty: it is not. */
static bool send_put(struct object *object, struct str digest)
{
    struct arena *arena = object->writer->arena;
    const struct s3_put_options *options = object->writer->options;
    struct str body = buf_str(&object->body);
    struct fetch_header headers[HEADERS_MAX] = {
        { "Content-Type", STR("application/x-ndjson") },
        { "If-None-Match", STR("*") },
        { RANGE_HEADER, s3_lines_range(object->lines, object->digest, arena) },
        { LAYOUT_HEADER, options->layout },
    };
    size_t count = 4;

    if (options->options.checksum)
        headers[count++] = (struct fetch_header){ "x-amz-checksum-crc32c", s3_crc32c(body, arena) };
    return send(object, &(struct aws_request){ .method = "PUT",
                                               .path = path_of(object, digest),
                                               .headers = headers,
                                               .header_count = count,
                                               .body = body });
}

static bool send_head(struct object *object)
{
    return send(object,
                &(struct aws_request){ .method = "HEAD", .path = path_of(object, STR_NONE) });
}

static bool has_code(const struct object *object, const char *code)
{
    return strcmp(object->failure.code, code) == 0;
}

/* The result of a refusal that is not about single records. */
static enum sink_result judge_refusal(const struct object *object)
{
    if (object->failure.status == STATUS_NOT_IMPLEMENTED)
        return SINK_MISCONFIGURED;
    switch (aws_failure_class(object->failure.kind)) {
    case AWS_CLASS_CONFIGURATION:
    case AWS_CLASS_INVALID: /* nothing is dropped for an answer that is not about its records */
        return SINK_MISCONFIGURED;
    case AWS_CLASS_LATER:
    case AWS_CLASS_EXISTS:
        break;
    }
    return SINK_POSTPONED;
}

static struct s3_failure failure_of(const struct object *object, const char *action)
{
    const char *bucket = object->writer->options->options.bucket;
    bool is_unknown = object->failure.status == STATUS_NOT_IMPLEMENTED;

    return (struct s3_failure){
        .result = judge_refusal(object),
        .reason =
            arena_printf(object->writer->arena, "%s %s: %s%s", action, bucket,
                         object->failure.error.text, is_unknown ? " (try checksum: none)" : "")
                .ptr,
        .retry_after_us = object->failure.retry_after_us,
    };
}

static void set_delivered(const struct object *object, struct s3_put_result *result)
{
    *result = (struct s3_put_result){
        .count = object->lines.count,
        .last = s3_lines_last(object->lines),
        .failure = { .result = SINK_DELIVERED },
    };
}

/* An object of other records or of another writer has the name: take one that only these have. */
static void put_beside(struct object *object, struct s3_put_result *result)
{
    if (send_put(object, object->digest) ||
        aws_failure_class(object->failure.kind) == AWS_CLASS_EXISTS)
        set_delivered(object, result);
    else
        result->failure = failure_of(object, "PutObject");
}

/* There is an object with this name: whose, and what is in it? */
static void look(struct object *object, struct s3_put_result *result)
{
    if (send_head(object)) {
        const struct s3_found found = { fetch_answer_header(&object->answer, RANGE_HEADER),
                                        fetch_answer_header(&object->answer, LAYOUT_HEADER) };

        result->count =
            s3_found_count(&found, object->lines, object->writer->options->layout, &result->last);
        result->failure.result = SINK_DELIVERED;
        if (result->count == 0)
            put_beside(object, result);
    } else if (object->failure.status == STATUS_FORBIDDEN) {
        put_beside(object, result); /* without s3:GetObject it cannot be known */
    } else {
        result->failure = failure_of(object, "HeadObject");
        if (object->failure.status == STATUS_NOT_FOUND)
            result->failure.result = SINK_POSTPONED; /* it was deleted in between */
    }
}

/* The object is not there. True: try again with fewer records. */
static bool judge_put(struct object *object, struct s3_put_result *result)
{
    bool is_too_large = has_code(object, "EntityTooLarge");

    if (aws_failure_class(object->failure.kind) == AWS_CLASS_EXISTS) {
        look(object, result);
        return false;
    }
    result->failure = failure_of(object, "PutObject");
    if (is_too_large && object->lines.count > 1)
        return true;
    if (is_too_large || has_code(object, "KeyTooLongError")) {
        result->failure.result = SINK_IMPOSSIBLE;
        result->count = object->lines.count; /* all have the same prefix */
    }
    return false;
}

/* True: try again with fewer records. */
static bool put_lines(struct s3_writer *writer, const struct s3_put *put, struct s3_lines lines,
                      struct s3_put_result *result)
{
    struct object object = { .writer = writer, .put = put, .lines = lines };
    bool again = false;

    *result = (struct s3_put_result){ 0 };
    object.digest = s3_lines_digest(lines, writer->arena);
    buf_init(&object.body, SIZE_MAX);
    fetch_answer_init(&object.answer, ANSWER_MAX);
    s3_lines_write(lines, writer->options->options.compression, &object.body);
    if (send_put(&object, STR_NONE))
        set_delivered(&object, result);
    else
        again = judge_put(&object, result);
    fetch_answer_done(&object.answer);
    buf_done(&object.body);
    return again;
}

void s3_writer_put(struct s3_writer *writer, const struct s3_put *put, struct s3_put_result *result)
{
    size_t count = put->lines.count;

    while (put_lines(writer, put, s3_lines_first(put->lines, count), result))
        count /= 2;
}
