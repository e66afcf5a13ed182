/*
 * test_entries.c - claims about delivery/sinks/entries.h, with a sink for Kinesis and one for SQS.
 */
#include "delivery/sinks/entries.h"

#include <signal.h>
#include <stdio.h>

#include "delivery/sinks/kinesis.h"
#include "delivery/sinks/sqs.h"
#include "tests/unit/aws_target.h"
#include "tests/unit/test.h"

#define OK         "{\"SequenceNumber\":\"1\",\"ShardId\":\"s\"}"
#define FAIL(code) "{\"ErrorCode\":\"" code "\",\"ErrorMessage\":\"words\"}"
#define THREE(a, b, c)                                                                             \
    AWS_ANSWER("200 OK", "{\"FailedRecordCount\":1,\"Records\":[" a "," b "," c "]}")
#define ERROR(status, code)                                                                        \
    AWS_ANSWER(status, "{\"__type\":\"" code "\",\"message\":\"its own words\"}")

static const struct aws_target_record three[] = { { "k0", NULL, "{}" },
                                                  { "k1", NULL, "[1]" },
                                                  { "k2", NULL, "\"x\"" } };

static struct sink kinesis(const struct aws_target *target, size_t max_record)
{
    struct sink sink = { 0 };
    struct error err = { 0 };

    CHECK(sink_kinesis(&(struct sink_kinesis_options){ .entries = target->options,
                                                       .stream = "orders",
                                                       .partition_key = "",
                                                       .max_record = max_record },
                       &sink, &err));
    return sink;
}

static const struct {
    const char *name;
    const char *answer;
    const char *results;
    const char *reason; /* of the first one that is not delivered */
    bool is_sink_wide;
    bool together;
} outcome_rows[] = {
    { "all arrived", THREE(OK, OK, OK), "DDD", NULL, false, false },
    { "throttled", THREE(OK, FAIL("ProvisionedThroughputExceededException"), OK), "DPD",
      "ProvisionedThroughputExceededException", true, false },
    { "unavailable", THREE(OK, OK, FAIL("ServiceUnavailableException")), "DDP",
      "ServiceUnavailableException", true, false },
    { "broken", THREE(FAIL("InternalFailure"), OK, OK), "PDD", "InternalFailure", false, false },
    { "an unknown code", THREE(OK, OK, FAIL("New")), "DDP", "New", false, false },
    { "configuration", THREE(OK, OK, FAIL("KMSDisabledException")), "DDM",
      "KMSDisabledException: words", false, false },
    { "a null code is none",
      THREE("{\"ErrorCode\":null,\"SequenceNumber\":\"1\",\"ShardId\":\"s\"}", OK, OK), "DDD", NULL,
      false, false },
    { "an entry without proof", THREE("{}", OK, OK), "PDD",
      "kinesis:PutRecords in eu-west-1: the answer does not have the record", false, false },
    { "an entry of another type", THREE("7", OK, OK), "PDD",
      "kinesis:PutRecords in eu-west-1: the answer does not have the record", false, false },
    { "too few entries", AWS_ANSWER("200 OK", "{\"Records\":[" OK "]}"), "DPP",
      "kinesis:PutRecords in eu-west-1: the answer does not have the record", false, false },
    { "too many entries", AWS_ANSWER("200 OK", "{\"Records\":[" OK "," OK "," OK "," OK "]}"),
      "DDD", NULL, false, false },
    { "no list", AWS_ANSWER("200 OK", "{\"Records\":7}"), "PPP",
      "kinesis:PutRecords in eu-west-1: the answer does not have the record", false, false },
    { "not JSON", AWS_ANSWER("200 OK", "<html>"), "PPP",
      "kinesis:PutRecords in eu-west-1: the answer is no JSON object", false, false },
    { "the call is throttled", ERROR("400 Bad Request", "ThrottlingException"), "PPP",
      "kinesis:PutRecords in eu-west-1: ThrottlingException: its own words", true, false },
    { "the call breaks", ERROR("500 Error", "InternalFailureException"), "PPP",
      "kinesis:PutRecords in eu-west-1: InternalFailureException: its own words", false, false },
    { "unknown", ERROR("400 Bad Request", "New"), "PPP",
      "kinesis:PutRecords in eu-west-1: New: its own words", false, false },
    { "denied", ERROR("400 Bad Request", "AccessDeniedException"), "MMM",
      "kinesis:PutRecords in eu-west-1: AccessDeniedException: its own words", true, false },
    { "no such stream", ERROR("400 Bad Request", "ResourceNotFoundException"), "MMM",
      "kinesis:PutRecords in eu-west-1: ResourceNotFoundException: its own words", true, false },
    { "the call is at fault; its words can quote a record",
      ERROR("400 Bad Request", "ValidationException"), "RRR",
      "kinesis:PutRecords in eu-west-1: ValidationException", false, true },
};

