/*
 * dynamodb.c - see dynamodb.h.
 *
 * DynamoDB refuses a call that has two items with one key, so the second item is sent in the next
 * call. BatchWriteItem returns items that it did not write without their places; they are found by
 * their keys.
 */
#include "delivery/sinks/dynamodb.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/memory.h"

enum {
    DYNAMODB_ITEMS = 25,
    DYNAMODB_CALL_BYTES = 4 * 1024 * 1024,
    DYNAMODB_ANSWER_BYTES = 64 * 1024 * 1024, /* it can have all items of the call, escaped */
    STATEMENT_MAX = 8192,
    DYNAMODB_ITEM_MORE = 64, /* bytes of an item beside the record, as an estimate */
};

struct sink_dynamodb {
    struct arena *arena;
    struct sink_dynamodb_options options;
    struct dynamodb_layout layout;
};

/* The keys of the items of a call, as text. */
struct dynamodb_call {
    struct str keys[DYNAMODB_ITEMS];
};

/* The values of the key, each in DynamoDB's JSON. */
static struct str key_text(const struct dynamodb_item *item, struct arena *arena)
{
    return item->key_count == 1
               ? item->attributes[0].value
               : arena_printf(arena, "%.*s %.*s", STR_ARG(item->attributes[0].value),
                              STR_ARG(item->attributes[1].value));
}

static bool has_same_key(const struct entries_call *call, struct str key)
{
    const struct dynamodb_call *mine = call->target;

    for (size_t i = 0; i < call->count; i++)
        if (str_equal(mine->keys[i], key))
            return true;
    return false;
}

/* A name in PartiQL: in single quotes, of which each inside is doubled. */
static void quote_name(struct buf *out, struct str name)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < name.len; i++) {
        buf_add_char(out, name.ptr[i]);
        if (name.ptr[i] == '\'')
            buf_add_char(out, '\'');
    }
    buf_add_char(out, '\'');
}

/* INSERT INTO "table" VALUE {'name': ?, ...} */
static struct str insert_statement(const struct sink_dynamodb *dynamodb,
                                   const struct dynamodb_item *item, struct arena *arena)
{
    struct buf *statement = arena_buf(arena, SIZE_MAX);

    buf_printf(statement, "INSERT INTO \"%s\" VALUE {", dynamodb->options.table);
    for (size_t i = 0; i < item->count; i++) {
        if (i > 0)
            buf_add(statement, STR(", "));
        quote_name(statement, item->attributes[i].name);
        buf_add(statement, STR(": ?"));
    }
    buf_add_char(statement, '}');
    return buf_str(statement);
}

static bool write_insert(const struct sink_dynamodb *dynamodb, const struct dynamodb_item *item,
                         struct entries_item *entry, struct buf *body)
{
    struct str statement = insert_statement(dynamodb, item, entry->arena);

    if (statement.len > STATEMENT_MAX)
        return fail(&entry->error, ERR_INVALID,
                    "the names of %zu attributes make a statement of %zu bytes; DynamoDB takes %d",
                    item->count, statement.len, STATEMENT_MAX);
    buf_add(body, STR("{\"Statement\":"));
    json_write_string(body, statement);
    buf_add(body, STR(",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\",\"Parameters\":["));
    for (size_t i = 0; i < item->count; i++) {
        if (i > 0)
            buf_add_char(body, ',');
        buf_add(body, item->attributes[i].value);
    }
    buf_add(body, STR("]}"));
    return true;
}

static void write_put(const struct dynamodb_item *item, struct buf *body)
{
    buf_add(body, STR("{\"PutRequest\":{\"Item\":{"));
    for (size_t i = 0; i < item->count; i++) {
        if (i > 0)
            buf_add_char(body, ',');
        json_write_string(body, item->attributes[i].name);
        buf_add_char(body, ':');
        buf_add(body, item->attributes[i].value);
    }
    buf_add(body, STR("}}}"));
}

static enum entries_added dynamodb_add(void *self, struct entries_call *call,
                                       struct entries_item *entry)
{
    const struct sink_dynamodb *dynamodb = self;
    struct dynamodb_call *mine = call->target;
    struct dynamodb_item item;
    struct str key;

    if (!dynamodb_item_make(&dynamodb->layout, entry, &item))
        return ENTRIES_IMPOSSIBLE;
    key = key_text(&item, entry->arena);
    if (has_same_key(call, key))
        return ENTRIES_NEXT_CALL;
    if (dynamodb->options.mode == SINK_DYNAMODB_REPLACE)
        write_put(&item, call->body);
    else if (!write_insert(dynamodb, &item, entry, call->body))
        return ENTRIES_IMPOSSIBLE;
    mine->keys[call->count] = key;
    return ENTRIES_ADDED;
}

/* Has the item that is there another text in the document's attribute? */
static bool has_other_document(const struct sink_dynamodb *dynamodb,
                               const struct entries_call *call, size_t entry,
                               struct json_object *error)
{
    struct json_object *there = NULL;
    struct json_object *document = NULL;

    return !dynamodb->options.item.as_attributes && json_find(error, "Item", &there) &&
           json_is_object(there) && json_find(there, dynamodb->options.item.document, &document) &&
           json_is_object(document) &&
           !str_equal(json_find_str(document, "S"),
                      call->batch->records[call->records[entry]].bytes);
}

