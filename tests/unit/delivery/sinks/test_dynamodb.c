/*
 * test_dynamodb.c - claims about delivery/sinks/dynamodb.h; test_dynamodb_item.c has the items.
 */
#include "delivery/sinks/dynamodb.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/aws_target.h"
#include "tests/unit/capture.h"
#include "tests/unit/test.h"

static const struct aws_target_record three[] = { { "k0", NULL, "{}" },
                                                  { "k1", NULL, "[1]" },
                                                  { "k2", NULL, "2" } };

static struct sink make(const struct aws_target *target, enum sink_dynamodb_mode mode)
{
    struct sink sink = { 0 };
    struct error err = { 0 };

    CHECK(sink_dynamodb(&(struct sink_dynamodb_options){ .entries = target->options,
                                                         .name = "t",
                                                         .table = "orders",
                                                         .mode = mode,
                                                         .item = { .hash = { "id", "" },
                                                                   .range = { "", "" },
                                                                   .document = "record",
                                                                   .ttl_name = "" } },
                        &sink, &err));
    return sink;
}

static void check_results(enum sink_dynamodb_mode mode, const char *body, const char *results)
{
    struct aws_target target;
    struct sink sink;
    char answer[2048];

    (void)snprintf(answer, sizeof(answer), AWS_ANSWER("200 OK", "%s"), body);
    aws_target_begin(&target, answer);
    sink = make(&target, mode);
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, three, 3), 3),
              results);
    CHECK_INT((int64_t)sink.max_records, 25);
    CHECK(sink.cost(sink.self, &(struct sink_record){ .bytes = STR("{}") }) >= 2);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

#define DUPLICATE(item) "{\"Error\":{\"Code\":\"DuplicateItem\",\"Message\":\"m\"" item "}}"

static void an_item_that_is_there_is_delivered(void)
{
    static const struct {
        const char *name;
        const char *body;
        const char *results;
    } rows[] = {
        { "all new", "{\"Responses\":[{},{\"TableName\":\"orders\"},{}]}", "DDD" },
        { "there already", "{\"Responses\":[{}," DUPLICATE("") ",{}]}", "DDD" },
        { "each code",
          "{\"Responses\":[{\"Error\":{\"Code\":\"ThrottlingError\"}},"
          "{\"Error\":{\"Code\":\"ValidationError\"}},{\"Error\":{\"Code\":\"AccessDenied\"}}]}",
          "PRM" },
        { "and more codes",
          "{\"Responses\":[{\"Error\":{\"Code\":\"TransactionConflict\"}},"
          "{\"Error\":{\"Code\":\"ItemCollectionSizeLimitExceeded\"}},"
          "{\"Error\":{\"Code\":\"New\"}}]}",
          "PRP" },
        { "too few", "{\"Responses\":[{}]}", "DPP" },
        { "other types", "{\"Responses\":[7,{},null]}", "PDP" },
        { "no list", "{\"Responses\":{}}", "PPP" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].name);
        check_results(SINK_DYNAMODB_INSERT, rows[i].body, rows[i].results);
    }
}

