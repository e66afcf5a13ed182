/*
 * firehose.c - see firehose.h.
 *
 * Firehose has neither order nor deduplication.
 */
#include "delivery/sinks/firehose.h"

#include "base/arena.h"
#include "base/memory.h"

enum {
    FIREHOSE_RECORDS = 500,
    FIREHOSE_CALL_BYTES = 4000000,
    FIREHOSE_RECORD_BYTES = 1024000, /* before base64 */
};

struct sink_firehose {
    struct arena *arena;
    bool newline;
};

static enum entries_added firehose_add(void *self, struct entries_call *call,
                                       struct entries_item *item)
{
    const struct sink_firehose *firehose = self;

    item->size = item->record->bytes.len + firehose->newline;
    if (item->size > FIREHOSE_RECORD_BYTES) {
        (void)fail(&item->error, ERR_INVALID, "the record has %zu bytes; Firehose takes %d",
                   item->size, FIREHOSE_RECORD_BYTES);
        return ENTRIES_IMPOSSIBLE;
    }
    entries_add_data(call, item, firehose->newline);
    buf_add_char(call->body, '}');
    return ENTRIES_ADDED;
}

static void firehose_judge(void *self, struct entries_call *call, struct json_object *answer)
{
    (void)self;
    entries_judge_by_position(call, answer, "RequestResponses", "RecordId");
}

static size_t firehose_cost(void *self, const struct sink_record *record)
{
    const struct sink_firehose *firehose = self;

    return record->bytes.len + firehose->newline;
}

static void firehose_destroy(void *self)
{
    struct sink_firehose *firehose = self;

    arena_destroy(firehose->arena);
    mem_free(firehose);
}

bool sink_firehose(const struct sink_firehose_options *options, struct sink *out, struct error *err)
{
    struct sink_firehose *firehose = mem_alloc(sizeof(*firehose));

    firehose->arena = arena_create();
    firehose->newline = options->newline;

    const struct entries_target target = {
        .service = "firehose",
        .operation = "PutRecordBatch",
        .right = "firehose:PutRecordBatch",
        .max_records = FIREHOSE_RECORDS,
        .max_bytes = FIREHOSE_CALL_BYTES,
        .head = entries_head(firehose->arena, "DeliveryStreamName", options->delivery_stream,
                             "Records"),
        .separator = STR(","),
        .tail = STR("]}"),
        .add = firehose_add,
        .judge = firehose_judge,
        .cost = firehose_cost,
        .destroy = firehose_destroy,
        .self = firehose,
    };

    if (entries_create(&options->entries, &target, out, err))
        return true;
    firehose_destroy(firehose);
    return false;
}
