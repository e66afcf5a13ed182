/*
 * test_json_spans.c - where in a text the elements of its array and the members of its object
 * stand.
 */
#include "base/attr.h"
#include "base/json.h"
#include "tests/unit/test.h"

enum { MOST = 8 };

static void finds_each_element(void)
{
    static const struct {
        const char *text;
        size_t count;
        const char *spans[MOST];
    } cases[] = {
        { "[]", 0, { 0 } },
        { "[1]", 1, { "1" } },
        { " [ 1 ,\t2\n, 3 ] ", 3, { "1", "2", "3" } },
        { "[\"a,]\",\"\\\"],[\",\"\\\\\"]", 3, { "\"a,]\"", "\"\\\"],[\"", "\"\\\\\"" } },
        { "[{\"a\":[1,2]},[{\"b\":\"}\"},[]],null]",
          3,
          { "{\"a\":[1,2]}", "[{\"b\":\"}\"},[]]", "null" } },
        { "[ {} , [ ] ]", 2, { "{}", "[ ]" } },
        { "[{ \"k\" : \"\\u005c\" }]", 1, { "{ \"k\" : \"\\u005c\" }" } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str spans[MOST];

        TEST_CASE(cases[i].text);
        json_spans(str_from_c(cases[i].text), spans, cases[i].count);
        for (size_t j = 0; j < cases[i].count; j++)
            CHECK_STR(spans[j], cases[i].spans[j]);
    }
}

static void finds_what_to_cut_out_for_a_member(void)
{
    static const struct {
        const char *text;
        const char *span; /* NULL: there is none */
    } cases[] = {
        { "{\"a\":1,\"r\":\"x\",\"b\":2}", ",\"r\":\"x\"" },
        { "{\"a\": 1, \"r\": \"x\", \"b\": 2}", ", \"r\": \"x\"" },
        { "{\"r\":\"x\",  \"b\":2}", "\"r\":\"x\",  " },
        { " { \"r\" : \"x\" } ", "\"r\" : \"x\"" },
        { "{\"a\":{\"r\":1},\"r\":[{}]}", ",\"r\":[{}]" },
        { "{\"a\":\",\\\"r\\\":\",\"r\":\"}\"}", ",\"r\":\"}\"" },
        { "{\"a\":{\"r\":1}}", NULL },
        { "{\"rr\":1}", NULL },
        { "{\"a\":\"r\"}", NULL },
        { "{}", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str span = json_member_span(str_from_c(cases[i].text), STR("r"));

        TEST_CASE(cases[i].text);
        CHECK(!span.ptr == !cases[i].span);
        if (span.ptr && cases[i].span)
            CHECK_STR(span, cases[i].span);
    }
}

static void takes_white_space_off(void)
{
    CHECK_STR(json_span(STR(" \r\n\t{ } \n")), "{ }");
    CHECK_STR(json_span(STR("1")), "1");
    CHECK_INT((int64_t)json_span(STR(" \n ")).len, 0);
    CHECK_INT((int64_t)json_span(STR_NONE).len, 0);
}

int main(void)
{
    RUN(finds_each_element);
    RUN(finds_what_to_cut_out_for_a_member);
    RUN(takes_white_space_off);
    return test_end();
}
