/*
 * sqs.c - see sqs.h.
 *
 * A FIFO queue drops a message whose deduplication id it has seen in the last five minutes: a call
 * that is repeated within that time does not make a second message. The messages of one call are
 * not taken in order, so the pump must not put two records of a group into one.
 */
#include "delivery/sinks/sqs.h"

#include "base/arena.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/tracing/context.h"

enum {
    SQS_MESSAGES = 10,
    SQS_BYTES = 1024 * 1024, /* of a message, and of all in a call */
};

static void sqs_attributes(struct buf *body, const struct message *message)
{
    buf_add(body, STR(",\"MessageAttributes\":{"));
    for (size_t i = 0; i < message->attribute_count; i++) {
        if (i > 0)
            buf_add_char(body, ',');
        json_write_string(body, message->attributes[i].name);
        buf_add(body, STR(":{\"DataType\":\"String\""));
        member_text(body, "StringValue", message->attributes[i].value);
        buf_add_char(body, '}');
    }
    buf_add_char(body, '}');
}

/* The trace; it does not count as a part of the message. */
static void sqs_trace(struct buf *body, const struct entries_item *item)
{
    struct str trace = trace_context_for_aws(item->arena, item->record->origin.traceparent);

    if (!trace.ptr)
        return;
    buf_add(body, STR(",\"MessageSystemAttributes\":{\"AWSTraceHeader\":{\"DataType\":\"String\""));
    member_text(body, "StringValue", trace);
    buf_add(body, STR("}}"));
}

static enum entries_added sqs_add(void *self, struct entries_call *call, struct entries_item *item)
{
    struct message message;

    if (!messages_make(self, item, &message))
        return ENTRIES_IMPOSSIBLE;
    buf_printf(call->body, "{\"Id\":\"%zu\"", call->count);
    if (message.group_id.ptr)
        member_text(call->body, "MessageGroupId", message.group_id);
    if (message.deduplication_id.ptr)
        member_text(call->body, "MessageDeduplicationId", message.deduplication_id);
    if (message.attribute_count > 0)
        sqs_attributes(call->body, &message);
    sqs_trace(call->body, item);
    member_text(call->body, "MessageBody", message.body);
    buf_add_char(call->body, '}');
    return ENTRIES_ADDED;
}

static void sqs_judge(void *self, struct entries_call *call, struct json_object *answer)
{
    (void)self;
    entries_judge_by_id(call, answer);
}

bool sink_sqs(const struct entries_options *entries, const struct messages_options *options,
              struct sink *out, struct error *err)
{
    struct messages *messages = messages_create(options, SQS_BYTES, err);

    if (messages && entries_create(entries,
                                   &(struct entries_target){
                                       .service = "sqs",
                                       .operation = "SendMessageBatch",
                                       .right = "sqs:SendMessage",
                                       .max_records = SQS_MESSAGES,
                                       .max_bytes = SQS_BYTES,
                                       .reads_records = messages_read_records(messages),
                                       .head = entries_head(messages->arena, "QueueUrl",
                                                            options->target, "Entries"),
                                       .separator = STR(","),
                                       .tail = STR("]}"),
                                       .add = sqs_add,
                                       .judge = sqs_judge,
                                       .cost = messages_cost,
                                       .destroy = messages_destroy,
                                       .self = messages,
                                   },
                                   out, err))
        return true;
    messages_destroy(messages);
    return false;
}