static void each_entry_has_the_outcome_of_its_place(void)
{
    for (size_t i = 0; i < COUNT_OF(outcome_rows); i++) {
        struct aws_target target;
        struct sink sink;
        const struct sink_answer *answer;
        const char *reason = NULL;

        TEST_CASE(outcome_rows[i].name);
        aws_target_begin(&target, outcome_rows[i].answer);
        sink = kinesis(&target, 1000);
        answer = aws_target_deliver(&target, &sink, three, 3);
        CHECK_STR(aws_target_results(&target, answer, 3), outcome_rows[i].results);
        CHECK_INT(answer->is_sink_wide, outcome_rows[i].is_sink_wide);
        CHECK_INT(answer->together, outcome_rows[i].together);
        for (size_t j = 0; j < 3 && !reason; j++)
            reason = answer->outcomes[j].reason;
        if (outcome_rows[i].reason)
            CHECK_STR(str_from_c(reason), outcome_rows[i].reason);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void outcomes_by_id_need_no_order(void)
{
    static const struct {
        const char *name;
        const char *answer;
        const char *results;
    } rows[] = {
        { "in any order", "{\"Successful\":[{\"Id\":\"2\"},{\"Id\":\"0\"},{\"Id\":\"1\"}]}",
          "DDD" },
        { "both lists",
          "{\"Failed\":[{\"Id\":\"1\",\"Code\":\"InternalError\",\"SenderFault\":false}],"
          "\"Successful\":[{\"Id\":\"2\"},{\"Id\":\"0\"}]}",
          "DPD" },
        { "the sender's fault",
          "{\"Failed\":[{\"Id\":\"0\",\"Code\":\"New\",\"SenderFault\":true},"
          "{\"Id\":\"1\",\"Code\":\"New\",\"SenderFault\":false},"
          "{\"Id\":\"2\",\"Code\":\"InvalidMessageContents\",\"SenderFault\":true}]}",
          "RPR" },
        { "codes that are nobody's fault, whatever the service says",
          "{\"Failed\":[{\"Id\":\"0\",\"Code\":\"RequestThrottled\",\"SenderFault\":true},"
          "{\"Id\":\"1\",\"Code\":\"AccessDenied\",\"SenderFault\":true},"
          "{\"Id\":\"2\",\"Code\":\"KmsThrottled\",\"SenderFault\":true}]}",
          "PMP" },
        { "unknown ids and types",
          "{\"Successful\":[{\"Id\":\"3\"},{\"Id\":\"-1\"},{\"Id\":0},{},7,{\"Id\":\"01\"}]}",
          "PPP" },
        { "nothing", "{}", "PPP" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };
        char text[1024];

        TEST_CASE(rows[i].name);
        (void)snprintf(text, sizeof(text), AWS_ANSWER("200 OK", "%s"), rows[i].answer);
        aws_target_begin(&target, text);
        CHECK(sink_sqs(&target.options, &(struct messages_options){ .target = "http://x/1/q" },
                       &sink, &err));
        CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, three, 3), 3),
                  rows[i].results);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void a_refused_call_with_one_record_is_its_fault(void)
{
    struct aws_target target;
    struct sink sink;
    const struct sink_answer *answer;

    aws_target_begin(&target, ERROR("400 Bad Request", "ValidationException"));
    sink = kinesis(&target, 1000);
    answer = aws_target_deliver(&target, &sink, three, 1);
    CHECK_STR(aws_target_results(&target, answer, 1), "R");
    CHECK(!answer->together);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void an_impossible_record_is_not_sent_and_fails_no_other(void)
{
    struct aws_target target;
    struct sink sink;
    const struct sink_answer *answer;

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{\"Records\":[" OK "," OK "]}"));
    sink = kinesis(&target, 4);
    answer = aws_target_deliver(&target, &sink, three, 3);
    CHECK_STR(aws_target_results(&target, answer, 3), "DII");
    CHECK_STR(str_from_c(answer->outcomes[1].reason),
              "record and partition key have 5 bytes; max_record is 4");
    CHECK_STR(str_from_c(target.seen), "{\"StreamName\":\"orders\",\"Records\":["
                                       "{\"Data\":\"e30=\",\"PartitionKey\":\"k0\"}]}");
    answer = aws_target_deliver(&target, &sink, &three[1], 1);
    CHECK_STR(aws_target_results(&target, answer, 1), "I");
    CHECK_INT((int64_t)canned_requests(target.server), 1);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

/* SQS takes 1 MiB in a call: three records of 400 KiB need two calls. */
static void records_that_do_not_fit_go_in_the_next_call(void)
{
    static const struct {
        const char *name;
        const char *second; /* answer */
        const char *results;
    } rows[] = {
        { "both arrive", AWS_ANSWER("200 OK", "{\"Successful\":[{\"Id\":\"0\"}]}"), "DDD" },
        { "the second call fails", ERROR("503 Unavailable", "ServiceUnavailable"), "DDP" },
        { "it has one record, so that is at fault", ERROR("400 Bad", "BatchRequestTooLong"),
          "DDR" },
    };
    struct arena *arena = arena_create();
    struct buf *text = arena_buf(arena, SIZE_MAX);

    buf_add_char(text, '"');
    for (int i = 0; i < 400 * 1024; i++)
        buf_add_char(text, 'x');
    buf_add(text, STR("\"\0"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct aws_target_record records[] = { { "a", NULL, text->ptr },
                                                     { "b", NULL, text->ptr },
                                                     { "c", NULL, text->ptr } };
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };

        TEST_CASE(rows[i].name);
        aws_target_begin(&target,
                         AWS_ANSWER("200 OK", "{\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"1\"}]}"));
        target.answers[1] = rows[i].second;
        CHECK(sink_sqs(&target.options, &(struct messages_options){ .target = "http://x/1/q" },
                       &sink, &err));
        CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 3), 3),
                  rows[i].results);
        CHECK_INT((int64_t)canned_requests(target.server), 2);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
    arena_destroy(arena);
}

