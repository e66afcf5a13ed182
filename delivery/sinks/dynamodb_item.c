/*
 * dynamodb_item.c - see dynamodb_item.h.
 */
#include "delivery/sinks/dynamodb_item.h"

#include <inttypes.h>

#include "base/chars.h"
#include "base/clock.h"
#include "delivery/record_text.h"

enum {
    HASH_MAX = 2048, /* bytes */
    RANGE_MAX = 1024,
    ITEM_MAX = 400 * 1024,
    NESTING_MAX = 31, /* arrays and objects in an item; the item itself is one more level */
    DIGITS_MAX = 38,
    EXPONENT_MIN = -130, /* of the first digit */
    EXPONENT_MAX = 125,
    EXPONENT_FAR = 100000, /* beyond all limits */
    CONTAINER_BYTES = 3,   /* that an array or object counts, and one for each element */
    NUMBER_BYTES = 21,     /* the most that a number counts */
};

/* An item while it is made. */
struct item_builder {
    const struct dynamodb_layout *layout;
    struct entries_item *item;
    struct dynamodb_attribute *attributes;
    size_t count;
    size_t size;
};

bool dynamodb_layout_init(struct dynamodb_layout *layout,
                          const struct dynamodb_item_options *options, struct error *err)
{
    *layout = (struct dynamodb_layout){ .options = *options };
    return entries_pointer(options->hash.pointer, &layout->hash, err) &&
           entries_pointer(options->range.pointer, &layout->range, err);
}

void dynamodb_layout_done(struct dynamodb_layout *layout)
{
    json_pointer_destroy(layout->hash);
    json_pointer_destroy(layout->range);
}

bool dynamodb_layout_reads_records(const struct dynamodb_layout *layout)
{
    return layout->hash || layout->range || layout->options.as_attributes;
}

/* The exponent behind `e` or `E`, cut at EXPONENT_FAR. */
static int read_power(struct str text)
{
    bool is_negative = str_starts_with(text, STR("-"));
    int power = 0;

    for (size_t i = 0; i < text.len; i++)
        if (char_is_digit(text.ptr[i]) && power < EXPONENT_FAR)
            power = power * 10 + (text.ptr[i] - '0');
    return is_negative ? -power : power;
}

/* A number's digits without zeroes at both ends, and the power of ten of the first one. */
struct decimal {
    size_t digits;
    int64_t exponent;
};

static struct decimal read_decimal(struct str number)
{
    struct decimal out = { 0 };
    size_t zeroes = 0; /* behind the last other digit */
    bool in_fraction = false;
    size_t i = 0;

    for (; i < number.len && !char_is_one_of(number.ptr[i], "eE"); i++) {
        char c = number.ptr[i];

        if (c == '.')
            in_fraction = true;
        if (!char_is_digit(c))
            continue;
        if (c == '0') {
            zeroes += out.digits > 0;
        } else {
            out.digits += zeroes + 1;
            zeroes = 0;
        }
        if (in_fraction)
            out.exponent -= out.digits == 0;
        else
            out.exponent += out.digits > 0;
    }
    if (i < number.len)
        out.exponent += read_power(str_from(number, i + 1));
    out.exponent--;
    return out;
}

bool dynamodb_number_fits(struct str number)
{
    struct decimal decimal = read_decimal(number);

    return decimal.digits == 0 ||
           (decimal.digits <= DIGITS_MAX && decimal.exponent >= EXPONENT_MIN &&
            decimal.exponent <= EXPONENT_MAX);
}

static bool fail_item(struct item_builder *builder, const char *what, const char *name)
{
    return fail(&builder->item->error, ERR_INVALID, "%s: %s", name, what);
}

