/*
 * test_eventbridge.c - claims about delivery/sinks/eventbridge.h: what is sent. test_entries.c has
 * the outcomes.
 */
#include "delivery/sinks/eventbridge.h"

#include <signal.h>
#include <string.h>

#include "tests/unit/aws_target.h"
#include "tests/unit/test.h"

#define OK      AWS_ANSWER("200 OK", "{\"Entries\":[{\"EventId\":\"1\"}]}")
#define TEN     "0123456789"
#define FIFTY   TEN TEN TEN TEN TEN
#define HUNDRED FIFTY FIFTY

static void events_are_made_from_records(void)
{
    static const struct {
        const char *name;
        struct sink_eventbridge_options options;
        const char *record;
        const char *body;
    } rows[] = {
        { "fixed texts, the default bus",
          { .bus = "", .source = "sluice", .detail_type = "record", .time = "" },
          "{\"a\":1}",
          "{\"Entries\":[{\"Source\":\"sluice\",\"DetailType\":\"record\","
          "\"Detail\":\"{\\\"a\\\":1}\"}]}" },
        { "texts of the record, a bus",
          { .bus = "b", .source = "s.{/q}", .detail_type = "t {/n}", .time = "" },
          "{\"q\":\"x\",\"n\":1}",
          "{\"Entries\":[{\"Source\":\"s.x\",\"DetailType\":\"t 1\",\"EventBusName\":\"b\","
          "\"Detail\":\"{\\\"q\\\":\\\"x\\\",\\\"n\\\":1}\"}]}" },
        { "no object",
          { .bus = "", .source = "s", .detail_type = "t", .time = "" },
          "[1]",
          "{\"Entries\":[{\"Source\":\"s\",\"DetailType\":\"t\","
          "\"Detail\":\"{\\\"record\\\":[1]}\"}]}" },
        { "a time",
          { .bus = "", .source = "s", .detail_type = "t", .time = "/t" },
          "{\"t\":\"2024-01-15T10:30:00.5Z\"}",
          "{\"Entries\":[{\"Source\":\"s\",\"DetailType\":\"t\",\"Time\":1705314600,"
          "\"Detail\":\"{\\\"t\\\":\\\"2024-01-15T10:30:00.5Z\\\"}\"}]}" },
        { "no time there: when it was accepted",
          { .bus = "", .source = "s", .detail_type = "t", .time = "/t" },
          "{}",
          "{\"Entries\":[{\"Source\":\"s\",\"DetailType\":\"t\",\"Time\":1700000000,"
          "\"Detail\":\"{}\"}]}" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct aws_target_record record = { "id", NULL, rows[i].record };
        struct sink_eventbridge_options options = rows[i].options;
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };

        TEST_CASE(rows[i].name);
        aws_target_begin(&target, OK);
        options.entries = target.options;
        CHECK(sink_eventbridge(&options, &sink, &err));
        CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1),
                  "D");
        CHECK_STR(str_from_c(target.seen), rows[i].body);
        CHECK_INT((int64_t)sink.max_records, 10);
        CHECK(sink.cost(sink.self, &(struct sink_record){ .bytes = STR("{}") }) >= 2);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void an_event_has_its_trace(void)
{
    static const struct aws_target_record record = { "id", NULL, "{}" };
    struct sink_eventbridge_options options = {
        .bus = "", .source = "s", .detail_type = "t", .time = ""
    };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };

    aws_target_begin(&target, OK);
    target.traceparent = STR("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00");
    options.entries = target.options;
    CHECK(sink_eventbridge(&options, &sink, &err));
    (void)aws_target_deliver(&target, &sink, &record, 1);
    CHECK_STR(str_from_c(target.seen),
              "{\"Entries\":[{\"Source\":\"s\",\"DetailType\":\"t\",\"TraceHeader\":"
              "\"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0\","
              "\"Detail\":\"{}\"}]}");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void what_senders_write_is_confined(void)
{
    static const struct {
        const char *record;
        const char *reason;
    } rows[] = {
        { "{\"t\":\"x\"}", "source: the record has no text at /s" },
        { "{\"s\":\"aws.s3\",\"t\":\"x\"}",
          "source: EventBridge takes none that begins with aws." },
        { "{\"s\":\"a\\nb\",\"t\":\"x\"}", "source: the text at /s has a control character" },
        { "{\"s\":\"x\"}", "detail_type: the record has no text at /t" },
        { "{\"s\":\"x\",\"t\":\"" HUNDRED FIFTY "\"}",
          "detail_type: the text is longer than 128 bytes" },
        { "{\"s\":\"" HUNDRED HUNDRED HUNDRED "\",\"t\":\"x\"}",
          "source: the text is longer than 256 bytes" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct aws_target_record records[] = { { "id", NULL, rows[i].record },
                                                     { "id", NULL, "{\"s\":\"a\",\"t\":\"b\"}" } };
        struct sink_eventbridge_options options = {
            .bus = "", .source = "{/s}", .detail_type = "{/t}", .time = ""
        };
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };
        const struct sink_answer *answer;

        TEST_CASE(rows[i].reason);
        aws_target_begin(&target, OK);
        options.entries = target.options;
        CHECK(sink_eventbridge(&options, &sink, &err));
        answer = aws_target_deliver(&target, &sink, records, 2);
        CHECK_STR(aws_target_results(&target, answer, 2), "ID");
        CHECK_STR(str_from_c(answer->outcomes[0].reason), rows[i].reason);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void an_event_has_a_maximum(void)
{
    enum { MOST = 1024 * 1024 };
    struct sink_eventbridge_options options = {
        .bus = "", .source = "s", .detail_type = "t", .time = "/none"
    };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };
    char *text;
    const struct sink_answer *answer;

    aws_target_begin(&target, OK);
    text = arena_alloc(target.arena, MOST);
    memset(text, ' ', MOST - 16);
    text[0] = '{';
    text[MOST - 17] = '}';

    const struct aws_target_record record = { "id", NULL, text };

    options.entries = target.options;
    CHECK(sink_eventbridge(&options, &sink, &err));
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1), "D");
    text[MOST - 16] = ' ';
    answer = aws_target_deliver(&target, &sink, &record, 1);
    CHECK_STR(aws_target_results(&target, answer, 1), "I");
    CHECK_STR(str_from_c(answer->outcomes[0].reason),
              "the event has 1048577 bytes; EventBridge takes 1048576");
    sink.destroy(sink.self);
    options.source = "{";
    CHECK(!sink_eventbridge(&options, &sink, &err));
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(events_are_made_from_records);
    RUN(an_event_has_its_trace);
    RUN(what_senders_write_is_confined);
    RUN(an_event_has_a_maximum);
    return test_end();
}
