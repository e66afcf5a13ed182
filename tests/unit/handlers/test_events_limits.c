/*
 * test_events_limits.c - claims about handlers/events.h: large, deep, wrong and expensive events.
 */
#include "handlers/events.h"

#include <malloc.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"

static void nesting_is_bounded(void)
{
    enum { DEPTH = 200000 };
    char *body = mem_alloc(DEPTH + 1);
    struct pipeline pipeline;
    struct response response;

    memset(body, '[', DEPTH);
    pipeline_init_default(&pipeline, &(struct events_options){ 0 });
    pipeline_post(&pipeline, (struct str){ body, DEPTH }, &response);
    CHECK_INT(response.status, 400);
    CHECK(str_starts_with(response.body, STR("{\"error\":\"Processing failed\","
                                             "\"details\":\"Invalid JSON at byte ")));
    memset(body, '[', 30);
    memset(body + 30, ']', 30);
    pipeline_post(&pipeline, (struct str){ body, 60 },
                  &response); /* one element, which is an array */
    CHECK_INT(response.status, 400);
    CHECK_INT((int64_t)response.note.events, 1);
    mem_free(body);
    pipeline_done(&pipeline);
}

/* Longer than a struct error holds. */
static void long_messages_are_shown_whole(void)
{
    struct buf body;
    struct buf answer;
    struct pipeline pipeline;
    struct response response;

    buf_init(&body, 10000);
    buf_init(&answer, 10000);
    buf_add(&answer, STR("{\"error\":\"Schema validation failed\",\"details\":\"'"));
    buf_add(&body, STR("{\"detail\":\""));
    for (int i = 0; i < 1000; i++) {
        buf_add_char(&body, 'x');
        buf_add_char(&answer, 'x');
    }
    buf_add(&body, STR("\"}"));
    buf_add(&answer, STR("' is not of type 'object'\","));
    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = false });
    pipeline_post(&pipeline, buf_str(&body), &response);
    CHECK(str_starts_with(response.body, buf_str(&answer)));
    buf_done(&body);
    buf_done(&answer);
    pipeline_done(&pipeline);
}

/* An object whose members p0, p1, ... are numbers where strings are asked for. */
static void write_members(struct buf *out, size_t count, const char *format)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s\"p%zu\":", i ? "," : "", i);
        buf_add(out, str_from_c(format));
    }
    buf_add_char(out, '}');
}

/* A pipeline whose schema wants strings in p0 ... p29. */
static void begin_wide(struct pipeline *pipeline, const struct events_options *options)
{
    struct buf schema;

    buf_init(&schema, 100000);
    buf_add(&schema, STR("{\"properties\":"));
    write_members(&schema, 30, "{\"type\":\"string\"}");
    buf_add(&schema, STR("}\0"));
    pipeline_init(pipeline, NULL);
    pipeline_write_schema(pipeline, "Schema", schema.ptr);
    pipeline_add_route(pipeline, &(struct route_options){ 0 });
    pipeline_start(pipeline, options);
    buf_done(&schema);
}

static void post_members(struct pipeline *pipeline, size_t count, size_t events,
                         struct response *response)
{
    struct buf body;

    buf_init(&body, 10000000);
    if (events > 0)
        buf_add_char(&body, '[');
    for (size_t i = 0; i < (events ? events : 1); i++) {
        buf_add(&body, i > 0 ? STR(",{\"detail\":") : STR("{\"detail\":"));
        write_members(&body, count, "1");
        buf_add_char(&body, '}');
    }
    if (events > 0)
        buf_add_char(&body, ']');
    pipeline_post(pipeline, buf_str(&body), response);
    buf_done(&body);
}

static size_t count_text(struct str text, struct str what)
{
    size_t count = 0;

    for (;;) {
        const char *at = text.len > 0 ? memmem(text.ptr, text.len, what.ptr, what.len) : NULL;

        if (!at)
            return count;
        count++;
        text = str_from(text, (size_t)(at - text.ptr) + what.len);
    }
}