static void judge_insert(void *self, struct entries_call *call, struct json_object *answer)
{
    const struct sink_dynamodb *dynamodb = self;
    struct json_object *list = NULL;
    size_t others = 0;

    if (!json_find(answer, "Responses", &list) || !json_is_array(list))
        return;
    for (size_t i = 0; i < call->count && i < json_count(list); i++) {
        struct json_object *response = json_at(list, i);
        struct json_object *error = NULL;

        if (!json_is_object(response))
            continue;
        if (!json_find(response, "Error", &error) || !json_is_object(error)) {
            entries_arrived(call, i);
            continue;
        }
        others += has_other_document(dynamodb, call, i, error);
        entries_failed(call, i,
                       &(struct entries_fault){ .code = json_find_str(error, "Code"),
                                                .message = json_find_str(error, "Message") });
    }
    if (others > 0)
        LOG_EVENT(LOG_INFO, "sink_item_differs",
                  LOG_STR("sink", str_from_c(dynamodb->options.name)), LOG_INT("records", others));
}

/* The entry of an item that was not written; the call's count: it is not found. */
static size_t find_unwritten(const struct sink_dynamodb *dynamodb, const struct entries_call *call,
                             struct json_object *request)
{
    const struct dynamodb_item_options *options = &dynamodb->options.item;
    const struct dynamodb_call *mine = call->target;
    struct arena *arena = call->batch->arena;
    struct json_object *put = NULL;
    struct json_object *item = NULL;
    struct json_object *hash = NULL;
    struct json_object *range = NULL;
    struct str key;

    if (!json_is_object(request) || !json_find(request, "PutRequest", &put) ||
        !json_is_object(put) || !json_find(put, "Item", &item) || !json_is_object(item) ||
        !json_find(item, options->hash.name, &hash))
        return call->count;
    key = json_text(arena, hash);
    if (*options->range.name) {
        if (!json_find(item, options->range.name, &range))
            return call->count;
        key = arena_printf(arena, "%.*s %.*s", STR_ARG(key), STR_ARG(json_text(arena, range)));
    }
    for (size_t i = 0; i < call->count; i++)
        if (str_equal(mine->keys[i], key))
            return i;
    return call->count;
}

/* The item was not written. One that is not found can be any: all are written again. */
static void postpone(struct entries_call *call, size_t entry)
{
    const struct entries_fault fault = { .code = STR("UnprocessedItems") };
    size_t first = entry < call->count ? entry : 0;
    size_t end = entry < call->count ? entry + 1 : call->count;

    for (size_t i = first; i < end; i++)
        entries_failed(call, i, &fault);
    call->answer->is_sink_wide = true; /* DynamoDB asks for a pause */
}

static void judge_replace(void *self, struct entries_call *call, struct json_object *answer)
{
    const struct sink_dynamodb *dynamodb = self;
    struct json_object *tables = NULL;
    struct json_object *list = NULL;

    if (!json_find(answer, "UnprocessedItems", &tables) || !json_is_object(tables))
        return;
    for (size_t i = 0; i < call->count; i++)
        entries_arrived(call, i);
    if (!json_find(tables, dynamodb->options.table, &list) || !json_is_array(list))
        return;
    for (size_t i = 0; i < json_count(list); i++)
        postpone(call, find_unwritten(dynamodb, call, json_at(list, i)));
}

static size_t dynamodb_cost(void *self, const struct sink_record *record)
{
    (void)self;
    return record->bytes.len + DYNAMODB_ITEM_MORE;
}

static void dynamodb_destroy(void *self)
{
    struct sink_dynamodb *dynamodb = self;

    dynamodb_layout_done(&dynamodb->layout);
    arena_destroy(dynamodb->arena);
    mem_free(dynamodb);
}

static struct entries_target target_of(struct sink_dynamodb *dynamodb)
{
    bool is_insert = dynamodb->options.mode == SINK_DYNAMODB_INSERT;

    return (struct entries_target){
        .service = "dynamodb",
        .operation = is_insert ? "BatchExecuteStatement" : "BatchWriteItem",
        .right = is_insert ? "dynamodb:PartiQLInsert" : "dynamodb:BatchWriteItem",
        .max_records = DYNAMODB_ITEMS,
        .max_bytes = DYNAMODB_CALL_BYTES,
        .max_answer = DYNAMODB_ANSWER_BYTES,
        .call_size = sizeof(struct dynamodb_call),
        .reads_records = dynamodb_layout_reads_records(&dynamodb->layout),
        .head = is_insert ? STR("{\"Statements\":[")
                          : arena_printf(dynamodb->arena, "{\"RequestItems\":{\"%s\":[",
                                         dynamodb->options.table),
        .separator = STR(","),
        .tail = is_insert ? STR("]}") : STR("]}}"),
        .add = dynamodb_add,
        .judge = is_insert ? judge_insert : judge_replace,
        .cost = dynamodb_cost,
        .destroy = dynamodb_destroy,
        .self = dynamodb,
    };
}

bool sink_dynamodb(const struct sink_dynamodb_options *options, struct sink *out, struct error *err)
{
    struct sink_dynamodb *dynamodb = mem_alloc(sizeof(*dynamodb));

    dynamodb->arena = arena_create();
    dynamodb->options = *options;
    if (dynamodb_layout_init(&dynamodb->layout, &options->item, err)) {
        const struct entries_target target = target_of(dynamodb);

        if (entries_create(&options->entries, &target, out, err))
            return true;
    }
    dynamodb_destroy(dynamodb);
    return false;
}
