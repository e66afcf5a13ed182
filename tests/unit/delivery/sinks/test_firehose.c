/*
 * test_firehose.c - claims about delivery/sinks/firehose.h: what is sent. test_entries.c has the
 * outcomes.
 */
#include "delivery/sinks/firehose.h"

#include <signal.h>
#include <string.h>

#include "tests/unit/aws_target.h"
#include "tests/unit/test.h"

enum { LONGEST = 1024000 };

#define OK AWS_ANSWER("200 OK", "{\"RequestResponses\":[{\"RecordId\":\"1\"}]}")

static void records_end_with_a_newline_unless_told_not_to(void)
{
    static const struct aws_target_record record = { "id", NULL, "{}" };
    struct sink_firehose_options options = { .delivery_stream = "orders", .newline = true };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };

    aws_target_begin(&target, OK);
    options.entries = target.options;
    CHECK(sink_firehose(&options, &sink, &err));
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1), "D");
    CHECK_STR(str_from_c(target.seen),
              "{\"DeliveryStreamName\":\"orders\",\"Records\":[{\"Data\":\"e30K\"}]}");
    CHECK_INT((int64_t)sink.max_records, 500);
    CHECK_INT((int64_t)sink.cost(sink.self, &(struct sink_record){ .bytes = STR("{}") }), 3);
    sink.destroy(sink.self);
    options.newline = false;
    CHECK(sink_firehose(&options, &sink, &err));
    (void)aws_target_deliver(&target, &sink, &record, 1);
    CHECK_STR(str_from_c(target.seen),
              "{\"DeliveryStreamName\":\"orders\",\"Records\":[{\"Data\":\"e30=\"}]}");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void the_newline_counts(void)
{
    struct sink_firehose_options options = { .delivery_stream = "orders", .newline = true };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };
    char *text;

    aws_target_begin(&target, OK);
    text = arena_alloc(target.arena, LONGEST + 1);
    memset(text, ' ', LONGEST);
    text[0] = '1';

    const struct aws_target_record record = { "id", NULL, text };
    const struct sink_answer *answer;

    options.entries = target.options;
    CHECK(sink_firehose(&options, &sink, &err));
    answer = aws_target_deliver(&target, &sink, &record, 1);
    CHECK_STR(aws_target_results(&target, answer, 1), "I");
    CHECK_STR(str_from_c(answer->outcomes[0].reason),
              "the record has 1024001 bytes; Firehose takes 1024000");
    text[LONGEST - 1] = '\0';
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1), "D");
    sink.destroy(sink.self);
    options.entries.endpoint_url = "nonsense";
    CHECK(!sink_firehose(&options, &sink, &err));
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(records_end_with_a_newline_unless_told_not_to);
    RUN(the_newline_counts);
    return test_end();
}
