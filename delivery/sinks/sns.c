/*
 * sns.c - see sns.h.
 *
 * SNS speaks the query protocol: a call is a form, and the answer is XML. The answer is turned into
 * the JSON that SQS answers with, so that both are judged alike.
 */
#include "delivery/sinks/sns.h"

#include "aws/xml.h"
#include "base/arena.h"
#include "base/chars.h"
#include "base/fetch.h"
#include "base/member.h"
#include "base/memory.h"

enum {
    SNS_MESSAGES = 10,
    SNS_BYTES = 256 * 1024, /* of a message, and of all in a call */
    SNS_ANSWER_BYTES = 1024 * 1024,
};

static bool is_unreserved(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "-._~");
}

/* A value of a form. */
static void sns_encode(struct buf *body, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        char escape[] = { '%', digits[byte >> 4], digits[byte & 15U] };

        if (is_unreserved(text.ptr[i]))
            buf_add_char(body, text.ptr[i]);
        else
            buf_add(body, (struct str){ escape, sizeof(escape) });
    }
}

/* `&PublishBatchRequestEntries.member.N.NAME=VALUE` */
static void sns_member(struct entries_call *call, const char *name, struct str value)
{
    if (!value.ptr)
        return;
    buf_printf(call->body, "&PublishBatchRequestEntries.member.%zu.%s=", call->count + 1, name);
    sns_encode(call->body, value);
}

static enum entries_added sns_add(void *self, struct entries_call *call, struct entries_item *item)
{
    struct arena *arena = item->arena;
    struct message message;

    if (!messages_make(self, item, &message))
        return ENTRIES_IMPOSSIBLE;
    sns_member(call, "Id", arena_printf(arena, "%zu", call->count));
    sns_member(call, "MessageGroupId", message.group_id);
    sns_member(call, "MessageDeduplicationId", message.deduplication_id);
    for (size_t i = 0; i < message.attribute_count; i++) {
        const struct message_attribute *attribute = &message.attributes[i];
        const char *entry = arena_printf(arena, "MessageAttributes.entry.%zu", i + 1).ptr;

        sns_member(call, arena_printf(arena, "%s.Name", entry).ptr, attribute->name);
        sns_member(call, arena_printf(arena, "%s.Value.DataType", entry).ptr, STR("String"));
        sns_member(call, arena_printf(arena, "%s.Value.StringValue", entry).ptr, attribute->value);
    }
    sns_member(call, "Message", message.body);
    return ENTRIES_ADDED;
}

static void sns_judge(void *self, struct entries_call *call, struct json_object *answer)
{
    (void)self;
    entries_judge_by_id(call, answer);
}

static void add_member(struct buf *json, struct str element, const char *name, struct arena *arena)
{
    struct str text = aws_xml_text(element, name, arena);

    member_text(json, name, text.ptr ? text : STR(""));
}

/* `"LIST":[{"Id":...,"Code":...}, ...]` from `<LIST><member><Id>...`. */
static void add_list(struct buf *json, struct str document, const char *list, struct arena *arena)
{
    struct str content;
    struct str element;
    bool is_first = true;

    buf_printf(json, "\"%s\":[", list);
    if (!aws_xml_next(&document, list, &content))
        content = STR_NONE;
    while (aws_xml_next(&content, "member", &element)) {
        bool is_senders = str_equal(aws_xml_text(element, "SenderFault", arena), STR("true"));

        buf_printf(json, "%s{\"SenderFault\":%s", is_first ? "" : ",",
                   is_senders ? "true" : "false");
        is_first = false;
        add_member(json, element, "Id", arena);
        add_member(json, element, "Code", arena);
        add_member(json, element, "Message", arena);
        buf_add_char(json, '}');
    }
    buf_add_char(json, ']');
}

static struct json_object *read_xml(struct str document, struct arena *arena)
{
    struct buf *json = arena_buf(arena, SIZE_MAX);
    struct json_object *answer = NULL;
    struct error err;

    buf_add_char(json, '{');
    add_list(json, document, "Successful", arena);
    buf_add_char(json, ',');
    add_list(json, document, "Failed", arena);
    buf_add_char(json, '}');
    if (!json_read_in(arena, buf_str(json), NULL, &answer, &err))
        return NULL; /* text that is not UTF-8 */
    return answer;
}

static bool sns_call(struct aws_client *client, const struct aws_call *call, struct arena *arena,
                     struct json_object **answer, struct aws_failure *failure)
{
    CLEANUP(fetch_answer_done) struct fetch_answer got;
    const struct fetch_header type = { "Content-Type",
                                       STR("application/x-www-form-urlencoded; charset=utf-8") };
    const struct aws_request request = {
        .method = "POST",
        .path = STR("/"),
        .headers = &type,
        .header_count = 1,
        .body = call->body,
        .deadline_us = call->deadline_us,
    };

    fetch_answer_init(&got, SNS_ANSWER_BYTES);
    if (!aws_client_send(client, &request, arena, &got, failure))
        return false;
    *answer = read_xml(buf_str(&got.body), arena);
    if (*answer)
        return true;
    *failure = (struct aws_failure){ .kind = AWS_GARBLED };
    return fail(&failure->error, ERR_UNREACHABLE, "the answer is no XML");
}

static struct str sns_head(struct arena *arena, const char *topic_arn)
{
    struct buf *head = arena_buf(arena, SIZE_MAX);

    buf_add(head, STR("Action=PublishBatch&Version=2010-03-31&TopicArn="));
    sns_encode(head, str_from_c(topic_arn));
    return buf_str(head);
}

bool sink_sns(const struct entries_options *entries, const struct messages_options *options,
              struct sink *out, struct error *err)
{
    struct messages *messages = messages_create(options, SNS_BYTES, err);

    if (messages && entries_create(entries,
                                   &(struct entries_target){
                                       .service = "sns",
                                       .operation = "PublishBatch",
                                       .right = "sns:Publish",
                                       .max_records = SNS_MESSAGES,
                                       .max_bytes = SNS_BYTES,
                                       .reads_records = messages_read_records(messages),
                                       .head = sns_head(messages->arena, options->target),
                                       .separator = STR(""),
                                       .tail = STR(""),
                                       .add = sns_add,
                                       .call = sns_call,
                                       .judge = sns_judge,
                                       .cost = messages_cost,
                                       .destroy = messages_destroy,
                                       .self = messages,
                                   },
                                   out, err))
        return true;
    messages_destroy(messages);
    return false;
}
