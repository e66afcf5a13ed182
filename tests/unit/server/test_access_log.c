/*
 * test_access_log.c - claims about server/access_log.h.
 */
#include "server/access_log.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/test.h"

enum { TIME_LEN = sizeof("{\"ts\":\"2026-11-23T06:22:01.123456Z\"") - 1 };

static struct str line; /* the last one, from behind its time */
static struct str output;

static void log_one(const struct http_exchange_summary *summary)
{
    struct capture capture;

    capture_begin(&capture, STDOUT_FILENO);
    access_log(summary);
    mem_free((void *)output.ptr);
    output = capture_end(&capture);
    line = str_from(output, TIME_LEN);
}

static bool has(struct str text, const char *what)
{
    return text.len > 0 && memmem(text.ptr, text.len, what, strlen(what));
}

static const struct request_note full_note = {
    .event_id = STR_INIT("event-1"),
    .outcome = STR_INIT("schema_invalid"),
    .route = STR_INIT("interaction-started"),
    .schema = STR_INIT("InteractionStartedSchema"),
    .schema_version = STR_INIT("3"),
    .rule = STR_INIT("/properties/interaction/required"),
    .reason = STR_INIT("'id' is a required property"),
};

static struct http_exchange_summary summary_of(const struct request_note *note)
{
    return (struct http_exchange_summary){
        .method = STR("POST"),
        .path = STR("/events"),
        .id = STR("request-1"),
        .trace_id = STR("1-67891233-abcdef012345678912345678"),
        .status = 400,
        .bytes_in = 909,
        .bytes_out = 211,
        .duration_us = 57,
        .note = note,
    };
}

static void a_request_is_one_documented_line(void)
{
    struct http_exchange_summary summary = summary_of(&full_note);

    log_one(&summary);
    CHECK_STR(line, ",\"level\":\"info\",\"event\":\"request\",\"request_id\":\"request-1\","
                    "\"trace_id\":\"1-67891233-abcdef012345678912345678\",\"event_id\":\"event-1\","
                    "\"method\":\"POST\",\"path\":\"/events\",\"status\":400,"
                    "\"outcome\":\"schema_invalid\",\"route\":\"interaction-started\","
                    "\"schema\":\"InteractionStartedSchema\","
                    "\"schema_version\":\"3\",\"rule\":\"/properties/interaction/required\","
                    "\"reason\":\"'id' is a required property\","
                    "\"bytes_in\":909,\"bytes_out\":211,\"duration_us\":57}\n");
}

static void the_client_is_shown_when_configured(void)
{
    struct http_exchange_summary summary = summary_of(&full_note);

    summary.client = (struct http_address){ 0xc0000201, AF_INET, 0 };
    log_one(&summary);
    CHECK(!has(output, "client"));
    log_configure(LOG_DEBUG, LOG_JSON);
    log_one(&summary);
    CHECK(has(line, ",\"client\":\"192.0.2.1\",\"method\":"));
    log_configure(LOG_INFO, LOG_JSON);
    access_log_configure(true);
    summary.client = (struct http_address){ 0x20010db800000000, AF_INET6, 7 };
    log_one(&summary);
    CHECK(has(line, ",\"client\":\"2001:db8::7\",\"method\":"));
    access_log_configure(false);
    log_one(&summary);
    CHECK(!has(output, "client"));
}

static void what_is_not_known_is_left_out(void)
{
    static const struct request_note empty = { 0 };
    struct http_exchange_summary summary = summary_of(&empty);

    summary.trace_id = STR_NONE;
    summary.path = STR("other");
    log_one(&summary);
    CHECK_STR(line, ",\"level\":\"info\",\"event\":\"request\",\"request_id\":\"request-1\","
                    "\"method\":\"POST\",\"path\":\"other\",\"status\":400,"
                    "\"bytes_in\":909,\"bytes_out\":211,\"duration_us\":57}\n");
}

static void an_array_has_its_counts(void)
{
    static const struct request_note note = { .outcome = STR_INIT("batch"),
                                              .events = 500,
                                              .refused = 7 };
    struct http_exchange_summary summary = summary_of(&note);

    summary.trace_id = STR_NONE;
    log_one(&summary);
    CHECK(has(line, "\"outcome\":\"batch\",\"events\":500,\"refused\":7,\"bytes_in\""));
}

static void only_wellformed_identifiers_are_shown(void)
{
    static const struct str hostile[] = {
        STR_INIT("two words"),      STR_INIT("line\nbreak"),
        STR_INIT("quote\""),        STR_INIT("\x1b[2Jx"),
        STR_INIT("customer@x.org"), STR_INIT("\xC3\xA9"),
        STR_INIT("nul\0inside"),    STR_INIT(""),
    };

    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct request_note note = { .event_id = hostile[i] };
        struct http_exchange_summary summary = summary_of(&note);

        summary.trace_id = hostile[i];
        log_one(&summary);
        CHECK(!has(line, "event_id") && !has(line, "trace_id"));
    }
}

static void an_unusual_end_is_named(void)
{
    static const struct {
        enum http_end end;
        const char *tail;
    } cases[] = {
        { HTTP_ANSWERED, "\"duration_us\":57}\n" },
        { HTTP_LATE, "\"duration_us\":57,\"end\":\"late\"}\n" },
        { HTTP_GONE, "\"duration_us\":57,\"end\":\"gone\"}\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_exchange_summary summary = summary_of(&full_note);

        summary.end = cases[i].end;
        log_one(&summary);
        CHECK(str_ends_with(line, str_from_c(cases[i].tail)));
    }
}

static void the_level_says_whose_business_it_is(void)
{
    static const struct {
        const char *outcome;
        int status;
        bool is_quiet;
        const char *level; /* NULL: no line at level info */
    } cases[] = {
        { "valid", 200, false, "info" },     { "schema_invalid", 400, false, "info" },
        { NULL, 404, false, "info" },        { "unavailable", 503, false, "warn" },
        { "internal", 500, false, "error" }, { "registry_unavailable", 500, false, "warn" },
        { NULL, 0, false, "info" },          { NULL, 200, true, NULL },
        { NULL, 503, true, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct request_note note = { .outcome = str_from_c(cases[i].outcome) };
        struct http_exchange_summary summary = summary_of(&note);
        char level[32];

        TEST_CASE(cases[i].outcome ? cases[i].outcome : "none");
        summary.status = cases[i].status;
        summary.is_quiet = cases[i].is_quiet;
        log_one(&summary);
        (void)snprintf(level, sizeof(level), "\"level\":\"%s\"", cases[i].level);
        CHECK(cases[i].level ? has(line, level) : output.len == 0);
    }
}

static void nothing_is_logged_at_level_warn(void)
{
    struct http_exchange_summary summary = summary_of(&full_note);

    log_configure(LOG_WARN, LOG_JSON);
    log_one(&summary);
    log_configure(LOG_INFO, LOG_JSON);
    CHECK_INT((int64_t)output.len, 0);
}

int main(void)
{
    log_configure(LOG_INFO, LOG_JSON);
    RUN(a_request_is_one_documented_line);
    RUN(the_client_is_shown_when_configured);
    RUN(what_is_not_known_is_left_out);
    RUN(an_array_has_its_counts);
    RUN(only_wellformed_identifiers_are_shown);
    RUN(an_unusual_end_is_named);
    RUN(the_level_says_whose_business_it_is);
    RUN(nothing_is_logged_at_level_warn);
    mem_free((void *)output.ptr);
    return test_end();
}
