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

static bool fail_item(struct item_builder *builder, const char *what, struct str name)
{
    return fail(&builder->item->error, ERR_INVALID, "%.*s: %s", STR_ARG(name), what);
}

/* Append a scalar, which fits. */
static void write_scalar(struct item_builder *builder, const struct flat *value, struct buf *out)
{
    if (flat_kind(value) == JSON_NULL) {
        buf_add(out, STR("{\"NULL\":true}"));
        builder->size++;
    } else if (flat_is_string(value)) {
        buf_add(out, STR("{\"S\":"));
        json_write_string(out, flat_str(value));
        buf_add_char(out, '}');
        builder->size += value->len;
    } else if (flat_is_boolean(value)) {
        buf_add(out, flat_is_true(value) ? STR("{\"BOOL\":true}") : STR("{\"BOOL\":false}"));
        builder->size++;
    } else {
        buf_add(out, STR("{\"N\":\""));
        buf_add(out, flat_str(value));
        buf_add(out, STR("\"}"));
        builder->size += NUMBER_BYTES;
    }
}

/* Where a value goes: an attribute of the item, and how deep in it. */
struct value_place {
    struct item_builder *builder;
    struct str name; /* of the attribute, for messages */
    size_t depth;
    struct buf *out;
};

static bool write_value(const struct value_place *place, const struct flat *value);

static bool write_list(const struct value_place *place, const struct flat *array)
{
    const struct value_place inner = { place->builder, place->name, place->depth + 1, place->out };

    buf_add(place->out, STR("{\"L\":["));
    for (FLAT_EACH(element, array)) {
        if (element->index > 0)
            buf_add_char(place->out, ',');
        place->builder->size++;
        if (!write_value(&inner, element))
            return false;
    }
    buf_add(place->out, STR("]}"));
    return true;
}

static bool write_map(const struct value_place *place, const struct flat *object)
{
    const struct value_place inner = { place->builder, place->name, place->depth + 1, place->out };

    buf_add(place->out, STR("{\"M\":{"));
    for (FLAT_EACH(member, object)) {
        if (member->key_len == 0)
            return fail_item(place->builder, "DynamoDB takes no empty name", place->name);
        if (member->index > 0)
            buf_add_char(place->out, ',');
        place->builder->size += member->key_len + 1;
        flat_write_key(place->out, member);
        buf_add_char(place->out, ':');
        if (!write_value(&inner, member))
            return false;
    }
    buf_add(place->out, STR("}}"));
    return true;
}

static bool write_value(const struct value_place *place, const struct flat *value)
{
    struct item_builder *builder = place->builder;

    if (flat_is_number(value) && !dynamodb_number_fits(flat_str(value)))
        return fail_item(builder, "a number is out of DynamoDB's range, 38 digits to 9.9E+125",
                         place->name);
    if (!flat_is_array(value) && !flat_is_object(value)) {
        write_scalar(builder, value, place->out);
        return true;
    }
    if (place->depth > NESTING_MAX)
        return fail_item(builder, "nested deeper than DynamoDB takes, 32 levels", place->name);
    builder->size += CONTAINER_BYTES;
    return flat_is_array(value) ? write_list(place, value) : write_map(place, value);
}

static void add_attribute(struct item_builder *builder, struct str name, struct str value)
{
    builder->size += name.len;
    builder->attributes[builder->count++] = (struct dynamodb_attribute){ name, value };
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
    const struct flat *value = NULL;

    *is_number = false;
    if (!pointer)
        return item->record->key;
    if (flat_pointer_find(pointer, item->tree, &value, NULL) == JSON_FOUND)
        *is_number = flat_is_number(value);
    return record_text(item->tree, pointer, item->arena);
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
                         str_from_c(key->name));
    builder->size += text.len;
    add_attribute(builder, str_from_c(key->name),
                  text_value(builder->item->arena, is_number ? "N" : "S", text));
    return true;
}

static bool is_set_already(const struct item_builder *builder, struct str name)
{
    for (size_t i = 0; i < builder->count; i++)
        if (str_equal(builder->attributes[i].name, name))
            return true;
    return false;
}

/* The members of the record, except those that the key and the time to live have. */
static bool add_members(struct item_builder *builder)
{
    size_t fixed = builder->count;

    for (FLAT_EACH(member, builder->item->tree)) {
        struct item_builder first = *builder;
        struct str key = flat_key(member);
        struct buf *out;

        first.count = fixed;
        if (is_set_already(&first, key))
            continue;
        if (key.len == 0)
            return fail_item(builder, "DynamoDB takes no empty name", STR("the record"));
        out = arena_buf(builder->item->arena, SIZE_MAX);
        if (!write_value(&(struct value_place){ builder, key, 1, out }, member))
            return false;
        add_attribute(builder, key, buf_str(out));
    }
    return true;
}

static void add_ttl(struct item_builder *builder)
{
    const struct dynamodb_item_options *options = &builder->layout->options;
    int64_t at_s = (builder->item->record->accepted_us + options->ttl_after_us) / US_PER_S;
    struct arena *arena = builder->item->arena;

    if (!*options->ttl_name)
        return;
    builder->size += NUMBER_BYTES;
    add_attribute(builder, str_from_c(options->ttl_name),
                  text_value(arena, "N", arena_printf(arena, "%" PRId64, at_s)));
}

static bool add_content(struct item_builder *builder)
{
    const struct dynamodb_item_options *options = &builder->layout->options;
    struct str record = builder->item->record->bytes;

    if (options->as_attributes)
        return add_members(builder);
    builder->size += record.len;
    add_attribute(builder, str_from_c(options->document),
                  text_value(builder->item->arena, "S", record));
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
        if (!flat_is_object(item->tree))
            return fail(&item->error, ERR_INVALID, "the record is not an object");
        members = flat_count(item->tree);
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