/* Append a scalar, which fits. */
static void write_scalar(struct item_builder *builder, struct json_object *value, struct buf *out)
{
    if (!value) {
        buf_add(out, STR("{\"NULL\":true}"));
        builder->size++;
    } else if (json_is_string(value)) {
        buf_add(out, STR("{\"S\":"));
        json_write_string(out, json_str(value));
        buf_add_char(out, '}');
        builder->size += json_str(value).len;
    } else if (json_kind(value) == JSON_BOOLEAN) {
        buf_add(out,
                json_object_get_boolean(value) ? STR("{\"BOOL\":true}") : STR("{\"BOOL\":false}"));
        builder->size++;
    } else {
        buf_add(out, STR("{\"N\":\""));
        json_write(out, value);
        buf_add(out, STR("\"}"));
        builder->size += NUMBER_BYTES;
    }
}

static bool is_number_value(struct json_object *value)
{
    return json_kind(value) == JSON_INTEGER || json_kind(value) == JSON_NUMBER;
}

/* Where a value goes: an attribute of the item, and how deep in it. */
struct value_place {
    struct item_builder *builder;
    const char *name; /* of the attribute, for messages */
    size_t depth;
    struct buf *out;
};

static bool write_value(const struct value_place *place, struct json_object *value);

static bool write_list(const struct value_place *place, struct json_object *array)
{
    const struct value_place inner = { place->builder, place->name, place->depth + 1, place->out };

    buf_add(place->out, STR("{\"L\":["));
    for (size_t i = 0; i < json_count(array); i++) {
        if (i > 0)
            buf_add_char(place->out, ',');
        place->builder->size++;
        if (!write_value(&inner, json_at(array, i)))
            return false;
    }
    buf_add(place->out, STR("]}"));
    return true;
}

static bool write_map(const struct value_place *place, struct json_object *object)
{
    const struct value_place inner = { place->builder, place->name, place->depth + 1, place->out };
    bool is_first = true;

    buf_add(place->out, STR("{\"M\":{"));
    for (JSON_EACH(member, object)) {
        struct str key = str_from_c(json_key(member));

        if (key.len == 0)
            return fail_item(place->builder, "DynamoDB takes no empty name", place->name);
        if (!is_first)
            buf_add_char(place->out, ',');
        is_first = false;
        place->builder->size += key.len + 1;
        json_write_string(place->out, key);
        buf_add_char(place->out, ':');
        if (!write_value(&inner, json_value(member)))
            return false;
    }
    buf_add(place->out, STR("}}"));
    return true;
}

static bool write_value(const struct value_place *place, struct json_object *value)
{
    struct item_builder *builder = place->builder;

    if (is_number_value(value) && !dynamodb_number_fits(json_text(builder->item->arena, value)))
        return fail_item(builder, "a number is out of DynamoDB's range, 38 digits to 9.9E+125",
                         place->name);
    if (!json_is_array(value) && !json_is_object(value)) {
        write_scalar(builder, value, place->out);
        return true;
    }
    if (place->depth > NESTING_MAX)
        return fail_item(builder, "nested deeper than DynamoDB takes, 32 levels", place->name);
    builder->size += CONTAINER_BYTES;
    return json_is_array(value) ? write_list(place, value) : write_map(place, value);
}

static void add_attribute(struct item_builder *builder, const char *name, struct str value)
{
    builder->size += strlen(name);
    builder->attributes[builder->count++] = (struct dynamodb_attribute){ str_from_c(name), value };
}

static struct str text_value(struct arena *arena, const char *type, struct str text)
{
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_printf(out, "{\"%s\":", type);
    json_write_string(out, text);
    buf_add_char(out, '}');
    return buf_str(out);
}

/* The value at the pointer; `*is_number` if JSON says so. STR_NONE: no text is there. */
static struct str find_key(const struct entries_item *item, const struct json_pointer *pointer,
                           bool *is_number)
{
    struct json_object *value = NULL;

    *is_number = false;
    if (!pointer)
        return item->record->key;
    if (json_pointer_find(pointer, item->json, &value, NULL) == JSON_FOUND && value)
        *is_number = is_number_value(value);
    return record_text(item->json, pointer, item->arena);
}

