/*
 * test_messages.c - claims about delivery/sinks/messages.h.
 */
#include "delivery/sinks/messages.h"

#include "tests/unit/test.h"

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* printf 'é' | sha256sum, and so on */
#define SHA_E_ACUTE "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"

static const struct messages_attribute two[] = { { "kind", "/kind" }, { "n", "/n" } };

struct made {
    struct entries_item item;
    struct sink_record record;
    struct message message;
    bool is_made;
};

static struct made make_within(struct arena *arena, const struct messages_options *options,
                               size_t max_bytes, const char *key, const char *record)
{
    struct made made = {
        .record = { .key = str_from_c(key), .order_key = STR("order"), .bytes = str_from_c(record) }
    };
    struct error err = { 0 };
    struct messages *messages = messages_create(options, max_bytes, &err);

    CHECK(messages);
    made.item = (struct entries_item){ .arena = arena };
    if (messages_read_records(messages))
        CHECK(flat_read(arena, made.record.bytes, NULL, &made.item.tree, &err));
    made.item.record = &made.record;
    made.is_made = messages_make(messages, &made.item, &made.message);
    messages_destroy(messages);
    return made;
}

static struct made make(struct arena *arena, const struct messages_options *options,
                        const char *key, const char *record)
{
    return make_within(arena, options, 1000, key, record);
}

static void characters_that_are_refused_are_escaped(void)
{
    static const struct {
        const char *record;
        const char *body;
    } rows[] = {
        { "{\"a\":\"plain \xc3\xa9\"}", "{\"a\":\"plain \xc3\xa9\"}" },
        { "\"\xef\xbf\xbe\"", "\"\\ufffe\"" },
        { "\"\xef\xbf\xbf\"", "\"\\uffff\"" },
        { "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\"" },
        { "\"a\xef\xbf\xbe"
          "b\xef\xbf\xbf\xef\xbf\xbe\"",
          "\"a\\ufffe"
          "b\\uffff\\ufffe\"" },
        { "\"\xef\xbf\xbd\xef\xbf\xbf\"", "\"\xef\xbf\xbd\\uffff\"" },
    };
    struct arena *arena = arena_create();
    const struct messages_options options = { .group_id = "" };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct made made = make(arena, &options, "k", rows[i].record);

        TEST_CASE(rows[i].body);
        CHECK(made.is_made);
        CHECK_STR(made.message.body, rows[i].body);
        CHECK_INT((int64_t)made.item.size, (int64_t)strlen(rows[i].body));
        CHECK(!made.message.group_id.ptr && !made.message.deduplication_id.ptr);
    }
    arena_destroy(arena);
}

static void ids_have_the_alphabet_of_the_service(void)
{
    static const struct {
        const char *name;
        const char *key;
        const char *record;
        const char *group;
        const char *deduplication;
    } rows[] = {
        { "both fit", "k!~", "{\"g\":\"g-1\"}", "g-1", "k!~" },
        { "no group: the key", "k", "{}", "k", "k" },
        { "other characters", "\xc3\xa9", "{\"g\":\"\xc3\xa9\"}", SHA_E_ACUTE, SHA_E_ACUTE },
        { "a space", "k", "{\"g\":\" \"}",
          "36a9e7f1c95b82ffb99743e0c5c4ce95d83c9a430aac59f84ef3cbfab6145068", "k" },
        { "too long", HUNDRED TEN TEN TEN, "{\"g\":\"g\"}", "g",
          "426f26da928927a3520b61ade620dc7c69ed4d315425929fa04d9a993a22a0f3" },
        { "just as long", HUNDRED TEN TEN "12345678", "{\"g\":\"g\"}", "g",
          HUNDRED TEN TEN "12345678" },
    };
    struct arena *arena = arena_create();
    const struct messages_options options = { .group_id = "/g", .is_fifo = true };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct made made = make(arena, &options, rows[i].key, rows[i].record);

        TEST_CASE(rows[i].name);
        CHECK_STR(made.message.group_id, rows[i].group);
        CHECK_STR(made.message.deduplication_id, rows[i].deduplication);
    }
    arena_destroy(arena);
}

static void groups_and_deduplication_are_optional(void)
{
    struct arena *arena = arena_create();
    struct messages_options options = { .group_id = "" };
    struct made made = make(arena, &options, "k", "{}");

    CHECK(!made.message.group_id.ptr);
    options.is_fifo = options.by_content = true;
    made = make(arena, &options, "k", "{}");
    CHECK_STR(made.message.group_id, "order");
    CHECK(!made.message.deduplication_id.ptr);
    options = (struct messages_options){ .group_id = "/g" };
    made = make(arena, &options, "k", "{\"g\":1}");
    CHECK_STR(made.message.group_id, "1");
    CHECK(!made.message.deduplication_id.ptr);
    arena_destroy(arena);
}

static void attributes_are_texts_of_the_record(void)
{
    static const struct {
        const char *record;
        size_t count;
        size_t size;       /* beside the body's: name, "String", value */
        const char *error; /* NULL: none */
    } rows[] = {
        { "{\"kind\":\"a\",\"n\":12}", 2, 11 + 9, NULL },
        { "{\"n\":12}", 1, 9, NULL },
        { "{\"kind\":\"\",\"n\":[]}", 0, 0, NULL },
        { "{\"kind\":\"tab\\tand\\r\\n\"}", 1, 4 + 6 + 9, NULL },
        { "{\"kind\":\"\\u0000\"}", 0, 0,
          "attribute kind has a character that the target refuses" },
        { "{\"n\":\"\xef\xbf\xbf\"}", 0, 0, "attribute n has a character that the target refuses" },
    };
    struct arena *arena = arena_create();
    const struct messages_options options = { .group_id = "",
                                              .attributes = two,
                                              .attribute_count = 2 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct made made = make(arena, &options, "k", rows[i].record);

        TEST_CASE(rows[i].record);
        CHECK_INT(made.is_made, rows[i].error == NULL);
        if (rows[i].error) {
            CHECK_STR(str_from_c(made.item.error.text), rows[i].error);
            continue;
        }
        CHECK_INT((int64_t)made.message.attribute_count, (int64_t)rows[i].count);
        CHECK_INT((int64_t)(made.item.size - strlen(rows[i].record)), (int64_t)rows[i].size);
    }
    arena_destroy(arena);
}

static void a_message_has_a_maximum(void)
{
    struct arena *arena = arena_create();
    const struct messages_options options = { .group_id = "" };
    struct made made = make_within(arena, &options, 2, "k", "{}");

    CHECK(made.is_made);
    made = make_within(arena, &options, 1, "k", "{}");
    CHECK(!made.is_made);
    CHECK_STR(str_from_c(made.item.error.text), "the message has 2 bytes; the target takes 1");
    arena_destroy(arena);
}

int main(void)
{
    RUN(characters_that_are_refused_are_escaped);
    RUN(ids_have_the_alphabet_of_the_service);
    RUN(groups_and_deduplication_are_optional);
    RUN(attributes_are_texts_of_the_record);
    RUN(a_message_has_a_maximum);
    return test_end();
}
