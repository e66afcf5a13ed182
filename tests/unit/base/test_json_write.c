/*
 * test_json_write.c - what went in comes out, in one canonical form.
 */
#include "base/json.h"

#include "tests/unit/json_rows.h"
#include "tests/unit/test.h"

static void writes_what_was_read(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(json_rows_texts); i++) {
        struct json_object *tree = NULL;
        struct error err;

        TEST_CASE(json_rows_texts[i]);
        CHECK(json_read_in(arena, str_from_c(json_rows_texts[i]), NULL, &tree, &err));
        CHECK_STR(json_text(arena, tree), json_rows_texts[i]);
        CHECK_STR(flat_text(arena, json_flatten(arena, tree)), json_rows_texts[i]);
    }
    arena_destroy(arena);
}

static void writes_one_form_of_each_text(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(json_rows_forms); i++) {
        struct json_object *tree = NULL;
        struct error err;

        TEST_CASE(json_rows_forms[i].text);
        CHECK(json_read_in(arena, str_from_c(json_rows_forms[i].text), NULL, &tree, &err));
        CHECK_STR(json_text(arena, tree), json_rows_forms[i].expected);
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