static bool add_key_attribute(struct item_builder *builder, const struct dynamodb_key *key,
                              const struct json_pointer *pointer, size_t max)
{
    bool is_number;
    struct str text = find_key(builder->item, pointer, &is_number);

    if (!text.ptr || text.len == 0)
        return fail(&builder->item->error, ERR_INVALID, "the record has no key %s at %s", key->name,
                    key->pointer);
    if (text.len > max)
        return fail(&builder->item->error, ERR_INVALID,
                    "the key %s has %zu bytes; DynamoDB takes %zu", key->name, text.len, max);
    if (is_number && !dynamodb_number_fits(text))
        return fail_item(builder, "a number is out of DynamoDB's range, 38 digits to 9.9E+125",
                         key->name);
    builder->size += text.len;
    add_attribute(builder, key->name,
                  text_value(builder->item->arena, is_number ? "N" : "S", text));
    return true;
}

static bool is_set_already(const struct item_builder *builder, const char *name)
{
    for (size_t i = 0; i < builder->count; i++)
        if (str_equal(builder->attributes[i].name, str_from_c(name)))
            return true;
    return false;
}

/* The members of the record, except those that the key and the time to live have. */
static bool add_members(struct item_builder *builder)
{
    size_t fixed = builder->count;

    for (JSON_EACH(member, builder->item->json)) {
        struct item_builder first = *builder;
        struct buf *out;

        first.count = fixed;
        if (is_set_already(&first, json_key(member)))
            continue;
        if (*json_key(member) == '\0')
            return fail_item(builder, "DynamoDB takes no empty name", "the record");
        out = arena_buf(builder->item->arena, SIZE_MAX);
        if (!write_value(&(struct value_place){ builder, json_key(member), 1, out },
                         json_value(member)))
            return false;
        add_attribute(builder, json_key(member), buf_str(out));
    }
    return true;
}

static size_t count_members(struct json_object *record)
{
    size_t count = 0;

    for (JSON_EACH(member, record))
        count++;
    return count;
}

static void add_ttl(struct item_builder *builder)
{
    const struct dynamodb_item_options *options = &builder->layout->options;
    int64_t at_s = (builder->item->record->accepted_us + options->ttl_after_us) / US_PER_S;
    struct arena *arena = builder->item->arena;

    if (!*options->ttl_name)
        return;
    builder->size += NUMBER_BYTES;
    add_attribute(builder, options->ttl_name,
                  text_value(arena, "N", arena_printf(arena, "%" PRId64, at_s)));
}

static bool add_content(struct item_builder *builder)
{
    const struct dynamodb_item_options *options = &builder->layout->options;
    struct str record = builder->item->record->bytes;

    if (options->as_attributes)
        return add_members(builder);
    builder->size += record.len;
    add_attribute(builder, options->document, text_value(builder->item->arena, "S", record));
    return true;
}

bool dynamodb_item_make(const struct dynamodb_layout *layout, struct entries_item *item,
                        struct dynamodb_item *out)
{
    const struct dynamodb_item_options *options = &layout->options;
    struct item_builder builder = { .layout = layout, .item = item };
    size_t key_count = *options->range.name ? 2 : 1;
    size_t members = 1;

    if (options->as_attributes) {
        if (!json_is_object(item->json))
            return fail(&item->error, ERR_INVALID, "the record is not an object");
        members = count_members(item->json);
    }
    builder.attributes =
        arena_alloc(item->arena, (members + key_count + 1) * sizeof(*builder.attributes));
    if (!add_key_attribute(&builder, &options->hash, layout->hash, HASH_MAX) ||
        (key_count == 2 && !add_key_attribute(&builder, &options->range, layout->range, RANGE_MAX)))
        return false;
    add_ttl(&builder);
    if (!add_content(&builder))
        return false;
    if (builder.size > ITEM_MAX)
        return fail(&item->error, ERR_INVALID, "the item has %zu bytes; DynamoDB takes %d",
                    builder.size, ITEM_MAX);
    item->size = builder.size;
    *out = (struct dynamodb_item){ builder.attributes, builder.count, key_count, builder.size };
    return true;
}
