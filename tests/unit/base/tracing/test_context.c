/*
 * test_context.c - claims about tracing/context.h.
 */
#include "base/tracing/context.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "tests/unit/test.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ROOT   "1-5759e988-bd862e3fe1be46a994272793"

#define HEX "5759e988bd862e3fe1be46a994272793" /* ROOT's digits */

static void finds_the_trace_id_for_the_log(void)
{
    static const struct {
        const char *name;
        const char *traceparent;
        const char *amzn;
        const char *id;
    } cases[] = {
        { "W3C", "00-" TRACE "-" PARENT "-01", "", TRACE },
        { "a later version", "01-" TRACE "-" PARENT "-01-more", "", TRACE },
        { "W3C before Amazon", "00-" TRACE "-" PARENT "-01", "Root=" ROOT, TRACE },
        { "Amazon when W3C is wrong", "00-" TRACE, "Root=" ROOT, ROOT },
        { "Amazon with more", "",
          "Self=1-67891234-12456789abcdef012345678; Root=" ROOT ";Sampled=1", ROOT },
        { "none", "", "", "" },
        { "upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", "", "" },
        { "all zero", "00-00000000000000000000000000000000-" PARENT "-01", "", "" },
        { "version ff", "ff-" TRACE "-" PARENT "-01", "", "" },
        { "tail on version 00", "00-" TRACE "-" PARENT "-01-more", "", "" },
        { "no dash", "00-" TRACE "x" PARENT "-01", "", "" },
        { "short root", "", "Root=1-5759e988-bd862e3f", "" },
        { "root with a quote", "", "Root=1-5759e988-bd862e3fe1be46a99427279\"", "" },
        { "no root", "", "Parent=53995c3f42cd8ad8;;", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK_STR(trace_id_for_log(str_from_c(cases[i].traceparent), str_from_c(cases[i].amzn)),
                  cases[i].id);
    }
}

static void passes_on_traceparents_of_the_known_version_only(void)
{
    CHECK(trace_text_is_whole(STR("00-" TRACE "-" PARENT "-01")));
    CHECK(!trace_text_is_whole(STR("00-" TRACE "-" PARENT "-01-more")));
    CHECK(!trace_text_is_whole(STR("01-" TRACE "-" PARENT "-01-more")));
    CHECK(!trace_text_is_whole(STR("00-" TRACE "-" PARENT "-0\r")));
    CHECK(!trace_text_is_whole(STR("")));
    CHECK(!trace_text_is_whole(STR_NONE));
}

/* The context as a traceparent; without a span or a decision they are missing in it. */
static void reads_both_headers(void)
{
    static const struct {
        const char *name;
        const char *traceparent;
        const char *amzn;
        const char *expected;
    } rows[] = {
        { "W3C", "00-" TRACE "-" PARENT "-01", "", TRACE " " PARENT " 2" },
        { "W3C, not sampled", "00-" TRACE "-" PARENT "-00", "", TRACE " " PARENT " 1" },
        { "further flags", "00-" TRACE "-" PARENT "-0b", "", TRACE " " PARENT " 2" },
        { "further flags, not sampled", " 00-" TRACE "-" PARENT "-02", "", TRACE " " PARENT " 1" },
        { "a later version", "cc-" TRACE "-" PARENT "-01-more", "", TRACE " " PARENT " 2" },
        { "no span", "00-" TRACE "-0000000000000000-01", "", NULL },
        { "Amazon", "", "Root=" ROOT ";Parent=" PARENT ";Sampled=1", HEX " " PARENT " 2" },
        { "in another order", "x", "Sampled=0; Parent=" PARENT "; Root=" ROOT,
          HEX " " PARENT " 1" },
        { "no decision", "", "Root=" ROOT ";Parent=" PARENT ";Sampled=?", HEX " " PARENT " 0" },
        { "a root alone", "", "Root=" ROOT, HEX "  0" },
        { "a span of zeroes", "", "Root=" ROOT ";Parent=0000000000000000", HEX "  0" },
        { "a span that is too long", "", "Root=" ROOT ";Parent=" PARENT "0", HEX "  0" },
        { "a trace of zeroes", "", "Root=1-00000000-000000000000000000000000", NULL },
        { "no root", "", "Parent=" PARENT, NULL },
        { "none", "", "", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct trace_context context;
        char text[80];

        TEST_CASE(rows[i].name);
        CHECK_INT(
            trace_context_read(str_from_c(rows[i].traceparent), str_from_c(rows[i].amzn), &context),
            rows[i].expected != NULL);
        (void)snprintf(text, sizeof(text), "%s %s %d", context.trace_id, context.span_id,
                       (int)context.sampled);
        CHECK_STR(str_from_c(text), rows[i].expected ? rows[i].expected : "  0");
    }
}

static void writes_what_it_reads(void)
{
    static const struct {
        const char *traceparent;
        const char *aws;
        bool is_sampled;
    } rows[] = {
        { "00-" HEX "-" PARENT "-01", "Root=" ROOT ";Parent=" PARENT ";Sampled=1", true },
        { "00-" HEX "-" PARENT "-00", "Root=" ROOT ";Parent=" PARENT ";Sampled=0", false },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str text = str_from_c(rows[i].traceparent);
        struct trace_context context;
        char written[TRACE_PARENT_LEN + 1];

        CHECK(trace_context_read(text, STR_NONE, &context));
        trace_context_write(&context, written);
        CHECK_STR(str_from_c(written), rows[i].traceparent);
        CHECK_STR(trace_context_for_aws(arena, text), rows[i].aws);
        CHECK_STR(trace_text_id(text), HEX);
        CHECK_INT(trace_text_is_sampled(text), rows[i].is_sampled);
    }
    CHECK(!trace_context_for_aws(arena, STR("")).ptr);
    CHECK(!trace_text_id(STR_NONE).ptr && !trace_text_is_sampled(STR_NONE));
    arena_destroy(arena);
}

static void new_ids_are_random(void)
{
    struct trace_context one = { 0 };
    struct trace_context other = { 0 };
    char text[TRACE_PARENT_LEN + 1];

    trace_new_id(one.trace_id);
    trace_new_span(one.span_id);
    trace_new_id(other.trace_id);
    trace_new_span(other.span_id);
    trace_context_write(&one, text);
    CHECK(trace_text_is_whole(str_from_c(text)));
    CHECK(strcmp(one.trace_id, other.trace_id) != 0 && strcmp(one.span_id, other.span_id) != 0);
}

int main(void)
{
    RUN(finds_the_trace_id_for_the_log);
    RUN(passes_on_traceparents_of_the_known_version_only);
    RUN(reads_both_headers);
    RUN(writes_what_it_reads);
    RUN(new_ids_are_random);
    return test_end();
}
