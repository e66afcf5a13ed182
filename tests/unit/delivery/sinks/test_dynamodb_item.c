/*
 * test_dynamodb_item.c - claims about delivery/sinks/dynamodb_item.h.
 */
#include "delivery/sinks/dynamodb_item.h"

#include <string.h>

#include "base/clock.h"
#include "tests/unit/test.h"

#define TEN      "0123456789"
#define DIGITS38 "12345678901234567890123456789012345678"

static void numbers_have_38_digits_and_three_of_exponent(void)
{
    static const struct {
        const char *number;
        bool fits;
    } rows[] = {
        { "0", true },
        { "-0.0e999999999", true },
        { "1", true },
        { "-12.5", true },
        { DIGITS38, true },
        { DIGITS38 "9", false },
        { DIGITS38 "000", true },
        { "0.000" DIGITS38, true },
        { "1" DIGITS38, false },
        { "1.000000000000000000000000000000000000000000000000", true },
        { "9.9E+125", true },
        { "9.9e125", true },
        { "1e126", false },
        { "10e125", false },
        { "0.1e126", true },
        { "1e-130", true },
        { "1e-131", false },
        { "0.1e-130", false },
        { "10e-131", true },
        { "1e99999999999999999999", false },
        { "1e-99999999999999999999", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].number);
        CHECK_INT(dynamodb_number_fits(str_from_c(rows[i].number)), rows[i].fits);
    }
}

/* The item as text `name=value name=value`, or what is wrong. */
static struct str made(struct arena *arena, const struct dynamodb_item_options *options,
                       const char *record)
{
    const struct sink_record source = { .accepted_us = 1700000000 * US_PER_S,
                                        .key = STR("id-1"),
                                        .bytes = str_from_c(record) };
    struct entries_item item = { .record = &source, .arena = arena };
    struct buf *text = arena_buf(arena, SIZE_MAX);
    struct dynamodb_layout layout;
    struct dynamodb_item out;
    struct error err = { 0 };
    bool is_made;

    CHECK(dynamodb_layout_init(&layout, options, &err));
    if (dynamodb_layout_reads_records(&layout)) {
        const struct flat_options deep = { .max_depth = JSON_DEPTH_LIMIT };

        CHECK(flat_read(arena, source.bytes, &deep, &item.tree, &err));
    }
    is_made = dynamodb_item_make(&layout, &item, &out);
    dynamodb_layout_done(&layout);
    if (!is_made)
        return arena_copy(arena, str_from_c(item.error.text));
    for (size_t i = 0; i < out.count; i++) {
        if (i > 0)
            buf_add_char(text, ' ');
        buf_printf(text, "%.*s=", STR_ARG(out.attributes[i].name));
        buf_add(text, out.attributes[i].value);
    }
    return buf_str(text);
}