static void errors_are_at_most_max_errors(void)
{
    static const struct {
        size_t wrong;
        size_t max_errors;
        size_t shown;
    } cases[] = {
        { 1, 20, 1 }, { 19, 20, 19 }, { 20, 20, 20 }, { 21, 20, 20 }, { 30, 20, 20 },
        { 2, 1, 1 },  { 1, 1, 1 },    { 30, 29, 29 }, { 30, 30, 30 }, { 30, 1000, 30 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pipeline pipeline;
        struct response response;

        begin_wide(&pipeline, &(struct events_options){ .max_errors = cases[i].max_errors });
        post_members(&pipeline, cases[i].wrong, 0, &response);
        CHECK_INT((int64_t)count_text(response.body, STR("instanceLocation")),
                  (int64_t)cases[i].shown);
        CHECK(str_ends_with(response.body, STR("],\"truncated\":true}")) ==
              (cases[i].shown < cases[i].wrong));
        pipeline_done(&pipeline);
    }
}

static void an_array_shows_a_thousand_errors_and_one_for_each(void)
{
    struct pipeline pipeline;
    struct response response;

    begin_wide(&pipeline, &(struct events_options){ .max_errors = 20 });
    post_members(&pipeline, 30, 500, &response);
    CHECK_INT(response.status, 400);
    CHECK_INT((int64_t)count_text(response.body, STR("\"status\":400")), 500);
    CHECK_INT((int64_t)count_text(response.body, STR("\"truncated\":true")), 500);

    size_t units = count_text(response.body, STR("instanceLocation"));

    CHECK(units >= 1000 && units <= 1500);
    CHECK_INT((int64_t)count_text(response.body, STR("\"details\"")), 500);
    pipeline_done(&pipeline);
}

/* Thousands of errors, each at a place whose name takes six times its bytes as JSON. */
static void an_answer_too_large_for_its_errors_goes_without(void)
{
    enum { MISSING = 3500, NAME = 4000 };
    struct buf schema;
    struct buf body;
    struct pipeline pipeline;
    struct response response;

    buf_init(&schema, 1000000);
    buf_add(&schema, STR("{\"additionalProperties\":{\"required\":["));
    for (int i = 0; i < MISSING; i++)
        buf_printf(&schema, "%s\"p%d\"", i ? "," : "", i);
    buf_add(&schema, STR("]}}\0"));
    buf_init(&body, 1000000);
    buf_add(&body, STR("{\"detail\":{\""));
    for (int i = 0; i < NAME; i++)
        buf_add(&body, STR("\\u0001"));
    buf_add(&body, STR("\":{}}}\0"));

    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", schema.ptr);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .max_errors = 10000 });
    pipeline_check_post(&pipeline, body.ptr, 400,
                        "{\"error\":\"Schema validation failed\","
                        "\"details\":\"'p0' is a required property\"}");
    pipeline_done(&pipeline);
    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", schema.ptr);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .max_errors = 10 });
    pipeline_post(&pipeline, str_from_c(body.ptr), &response);
    CHECK_INT((int64_t)count_text(response.body, STR("instanceLocation")), 10);
    buf_done(&body);
    buf_done(&schema);
    pipeline_done(&pipeline);
}

static void what_costs_too_much_is_not_checked_to_the_end(void)
{
    enum { ELEMENTS = 300000 };
    struct pipeline pipeline;
    struct response response;
    struct buf body;

    buf_init(&body, 10000000);
    buf_add(&body, STR("{\"detail\":["));
    for (int i = 0; i < ELEMENTS; i++)
        buf_add(&body, i ? STR(",1") : STR("1"));
    buf_add(&body, STR("]}"));
    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema",
                          "{\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":5}}");
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .budget_us = 1 });
    pipeline_post(&pipeline, buf_str(&body), &response);
    CHECK_INT(response.status, 400);
    CHECK_STR(response.body,
              "{\"error\":\"Processing failed\",\"details\":\"Event too expensive to check\"}");
    CHECK_STR(response.note.outcome, "too_expensive");
    buf_done(&body);
    pipeline_done(&pipeline);
}

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* The first output makes 200 KB of each event, the second one cannot take it. */
static void records_of_an_event_that_fails_are_freed_at_once(void)
{
    enum { EVENTS = 100, NUMBERS = 200, SPARE = 4 * 1024 * 1024 };
    struct route_output_options outputs[2];
    char paths[2][FOLDER_PATH_SIZE];
    struct pipeline pipeline;
    struct response response;
    struct buf body;

    buf_init(&body, SIZE_MAX);
    for (size_t i = 0; i < (size_t)EVENTS * NUMBERS; i++)
        buf_printf(&body, "%s\"1e999\"",
                   i == 0             ? "[{\"detail\":{\"n\":["
                   : i % NUMBERS == 0 ? "],\"x\":1.5}},{\"detail\":{\"n\":["
                                      : ",");
    buf_add(&body, STR("],\"x\":1.5}}]"));
    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", "true");
    folder_write(&pipeline.folder, "0.yaml",
                 STR("fields: [{ name: all, each: /n, from: \"\", as: integer }]\n"));
    folder_write(&pipeline.folder, "1.yaml", STR("fields: [{ name: x, from: /x, as: integer }]\n"));
    for (unsigned i = 0; i < COUNT_OF(outputs); i++) {
        char name[] = { (char)('0' + i), '.', 'y', 'a', 'm', 'l', '\0' };

        folder_path(&pipeline.folder, name, paths[i]);
        outputs[i] = (struct route_output_options){ .transform = paths[i] };
    }
    pipeline_add_route(&pipeline, &(struct route_options){ .outputs = outputs, .output_count = 2 });
    pipeline_start(&pipeline, &(struct events_options){ 0 });

    size_t before = memory_in_use();

    pipeline_post(&pipeline, buf_str(&body), &response);
    CHECK_INT((int64_t)response.note.refused, EVENTS);
    CHECK(memory_in_use() < before + SPARE);
    buf_done(&body);
    pipeline_done(&pipeline);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(nesting_is_bounded);
    RUN(long_messages_are_shown_whole);
    RUN(errors_are_at_most_max_errors);
    RUN(an_array_shows_a_thousand_errors_and_one_for_each);
    RUN(an_answer_too_large_for_its_errors_goes_without);
    RUN(what_costs_too_much_is_not_checked_to_the_end);
    RUN(records_of_an_event_that_fails_are_freed_at_once);
    return test_end();
}
