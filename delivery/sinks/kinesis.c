/*
 * kinesis.c - see kinesis.h.
 *
 * PutRecords does not keep the order of a shard: a later record can be stored although an earlier
 * one of the same call was throttled.
 */
#include "delivery/sinks/kinesis.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/utf8.h"

enum {
    KINESIS_RECORDS = 500,
    KINESIS_CALL_BYTES = 4608 * 1024, /* below 5 MiB, which every stream takes */
    KINESIS_KEY_CHARS = 256,
};

struct sink_kinesis {
    struct sink_kinesis_options options;
    struct json_pointer *key; /* NULL: the order key */
    struct arena *arena;
};

static enum entries_added kinesis_add(void *self, struct entries_call *call,
                                      struct entries_item *item)
{
    const struct sink_kinesis *kinesis = self;
    struct str group = entries_group(item, kinesis->key);
    struct str key = entries_key(group, utf8_count(group) <= KINESIS_KEY_CHARS, item->arena);

    item->size =
        item->record->head.len + item->record->bytes.len + kinesis->options.newline + key.len;
    if (item->size > kinesis->options.max_record) {
        (void)fail(&item->error, ERR_INVALID,
                   "record and partition key have %zu bytes; max_record is %zu", item->size,
                   kinesis->options.max_record);
        return ENTRIES_IMPOSSIBLE;
    }
    entries_add_data(call, item, kinesis->options.newline);
    buf_add(call->body, STR(",\"PartitionKey\":"));
    json_write_string(call->body, key);
    buf_add_char(call->body, '}');
    return ENTRIES_ADDED;
}

static void kinesis_judge(void *self, struct entries_call *call, struct json_object *answer)
{
    (void)self;
    entries_judge_by_position(call, answer, "Records", "SequenceNumber");
}

static size_t kinesis_cost(void *self, const struct sink_record *record)
{
    const struct sink_kinesis *kinesis = self;

    return record->head.len + record->bytes.len + kinesis->options.newline + record->order_key.len;
}

static void kinesis_destroy(void *self)
{
    struct sink_kinesis *kinesis = self;

    json_pointer_destroy(kinesis->key);
    arena_destroy(kinesis->arena);
    mem_free(kinesis);
}

bool sink_kinesis(const struct sink_kinesis_options *options, struct sink *out, struct error *err)
{
    struct sink_kinesis *kinesis = mem_alloc(sizeof(*kinesis));
    bool is_arn = str_starts_with(str_from_c(options->stream), STR("arn:"));

    kinesis->options = *options;
    kinesis->arena = arena_create();

    const struct entries_target target = {
        .service = "kinesis",
        .operation = "PutRecords",
        .right = "kinesis:PutRecords",
        .max_records = KINESIS_RECORDS,
        .max_bytes = KINESIS_CALL_BYTES,
        .reads_records = *options->partition_key != '\0',
        .head = entries_head(kinesis->arena, is_arn ? "StreamARN" : "StreamName", options->stream,
                             "Records"),
        .separator = STR(","),
        .tail = STR("]}"),
        .add = kinesis_add,
        .judge = kinesis_judge,
        .cost = kinesis_cost,
        .destroy = kinesis_destroy,
        .self = kinesis,
    };

    if (entries_pointer(options->partition_key, &kinesis->key, err) &&
        entries_create(&options->entries, &target, out, err))
        return true;
    kinesis_destroy(kinesis);
    return false;
}