static void an_item_has_key_and_content(void)
{
    static const struct dynamodb_item_options by_id = {
        .hash = { "id", "" }, .range = { "", "" }, .document = "record", .ttl_name = ""
    };
    static const struct dynamodb_item_options by_both = { .hash = { "q", "/q" },
                                                          .range = { "n", "/n" },
                                                          .document = "d",
                                                          .ttl_name = "ttl",
                                                          .ttl_after_us = 60 * US_PER_S };
    static const struct dynamodb_item_options as_attributes = { .hash = { "id", "" },
                                                                .range = { "", "" },
                                                                .as_attributes = true,
                                                                .ttl_name = "ttl",
                                                                .ttl_after_us = US_PER_S };
    static const struct {
        const char *name;
        const struct dynamodb_item_options *options;
        const char *record;
        const char *item;
    } rows[] = {
        { "a document", &by_id, "{\"a\":1e400}",
          "id={\"S\":\"id-1\"} record={\"S\":\"{\\\"a\\\":1e400}\"}" },
        { "two keys and a time to live", &by_both, "{\"q\":\"x\",\"n\":12}",
          "q={\"S\":\"x\"} n={\"N\":\"12\"} ttl={\"N\":\"1700000060\"} "
          "d={\"S\":\"{\\\"q\\\":\\\"x\\\",\\\"n\\\":12}\"}" },
        { "a boolean key is text", &by_both, "{\"q\":true,\"n\":\"x\"}",
          "q={\"S\":\"true\"} n={\"S\":\"x\"} ttl={\"N\":\"1700000060\"} "
          "d={\"S\":\"{\\\"q\\\":true,\\\"n\\\":\\\"x\\\"}\"}" },
        { "no hash key", &by_both, "{\"n\":1}", "the record has no key q at /q" },
        { "an empty one", &by_both, "{\"q\":\"\",\"n\":1}", "the record has no key q at /q" },
        { "no range key", &by_both, "{\"q\":1,\"n\":null}", "the record has no key n at /n" },
        { "a number that is no key", &by_both, "{\"q\":1e200,\"n\":1}",
          "q: a number is out of DynamoDB's range, 38 digits to 9.9E+125" },
        { "attributes", &as_attributes,
          "{\"s\":\"\",\"n\":-1.50,\"t\":true,\"f\":false,\"u\":null,\"l\":[1,\"a\"],"
          "\"m\":{\"x\":{}}}",
          "id={\"S\":\"id-1\"} ttl={\"N\":\"1700000001\"} s={\"S\":\"\"} n={\"N\":\"-1.50\"} "
          "t={\"BOOL\":true} f={\"BOOL\":false} u={\"NULL\":true} "
          "l={\"L\":[{\"N\":\"1\"},{\"S\":\"a\"}]} m={\"M\":{\"x\":{\"M\":{}}}}" },
        { "the key precedes a member of its name", &as_attributes, "{\"id\":7,\"ttl\":8}",
          "id={\"S\":\"id-1\"} ttl={\"N\":\"1700000001\"}" },
        { "no object", &as_attributes, "[1]", "the record is not an object" },
        { "a number out of range", &as_attributes, "{\"a\":[{\"b\":1e126}]}",
          "a: a number is out of DynamoDB's range, 38 digits to 9.9E+125" },
        { "an empty name", &as_attributes, "{\"\":1}", "the record: DynamoDB takes no empty name" },
        { "an empty name inside", &as_attributes, "{\"a\":{\"\":1}}",
          "a: DynamoDB takes no empty name" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].name);
        CHECK_STR(made(arena, rows[i].options, rows[i].record), rows[i].item);
    }
    arena_destroy(arena);
}

static void nesting_has_a_limit(void)
{
    static const struct dynamodb_item_options options = {
        .hash = { "id", "" }, .range = { "", "" }, .as_attributes = true, .ttl_name = ""
    };
    struct arena *arena = arena_create();

    for (int depth = 31; depth <= 32; depth++) {
        struct buf *text = arena_buf(arena, SIZE_MAX);
        struct str item;

        buf_add(text, STR("{\"a\":"));
        for (int i = 0; i < depth; i++)
            buf_add_char(text, '[');
        for (int i = 0; i < depth; i++)
            buf_add_char(text, ']');
        buf_add(text, STR("}\0"));
        item = made(arena, &options, text->ptr);
        if (depth == 31)
            CHECK(str_starts_with(item, STR("id=")));
        else
            CHECK_STR(item, "a: nested deeper than DynamoDB takes, 32 levels");
    }
    arena_destroy(arena);
}

static void keys_and_items_have_a_maximum(void)
{
    static const struct {
        const char *pointer;
        size_t len;
        const char *text; /* NULL: it is made */
    } rows[] = {
        { "/k", 2048, NULL },
        { "/k", 2049, "the key k has 2049 bytes; DynamoDB takes 2048" },
        { "", 400 * 1024 - 19, NULL },
        { "", 400 * 1024 - 18, "the item has 409601 bytes; DynamoDB takes 409600" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct dynamodb_item_options options = { .hash = { "k", rows[i].pointer },
                                                       .range = { "", "" },
                                                       .document = "record",
                                                       .ttl_name = "" };
        struct buf *text = arena_buf(arena, SIZE_MAX);
        struct str item;

        buf_add(text, STR("{\"k\":\""));
        for (size_t j = 0; j < rows[i].len; j++)
            buf_add_char(text, 'x');
        buf_add(text, STR("\"}\0"));
        item = made(arena, &options, text->ptr);
        CHECK_INT(str_starts_with(item, STR("k=")), rows[i].text == NULL);
        if (rows[i].text)
            CHECK_STR(item, rows[i].text);
    }
    arena_destroy(arena);
}

int main(void)
{
    RUN(numbers_have_38_digits_and_three_of_exponent);
    RUN(an_item_has_key_and_content);
    RUN(nesting_has_a_limit);
    RUN(keys_and_items_have_a_maximum);
    return test_end();
}
