/*
 * events_sources.c - what AWS Lambda passes from a queue of SQS or a stream of Kinesis, as an array
 * of the events in it.
 *
 * Lambda's text is `{"Records":[{"eventSource":"aws:sqs","messageId":...,"body":"<text>"},...]}`,
 * with `"kinesis":{"sequenceNumber":...,"data":"<Base64>"}` for a stream. The texts of the events
 * become `run->unwrapped`, an array, which is read instead of the body. A text that is not JSON
 * becomes a string in it, so that it is refused alone.
 */
#include "base/base64url.h"
#include "handlers/events_internal.h"

enum { TEXT_GROWTH = 3 }; /* at most, when a string is written again with other escapes */

/* Of a record: the text of the event, and what Lambda calls the record in batchItemFailures. */
struct source_record {
    struct str given; /* the member with the text, as it is there */
    struct str text;  /* ptr NULL: it cannot be decoded */
    struct str id;
};

static struct source_record read_sqs(struct arena *arena, const struct flat *record)
{
    struct str body = flat_find_str(record, STR("body"));

    (void)arena;
    return (struct source_record){ body, body, flat_find_str(record, STR("messageId")) };
}

static char url_letter(char letter)
{
    if (letter == '+')
        return '-';
    if (letter == '/')
        return '_';
    return letter;
}

/* Base64 with its usual alphabet and padding; ptr NULL: it is not valid. */
static struct str decode_base64(struct arena *arena, struct str text)
{
    char *letters = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (; len < text.len && text.ptr[len] != '='; len++)
        letters[len] = url_letter(text.ptr[len]);

    size_t size = base64url_decoded_size(len);
    uint8_t *bytes = arena_alloc(arena, size + 1);

    if (!base64url_decode((struct str){ letters, len }, bytes))
        return STR_NONE;
    return (struct str){ (const char *)bytes, size };
}

static struct source_record read_kinesis(struct arena *arena, const struct flat *record)
{
    const struct flat *inner = flat_find(record, STR("kinesis"));

    if (!inner || !flat_is_object(inner))
        return (struct source_record){ 0 };

    struct str data = flat_find_str(inner, STR("data"));

    return (struct source_record){ data, decode_base64(arena, data),
                                   flat_find_str(inner, STR("sequenceNumber")) };
}

static const struct source {
    struct str name;
    struct source_record (*read)(struct arena *arena, const struct flat *record);
} sources[] = {
    { STR_INIT("aws:sqs"), read_sqs },
    { STR_INIT("aws:kinesis"), read_kinesis },
};

static const struct source *source_of(const struct flat *record)
{
    struct str name = flat_is_object(record) ? flat_find_str(record, STR("eventSource")) : STR_NONE;

    for (size_t i = 0; i < COUNT_OF(sources); i++)
        if (str_equal(name, sources[i].name))
            return &sources[i];
    return NULL;
}

/* The records, if all have the same source; else NULL. */
static const struct flat *records_of(const struct flat *body, const struct source **source)
{
    const struct flat *records = flat_is_object(body) ? flat_find(body, STR("Records")) : NULL;

    if (!records || !flat_is_array(records) || flat_count(records) == 0)
        return NULL;
    *source = source_of(flat_at(records, 0));
    for (FLAT_EACH(record, records))
        if (!*source || source_of(record) != *source)
            return NULL;
    return records;
}

/* Add the event of a record, or, if it is not JSON, a string, with the reason in `item`. */
static void add_event_text(struct run *run, struct arena *scratch,
                           const struct source_record *record, struct run_item *item)
{
    const struct flat_options options = { .max_depth = JSON_MAX_DEPTH - 1 };
    const struct flat *tree;
    struct error err;

    if (record->text.ptr && flat_read(scratch, record->text, &options, &tree, &err)) {
        buf_add(run->unwrapped, record->text);
        return;
    }
    item->fault = record->text.ptr ? arena_printf(run->request->arena, "Invalid JSON %s", err.text)
                                   : STR("Record without a readable text");
    json_write_string(run->unwrapped, record->given);
}

bool run_unwrap(struct run *run)
{
    const struct source *source;
    const struct flat *records = run->items ? NULL : records_of(run->body, &source);
    struct arena *arena = run->request->arena;
    struct arena *scratch;
    size_t count = 0;

    if (!records)
        return false;
    scratch = arena_create();
    run->items = arena_alloc(arena, flat_count(records) * sizeof(*run->items));
    run->unwrapped = arena_buf(arena, TEXT_GROWTH * run->request->body.len);
    for (FLAT_EACH(one, records)) {
        struct source_record record = source->read(scratch, one);

        buf_add_char(run->unwrapped, count == 0 ? '[' : ',');
        run->items[count].id = arena_copy(arena, record.id);
        add_event_text(run, scratch, &record, &run->items[count++]);
        arena_reset(scratch);
    }
    buf_add_char(run->unwrapped, ']');
    arena_destroy(scratch);
    return true;
}

struct str run_text(const struct run *run)
{
    return run->unwrapped ? buf_str(run->unwrapped) : run->request->body;
}
