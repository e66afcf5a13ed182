/*
 * aws_target.c - see aws_target.h.
 */
#include "tests/unit/aws_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/test.h"

enum { PATIENCE_US = 5 * US_PER_S };

static struct str play(void *self, struct str request, size_t nth)
{
    struct aws_target *target = self;
    const char *body = memmem(request.ptr, request.len, "\r\n\r\n", 4);
    size_t last = 0;

    (void)snprintf(target->seen, sizeof(target->seen), "%.*s",
                   (int)(request.ptr + request.len - body - 4), body + 4);
    while (last + 1 < AWS_TARGET_ANSWERS && target->answers[last + 1])
        last++;
    return str_from_c(target->answers[nth < last ? nth : last]);
}

static void set(const char *name, const char *value)
{
    (void)setenv(name, value, 1); /* NOLINT(concurrency-mt-unsafe): no thread reads it now */
}

void aws_target_begin(struct aws_target *target, const char *answer)
{
    const struct aws_session_options session = { .region = "eu-west-1" };
    struct error err = { 0 };

    *target = (struct aws_target){ .arena = arena_create(), .answers = { answer } };
    set("AWS_ACCESS_KEY_ID", "AKID");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    set("HOME", "/nonexistent");
    CHECK(fetch_init(&err) && aws_session_create(&session, &target->session, &err));
    target->server = canned_start(NULL, play, target);
    target->options = (struct entries_options){
        .session = target->session,
        .endpoint_url =
            arena_printf(target->arena, "http://127.0.0.1:%d", canned_port(target->server)).ptr,
        .in_flight = 1,
        .timeout_us = PATIENCE_US,
    };
}

void aws_target_end(struct aws_target *target)
{
    canned_destroy(target->server);
    aws_session_destroy(target->session);
    arena_destroy(target->arena);
}

static const struct sink_answer *deliver(struct aws_target *target, const struct sink *sink,
                                         const struct aws_target_record *records,
                                         struct sink_batch batch)
{
    struct arena *arena = target->arena;
    struct sink_record *list = arena_alloc(arena, batch.count * sizeof(*list));
    struct sink_answer *answer = arena_alloc(arena, sizeof(*answer));

    for (size_t i = 0; i < batch.count; i++)
        list[i] = (struct sink_record){
            .sequence = (int64_t)i + 1,
            .accepted_us = 1700000000 * US_PER_S,
            .key = str_from_c(records[i].key),
            .order_key = str_from_c(records[i].order_key ? records[i].order_key : records[i].key),
            .bytes = str_from_c(records[i].bytes),
            .origin = { .traceparent = target->traceparent },
        };
    answer->outcomes = arena_alloc(arena, batch.count * sizeof(*answer->outcomes));
    batch.records = list;
    batch.arena = arena;
    sink->deliver(sink->self, &batch, answer);
    return answer;
}

const struct sink_answer *aws_target_deliver(struct aws_target *target, const struct sink *sink,
                                             const struct aws_target_record *records, size_t count)
{
    return deliver(target, sink, records, (struct sink_batch){ .count = count });
}

const struct sink_answer *aws_target_deliver_in_order(struct aws_target *target,
                                                      const struct sink *sink,
                                                      const struct aws_target_record *records,
                                                      size_t count)
{
    return deliver(target, sink, records, (struct sink_batch){ .count = count, .in_order = true });
}

struct str aws_target_results(struct aws_target *target, const struct sink_answer *answer,
                              size_t count)
{
    static const char letters[SINK_RESULT_COUNT] = {
        [SINK_POSTPONED] = 'P',  [SINK_MISCONFIGURED] = 'M', [SINK_REFUSED] = 'R',
        [SINK_IMPOSSIBLE] = 'I', [SINK_UNDER_WAY] = 'U',     [SINK_DELIVERED] = 'D',
    };
    struct buf *text = arena_buf(target->arena, SIZE_MAX);

    for (size_t i = 0; i < count; i++) {
        buf_add_char(text, letters[answer->outcomes[i].result]);
        CHECK((answer->outcomes[i].reason != NULL) ==
              (answer->outcomes[i].result != SINK_DELIVERED));
    }
    return buf_str(text);
}
