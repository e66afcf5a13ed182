/*
 * test_json_write.c - what went in comes out, in one canonical form.
 */
#include "base/json.h"

#include "tests/unit/test.h"

static void writes_what_was_read(void)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[null,true,[{}],{\"a\":null}]",
        "{\"z\":1,\"a\":2,\"m\":{\"z\":3,\"b\":4}}",
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1E2",
        "1e+02",
        "0.10000000000000000000000000000000000001",
        "9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "123456789012345678901234567890123456789012345678901234567890",
        "-123456789012345678901234567890",
        "1e400",
        "-1e400",
        "1e-400",
        "\"\"",
        "\"plain\"",
        "\"/ and \x7F and \u00e9 and \u20ac and \U0001F600 and \u2028\"",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
        "\"\\u0000\\u0001\\u001f\"",
        "\"0123456789abcdef\\n0123456789abcdef\\\"0123456789abcdef\"",
        "{\"\\\"key\\n\":1,\"\":2,\"\u00e9\":3}",
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct json_object *tree = NULL;
        struct error err;

        TEST_CASE(texts[i]);
        CHECK(json_read_in(arena, str_from_c(texts[i]), NULL, &tree, &err));
        CHECK_STR(json_text(arena, tree), texts[i]);
        CHECK_STR(flat_text(arena, json_flatten(arena, tree)), texts[i]);
    }
    arena_destroy(arena);
}

static void writes_one_form_of_each_text(void)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        { " { \"a\" : [ 1 , 2 ] , \"b\" : { } } ", "{\"a\":[1,2],\"b\":{}}" },
        { "\"\\u0041\\/\\u00e9\\ud83d\\ude00\"", "\"A/\u00e9\U0001F600\"" },
        { "\"\\u0008\\u000C\\u000a\\u000D\\u0009\\u001F\\u007f\"",
          "\"\\b\\f\\n\\r\\t\\u001f\x7F\"" },
        { "{\"\\u0061\":1}", "{\"a\":1}" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *tree = NULL;
        struct error err;

        TEST_CASE(rows[i].text);
        CHECK(json_read_in(arena, str_from_c(rows[i].text), NULL, &tree, &err));
        CHECK_STR(json_text(arena, tree), rows[i].expected);
    }
    arena_destroy(arena);
}

static void writes_integers_that_the_program_made(void)
{
    struct arena *arena = arena_create();
    struct json_object *least = json_object_new_int64(INT64_MIN);
    struct json_object *greatest = json_object_new_uint64(UINT64_MAX);

    arena_own(arena, least, json_release);
    arena_own(arena, greatest, json_release);
    CHECK_STR(json_text(arena, least), "-9223372036854775808");
    CHECK_STR(json_text(arena, greatest), "18446744073709551615");
    arena_destroy(arena);
}

static void stops_at_the_maximum(void)
{
    struct json_object *tree = NULL;
    struct error err;
    struct str text = STR("{\"a\":[1,2.5,\"text\\n\",null],\"b\":{\"c\":true}}");

    CHECK(json_read(text, NULL, &tree, &err));
    for (size_t max = 0; max <= text.len; max++) {
        struct buf out;

        buf_init(&out, max);
        json_write(&out, tree);
        CHECK(out.overflow == (max < text.len));
        CHECK(out.len <= max);
        buf_done(&out);
    }
    json_release(tree);
}

static void agrees_with_the_serializer_of_json_c(void)
{
    struct json_object *tree = NULL;
    struct error err;

    CHECK(json_read(STR("[1e400,123456789012345678901,-0,1.50]"), NULL, &tree, &err));
    CHECK_STR(str_from_c(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN)),
              "[1e400,123456789012345678901,-0,1.50]");
    json_release(tree);
}

int main(void)
{
    RUN(writes_what_was_read);
    RUN(writes_one_form_of_each_text);
    RUN(writes_integers_that_the_program_made);
    RUN(stops_at_the_maximum);
    RUN(agrees_with_the_serializer_of_json_c);
    return test_end();
}