static void in_order_nothing_follows_a_record_that_failed(void)
{
    struct aws_target target;
    struct sink sink;
    const struct sink_answer *answer;

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{\"Records\":[" OK "]}"));
    target.answers[1] = AWS_ANSWER("200 OK", "{\"Records\":[" FAIL("InternalFailure") "]}");
    sink = kinesis(&target, 1000);
    answer = aws_target_deliver_in_order(&target, &sink, three, 3);
    CHECK_STR(aws_target_results(&target, answer, 3), "DPP");
    CHECK_INT((int64_t)canned_requests(target.server), 2);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void its_limits_are_those_of_configuration_and_target(void)
{
    struct aws_target target;
    struct sink sink;

    aws_target_begin(&target, "");
    target.options.batch = 7;
    target.options.in_flight = 0;
    sink = kinesis(&target, 1000);
    CHECK_INT((int64_t)sink.max_records, 7);
    CHECK_INT((int64_t)sink.in_flight, ENTRIES_IN_FLIGHT);
    sink.destroy(sink.self);
    target.options.batch = 9999;
    target.options.in_flight = 3;
    sink = kinesis(&target, 1000);
    CHECK_INT((int64_t)sink.max_records, 500);
    CHECK_INT((int64_t)sink.in_flight, 3);
    sink.destroy(sink.self);
    target.options.ordered = true;
    sink = kinesis(&target, 1000);
    CHECK_INT((int64_t)sink.max_records, 1);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void after_an_interruption_nothing_is_sent(void)
{
    struct aws_target target;
    struct sink sink;

    aws_target_begin(&target, THREE(OK, OK, OK));
    sink = kinesis(&target, 1000);
    sink.interrupt(sink.self);
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, three, 3), 3), "PPP");
    CHECK_INT((int64_t)canned_requests(target.server), 0);
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void without_a_region_or_a_url_there_is_no_sink(void)
{
    struct aws_target target;
    struct sink sink;
    struct error err = { 0 };
    struct sink_kinesis_options options = { .stream = "s", .partition_key = "" };

    aws_target_begin(&target, "");
    options.entries = target.options;
    options.entries.endpoint_url = "nonsense";
    CHECK(!sink_kinesis(&options, &sink, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    options.entries = target.options;
    options.partition_key = "/~";
    CHECK(!sink_kinesis(&options, &sink, &err));
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(each_entry_has_the_outcome_of_its_place);
    RUN(outcomes_by_id_need_no_order);
    RUN(a_refused_call_with_one_record_is_its_fault);
    RUN(an_impossible_record_is_not_sent_and_fails_no_other);
    RUN(records_that_do_not_fit_go_in_the_next_call);
    RUN(in_order_nothing_follows_a_record_that_failed);
    RUN(its_limits_are_those_of_configuration_and_target);
    RUN(after_an_interruption_nothing_is_sent);
    RUN(without_a_region_or_a_url_there_is_no_sink);
    return test_end();
}
