/*
 * test_repr.c - each row is what Python 3.11 prints for repr(json.loads(text)).
 */
#include "schema/repr.h"

#include "base/attr.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

struct repr_case {
    const char *text;
    const char *expected;
};

static void check_reprs(const struct repr_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct flat *value = NULL;
        CLEANUP(buf_done) struct buf out;

        TEST_CASE(cases[i].text);
        value = tree_of(cases[i].text);
        buf_init(&out, 4096);
        repr_value(&out, value);
        CHECK_STR(buf_str(&out), cases[i].expected);
    }
}

static void strings_are_quoted_and_escaped(void)
{
    static const struct repr_case cases[] = {
        { "\"\"", "''" },
        { "\"abc\"", "'abc'" },
        { "\"it's\"", "\"it's\"" },
        { "\"say \\\"hi\\\"\"", "'say \"hi\"'" },
        { "\"it's \\\"so\\\"\"", "'it\\'s \"so\"'" },
        { "\"back\\\\slash\"", "'back\\\\slash'" },
        { "\"\\t\\n\\r\"", "'\\t\\n\\r'" },
        { "\"\\b\\f\\u0000\\u001b\\u007f\"", "'\\x08\\x0c\\x00\\x1b\\x7f'" },
        { "\"a/b\"", "'a/b'" },
        { "\"\\u00e9\"", "'\xC3\xA9'" },
        { "\"\\u0080\\u00a0\\u00ad\"", "'\\x80\\xa0\\xad'" },
        { "\"\\u0378\\u200b\\u2028\\ufeff\"", "'\\u0378\\u200b\\u2028\\ufeff'" },
        { "\"\\ue000\\uffff\"", "'\\ue000\\uffff'" },
        { "\"\\u3000\"", "'\\u3000'" },
        { "\"\\u4e2d\"", "'\xE4\xB8\xAD'" },
        { "\"\\ud83d\\ude00\"", "'\xF0\x9F\x98\x80'" },
        { "\"\\udb40\\udc01\\udbff\\udfff\"", "'\\U000e0001\\U0010ffff'" },
    };

    check_reprs(cases, COUNT_OF(cases));
}

static void numbers_are_the_shortest_that_read_back(void)
{
    static const struct repr_case cases[] = {
        { "0", "0" },
        { "-0", "0" },
        { "42", "42" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "18446744073709551615", "18446744073709551615" },
        { "123456789012345678901234567890", "123456789012345678901234567890" },
        { "1.0", "1.0" },
        { "-0.0", "-0.0" },
        { "1E2", "100.0" },
        { "1.50", "1.5" },
        { "0.1", "0.1" },
        { "0.30000000000000004", "0.30000000000000004" },
        { "3.14159265358979", "3.14159265358979" },
        { "100000.5", "100000.5" },
        { "0.0001", "0.0001" },
        { "0.00001", "1e-05" },
        { "0.000012345", "1.2345e-05" },
        { "1e15", "1000000000000000.0" },
        { "1e16", "1e+16" },
        { "9999999999999998.0", "9999999999999998.0" },
        { "12345678901234567.0", "1.2345678901234568e+16" },
        { "1e22", "1e+22" },
        { "1e100", "1e+100" },
        { "-1.5e-7", "-1.5e-07" },
        { "5e-324", "5e-324" },
        { "1.7976931348623157e308", "1.7976931348623157e+308" },
        { "1e400", "inf" },
        { "-1e400", "-inf" },
        { "1e-400", "0.0" },
        /* A power of two: the nearest number of 16 digits does not read back, the next one does. */
        { "5.8581906792798084e-244", "5.858190679279809e-244" },
        { "7.2911220195563975e-304", "7.291122019556398e-304" },
    };

    check_reprs(cases, COUNT_OF(cases));
}

static void containers_are_written_with_spaces(void)
{
    static const struct repr_case cases[] = {
        { "null", "None" },
        { "true", "True" },
        { "false", "False" },
        { "[]", "[]" },
        { "{}", "{}" },
        { "[1]", "[1]" },
        { "[1,\"a\",null,[true]]", "[1, 'a', None, [True]]" },
        { "{\"a\":1}", "{'a': 1}" },
        { "{\"b\":[],\"a\":{\"it's\":2.0}}", "{'b': [], 'a': {\"it's\": 2.0}}" },
    };

    check_reprs(cases, COUNT_OF(cases));
}

static void fills_a_small_buffer_to_the_brim(void)
{
    static const struct {
        const char *text;
        size_t max;
        const char *expected;
        bool overflow;
    } cases[] = {
        { "\"abcdef\"", 8, "'abcdef'", false },
        { "\"abcdef\"", 7, "'abcdef", true },
        { "\"abcdef\"", 4, "'abc", true },
        { "[1,2,3,4,5,6]", 7, "[1, 2, ", true },
        { "{\"abc\":\"def\",\"g\":1}", 10, "{'abc': 'd", true },
        { "\"\\u00e9\\u00e9\"", 4, "'\xC3\xA9", true },
        { "\"a\"", 0, "", true },
        { "123456789012345678901234567890", 7, "1234567", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct flat *value = tree_of(cases[i].text);
        CLEANUP(buf_done) struct buf out;

        TEST_CASE(cases[i].text);
        buf_init(&out, cases[i].max);
        repr_value(&out, value);
        CHECK_STR(buf_str(&out), cases[i].expected);
        CHECK(out.overflow == cases[i].overflow);
    }
}

static void types_hide_their_values(void)
{
    static const struct repr_case cases[] = {
        { "null", "<null>" },
        { "true", "<boolean>" },
        { "1", "<integer>" },
        { "1.0", "<number>" },
        { "\"x\"", "<string>" },
        { "[1]", "<array>" },
        { "{\"a\":1}", "<object>" },
        { "1e400", "<number>" },
        { "123456789012345678901234567890", "<integer>" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct flat *value = tree_of(cases[i].text);
        CLEANUP(buf_done) struct buf out;

        TEST_CASE(cases[i].text);
        buf_init(&out, 100);
        repr_type(&out, value);
        CHECK_STR(buf_str(&out), cases[i].expected);
    }
}

int main(void)
{
    RUN(strings_are_quoted_and_escaped);
    RUN(numbers_are_the_shortest_that_read_back);
    RUN(containers_are_written_with_spaces);
    RUN(fills_a_small_buffer_to_the_brim);
    RUN(types_hide_their_values);
    trees_end();
    return test_end();
}
