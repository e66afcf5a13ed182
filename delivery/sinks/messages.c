/*
 * messages.c - see messages.h.
 */
#include "delivery/sinks/messages.h"

#include "base/chars.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "delivery/record_text.h"

enum {
    ID_MAX = 128,            /* bytes of a group id and a deduplication id */
    ATTRIBUTE_ESTIMATE = 64, /* bytes of a value */
};

static const struct str data_type = STR_INIT("String");

struct messages *messages_create(const struct messages_options *options, size_t max_bytes,
                                 struct error *err)
{
    struct messages *messages = mem_alloc(sizeof(*messages));
    bool ok;

    messages->arena = arena_create();
    messages->options = *options;
    messages->max_bytes = max_bytes;
    messages->attributes = mem_alloc_array(options->attribute_count, sizeof(struct json_pointer *));
    ok = entries_pointer(options->group_id, &messages->group, err);
    for (size_t i = 0; ok && i < options->attribute_count; i++)
        ok = entries_pointer(options->attributes[i].pointer, &messages->attributes[i], err);
    if (ok)
        return messages;
    messages_destroy(messages);
    return NULL;
}

void messages_destroy(void *messages)
{
    struct messages *self = messages;

    if (!self)
        return;
    for (size_t i = 0; i < self->options.attribute_count; i++)
        json_pointer_destroy(self->attributes[i]);
    mem_free(self->attributes);
    json_pointer_destroy(self->group);
    arena_destroy(self->arena);
    mem_free(self);
}

bool messages_read_records(const struct messages *messages)
{
    return messages->group || messages->options.attribute_count > 0;
}

static bool is_noncharacter(uint32_t code)
{
    return code == 0xFFFE || code == 0xFFFF;
}

/* The record with U+FFFE and U+FFFF escaped. Both are three bytes that begin with EF BF. */
static struct str message_body(struct str record, struct arena *arena)
{
    struct buf *body = NULL;
    const char *at = record.ptr;
    const char *end = record.ptr + record.len;

    while ((at = memmem(at, (size_t)(end - at), "\xEF\xBF", 2)) && end - at >= 3) {
        unsigned char last = (unsigned char)at[2];

        at += 3;
        if (last != 0xBE && last != 0xBF)
            continue;
        if (!body)
            body = arena_buf(arena, SIZE_MAX);
        buf_add(body, (struct str){ record.ptr, (size_t)(at - 3 - record.ptr) });
        buf_add(body, last == 0xBE ? STR("\\ufffe") : STR("\\uffff"));
        record = (struct str){ at, (size_t)(end - at) };
    }
    if (!body)
        return record;
    buf_add(body, record);
    return buf_str(body);
}

/* Ids are printable ASCII without the space. */
static bool is_id_char(char c)
{
    return c > ' ' && c <= '~';
}

static struct str message_id(struct str text, struct arena *arena)
{
    return entries_key(text, text.len <= ID_MAX && all_are(text, is_id_char), arena);
}

/* Does it have a character that the targets refuse? The tab and line ends are taken. */
static bool is_refused(struct str text)
{
    uint32_t code;

    while (utf8_take(&text, &code))
        if (is_noncharacter(code) || (code < ' ' && !char_is_space((char)code)))
            return true;
    return false;
}

static bool add_message_attribute(struct message *message, struct message_attribute *to,
                                  const struct message_attribute *attribute,
                                  struct entries_item *item)
{
    if (is_refused(attribute->value))
        return fail(&item->error, ERR_INVALID,
                    "attribute %.*s has a character that the target refuses",
                    STR_ARG(attribute->name));
    *to = *attribute;
    message->attribute_count++;
    item->size += attribute->name.len + data_type.len + attribute->value.len;
    return true;
}

/* An attribute without a value in the record is left out. */
static bool add_message_attributes(const struct messages *messages, struct entries_item *item,
                                   struct message *message)
{
    size_t count = messages->options.attribute_count;
    struct message_attribute *list = arena_alloc(item->arena, (count + 1) * sizeof(*list));

    message->attributes = list;
    for (size_t i = 0; i < count; i++) {
        const struct message_attribute attribute = {
            str_from_c(messages->options.attributes[i].name),
            record_text(item->tree, messages->attributes[i], item->arena),
        };

        if (attribute.value.ptr &&
            !add_message_attribute(message, &list[message->attribute_count], &attribute, item))
            return false;
    }
    return true;
}

bool messages_make(const struct messages *messages, struct entries_item *item, struct message *out)
{
    const struct messages_options *options = &messages->options;
    struct message message = { .body = message_body(item->record->bytes, item->arena) };

    if (messages->group || options->is_fifo)
        message.group_id = message_id(entries_group(item, messages->group), item->arena);
    if (options->is_fifo && !options->by_content)
        message.deduplication_id = message_id(item->record->key, item->arena);
    item->size = message.body.len;
    if (!add_message_attributes(messages, item, &message))
        return false;
    if (item->size > messages->max_bytes)
        return fail(&item->error, ERR_INVALID, "the message has %zu bytes; the target takes %zu",
                    item->size, messages->max_bytes);
    *out = message;
    return true;
}

size_t messages_cost(void *messages, const struct sink_record *record)
{
    const struct messages *self = messages;

    return record->bytes.len + self->options.attribute_count * (data_type.len + ATTRIBUTE_ESTIMATE);
}
