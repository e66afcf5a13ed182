/*
 * test_kinesis.c - claims about delivery/sinks/kinesis.h: what is sent. test_entries.c has the
 * outcomes.
 */
#include "delivery/sinks/kinesis.h"

#include <signal.h>

#include "tests/unit/aws_target.h"
#include "tests/unit/test.h"

#define OK AWS_ANSWER("200 OK", "{\"Records\":[{\"SequenceNumber\":\"1\"}]}")

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* 256 characters of two bytes are no longer than the target takes; 257 are. */
#define E16                                                                                        \
    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3" \
    "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define E256 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16 E16

static void the_partition_key_comes_from_the_record(void)
{
    static const struct {
        const char *name;
        const char *pointer;
        const char *record;
        const char *body; /* after the stream's name */
    } rows[] = {
        { "no pointer: the order key", "", "{}", "e30=\",\"PartitionKey\":\"order\"}]}" },
        { "a text", "/q", "{\"q\":\"a\\\"b\"}",
          "eyJxIjoiYVwiYiJ9\",\"PartitionKey\":\"a\\\"b\"}]}" },
        { "a number", "/q", "{\"q\":1.50}", "eyJxIjoxLjUwfQ==\",\"PartitionKey\":\"1.50\"}]}" },
        { "none: the idempotency key", "/q", "{}", "e30=\",\"PartitionKey\":\"id\"}]}" },
        { "an empty one", "/q", "{\"q\":\"\"}", "eyJxIjoiIn0=\",\"PartitionKey\":\"id\"}]}" },
        { "an array", "/q", "{\"q\":[]}", "eyJxIjpbXX0=\",\"PartitionKey\":\"id\"}]}" },
        { "too deep for the record", "/q/r", "[]", "W10=\",\"PartitionKey\":\"id\"}]}" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct aws_target_record record = { "id", "order", rows[i].record };
        struct sink_kinesis_options options = { .stream = "orders",
                                                .partition_key = rows[i].pointer,
                                                .max_record = 1000 };
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };
        struct str body;

        TEST_CASE(rows[i].name);
        aws_target_begin(&target, OK);
        options.entries = target.options;
        CHECK(sink_kinesis(&options, &sink, &err));
        CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1),
                  "D");
        body = str_from_c(target.seen);
        CHECK(str_starts_with(body, STR("{\"StreamName\":\"orders\",\"Records\":[{\"Data\":\"")));
        CHECK_STR(str_from(body, strlen("{\"StreamName\":\"orders\",\"Records\":[{\"Data\":\"")),
                  rows[i].body);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void a_key_that_is_too_long_is_hashed(void)
{
    static const struct {
        const char *name;
        const char *key;
        const char *sent;
    } rows[] = {
        { "256 characters", E256, E256 },
        { "300 characters", HUNDRED HUNDRED HUNDRED,
          "ba6ab297dbb2bcbc66d54fb768e01920acb58b5552455834f4563807cbd46efb" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct aws_target_record record = { "id", rows[i].key, "{}" };
        struct sink_kinesis_options options = { .stream = "s",
                                                .partition_key = "",
                                                .max_record = 10000 };
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };
        struct str expected;

        TEST_CASE(rows[i].name);
        aws_target_begin(&target, OK);
        options.entries = target.options;
        CHECK(sink_kinesis(&options, &sink, &err));
        (void)aws_target_deliver(&target, &sink, &record, 1);
        expected = arena_printf(target.arena, "\"PartitionKey\":\"%s\"}]}", rows[i].sent);
        CHECK(str_ends_with(str_from_c(target.seen), expected));
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void an_arn_and_newlines_are_options(void)
{
    const struct aws_target_record record = { "id", NULL, "{}" };
    struct sink_kinesis_options options = {
        .stream = "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
        .partition_key = "",
        .max_record = 5,
        .newline = true,
    };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };

    aws_target_begin(&target, OK);
    options.entries = target.options;
    CHECK(sink_kinesis(&options, &sink, &err));
    (void)aws_target_deliver(&target, &sink, &record, 1);
    CHECK_STR(str_from_c(target.seen),
              "{\"StreamARN\":\"arn:aws:kinesis:eu-west-1:123456789012:stream/s\",\"Records\":["
              "{\"Data\":\"e30K\",\"PartitionKey\":\"id\"}]}");
    CHECK_INT((int64_t)sink.cost(
                  sink.self, &(struct sink_record){ .bytes = STR("{}"), .order_key = STR("id") }),
              5);
    sink.destroy(sink.self);
    options.max_record = 4; /* the newline counts */
    CHECK(sink_kinesis(&options, &sink, &err));
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1), "I");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(the_partition_key_comes_from_the_record);
    RUN(a_key_that_is_too_long_is_hashed);
    RUN(an_arn_and_newlines_are_options);
    return test_end();
}