static void other_content_under_a_key_is_logged(void)
{
    static const struct {
        const char *name;
        const char *body;
        const char *records; /* NULL: no line */
    } rows[] = {
        { "the same",
          "{\"Responses\":[{}," DUPLICATE(",\"Item\":{\"record\":{\"S\":\"[1]\"}}") "]}", NULL },
        { "another",
          "{\"Responses\":[{},{}," DUPLICATE(",\"Item\":{\"record\":{\"S\":\"[1]\"}}") "]}",
          "\"sink\":\"t\",\"records\":1" },
        { "not known", "{\"Responses\":[{},{}," DUPLICATE("") "]}", NULL },
        { "no document", "{\"Responses\":[{},{}," DUPLICATE(",\"Item\":{\"record\":7}") "]}",
          NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct aws_target target;
        struct sink sink;
        char answer[2048];
        struct capture capture;
        struct str log;

        TEST_CASE(rows[i].name);
        (void)snprintf(answer, sizeof(answer), AWS_ANSWER("200 OK", "%s"), rows[i].body);
        aws_target_begin(&target, answer);
        sink = make(&target, SINK_DYNAMODB_INSERT);
        capture_begin(&capture, 1);
        (void)aws_target_deliver(&target, &sink, three, 3);
        log = capture_end(&capture);
        CHECK_INT(memmem(log.ptr, log.len, "sink_item_differs", 17) != NULL,
                  rows[i].records != NULL);
        CHECK(!rows[i].records ||
              memmem(log.ptr, log.len, rows[i].records, strlen(rows[i].records)));
        mem_free((char *)log.ptr);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

#define PUT(key) "{\"PutRequest\":{\"Item\":{\"record\":{\"S\":\"x\"},\"id\":{\"S\":\"" key "\"}}}}"

static void unprocessed_items_are_found_by_their_keys(void)
{
    static const struct {
        const char *name;
        const char *body;
        const char *results;
    } rows[] = {
        { "all", "{\"UnprocessedItems\":{}}", "DDD" },
        { "some", "{\"UnprocessedItems\":{\"orders\":[" PUT("k2") "," PUT("k0") "]}}", "PDP" },
        { "of another table", "{\"UnprocessedItems\":{\"other\":[" PUT("k2") "]}}", "DDD" },
        { "one that is not known can be any", "{\"UnprocessedItems\":{\"orders\":[" PUT("k9") "]}}",
          "PPP" },
        { "one of another type", "{\"UnprocessedItems\":{\"orders\":[7]}}", "PPP" },
        { "nothing", "{}", "PPP" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].name);
        check_results(SINK_DYNAMODB_REPLACE, rows[i].body, rows[i].results);
    }
}

static void requests_are_as_the_service_wants_them(void)
{
    struct aws_target target;
    struct sink sink;

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{}"));
    sink = make(&target, SINK_DYNAMODB_INSERT);
    (void)aws_target_deliver(&target, &sink, three, 2);
    CHECK_STR(str_from_c(target.seen),
              "{\"Statements\":[{\"Statement\":\"INSERT INTO \\\"orders\\\" VALUE {'id': ?, "
              "'record': ?}\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\","
              "\"Parameters\":[{\"S\":\"k0\"},{\"S\":\"{}\"}]},"
              "{\"Statement\":\"INSERT INTO \\\"orders\\\" VALUE {'id': ?, 'record': ?}\","
              "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\","
              "\"Parameters\":[{\"S\":\"k1\"},{\"S\":\"[1]\"}]}]}");
    sink.destroy(sink.self);
    sink = make(&target, SINK_DYNAMODB_REPLACE);
    (void)aws_target_deliver(&target, &sink, three, 1);
    CHECK_STR(str_from_c(target.seen), "{\"RequestItems\":{\"orders\":[{\"PutRequest\":{\"Item\":{"
                                       "\"id\":{\"S\":\"k0\"},\"record\":{\"S\":\"{}\"}}}}]}}");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

/* The names of attributes are text, and can hold quotes; too many do not fit in a statement. */
static void statements_are_quoted_and_bounded(void)
{
    struct sink_dynamodb_options options = { .name = "t",
                                             .table = "orders",
                                             .item = { .hash = { "i'd", "/k" },
                                                       .range = { "r", "/r" },
                                                       .as_attributes = true,
                                                       .ttl_name = "" } };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };
    struct buf *text;

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{}"));
    text = arena_buf(target.arena, SIZE_MAX);
    buf_add(text, STR("{\"k\":1,\"r\":2"));
    for (int i = 0; i < 1000; i++)
        buf_printf(text, ",\"name%d\":%d", i, i);
    buf_add(text, STR("}\0"));

    const struct aws_target_record records[] = { { "a", NULL, "{\"k\":1,\"r\":2}" },
                                                 { "b", NULL, text->ptr } };

    options.entries = target.options;
    CHECK(sink_dynamodb(&options, &sink, &err));
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 2), 2), "PI");
    CHECK(strstr(target.seen, "VALUE {'i''d': ?, 'r': ?, 'k': ?}"));
    sink.destroy(sink.self);
    options.item.range.pointer = "/~";
    CHECK(!sink_dynamodb(&options, &sink, &err));
    aws_target_end(&target);
}

static void two_items_of_one_key_are_in_different_calls(void)
{
    static const struct aws_target_record records[] = { { "a", NULL, "1" },
                                                        { "b", NULL, "2" },
                                                        { "a", NULL, "3" } };
    struct aws_target target;
    struct sink sink;

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{\"Responses\":[{},{}]}"));
    target.answers[1] = AWS_ANSWER("200 OK", "{\"Responses\":[" DUPLICATE("") "]}");
    sink = make(&target, SINK_DYNAMODB_INSERT);
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 3), 3),
              "DDD");
    CHECK_INT((int64_t)canned_requests(target.server), 2);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void unprocessed_items_can_have_two_keys(void)
{
    struct sink_dynamodb_options options = {
        .name = "t",
        .table = "orders",
        .mode = SINK_DYNAMODB_REPLACE,
        .item = { .hash = { "id", "" }, .range = { "n", "/n" }, .document = "d", .ttl_name = "" }
    };
    static const struct aws_target_record records[] = { { "a", NULL, "{\"n\":1}" },
                                                        { "a", NULL, "{\"n\":2}" } };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };

    aws_target_begin(
        &target, AWS_ANSWER("200 OK", "{\"UnprocessedItems\":{\"orders\":[{\"PutRequest\":{"
                                      "\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"2\"}}}}]}}"));
    options.entries = target.options;
    CHECK(sink_dynamodb(&options, &sink, &err));
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 2), 2), "DP");
    target.answers[0] =
        AWS_ANSWER("200 OK", "{\"UnprocessedItems\":{\"orders\":[{\"PutRequest\":{\"Item\":{"
                             "\"id\":{\"S\":\"a\"}}}}]}}");
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 2), 2), "PP");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(an_item_that_is_there_is_delivered);
    RUN(other_content_under_a_key_is_logged);
    RUN(unprocessed_items_are_found_by_their_keys);
    RUN(requests_are_as_the_service_wants_them);
    RUN(statements_are_quoted_and_bounded);
    RUN(two_items_of_one_key_are_in_different_calls);
    RUN(unprocessed_items_can_have_two_keys);
    return test_end();
}
