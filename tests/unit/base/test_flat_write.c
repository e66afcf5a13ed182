/*
 * test_flat_write.c - what went in comes out, in one canonical form.
 */
#include "base/flat.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/json_rows.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static void writes_what_was_read(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(json_rows_texts); i++) {
        TEST_CASE(json_rows_texts[i]);
        CHECK_STR(flat_text(arena, tree_of(json_rows_texts[i])), json_rows_texts[i]);
        CHECK_STR(flat_text(arena, flat_copy(arena, tree_of(json_rows_texts[i]))),
                  json_rows_texts[i]);
    }
    arena_destroy(arena);
}

static void writes_one_form_of_each_text(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(json_rows_forms); i++) {
        TEST_CASE(json_rows_forms[i].text);
        CHECK_STR(flat_text(arena, tree_of(json_rows_forms[i].text)), json_rows_forms[i].expected);
    }
    arena_destroy(arena);
}

static void writes_strings_alone(void)
{
    struct buf out;

    buf_init(&out, 1024);
    json_write_string(&out, STR("a\0b"));
    json_write_string(&out, (struct str){ NULL, 0 });
    json_write_string(&out, STR("\\"));
    CHECK_STR(buf_str(&out), "\"a\\u0000b\"\"\"\"\\\\\"");
    buf_done(&out);
}

/* Strings are looked at in blocks: of each length, with the quote at each place. */
static void escapes_a_quote_wherever_it_stands(void)
{
    enum { LONGEST = 67 };

    for (size_t len = 1; len <= LONGEST; len++) {
        for (size_t at = 0; at < len; at++) {
            char text[LONGEST];
            char expected[LONGEST + 4];
            struct buf out;

            memset(text, 'x', len);
            text[at] = '"';
            (void)snprintf(expected, sizeof(expected), "\"%.*s\\\"%.*s\"", (int)at, text,
                           (int)(len - at - 1), text + at + 1);
            buf_init(&out, sizeof(expected));
            json_write_string(&out, (struct str){ text, len });
            CHECK_STR(buf_str(&out), expected);
            buf_done(&out);
        }
    }
}

/* The same with each byte that stands for itself, or nearly does. */
static void escapes_only_quotes_backslashes_and_controls(void)
{
    enum { LONGEST = 35 };
    static const unsigned char bytes[] = { 0,   1,   0x1f, ' ', '!',  '"',
                                           '#', '[', '\\', ']', 0x7f, 0xff };

    for (size_t len = 1; len <= LONGEST; len++) {
        for (size_t i = 0; i < len * COUNT_OF(bytes); i++) {
            unsigned char byte = bytes[i % COUNT_OF(bytes)];
            bool is_plain = byte >= ' ' && byte != '"' && byte != '\\';
            char text[LONGEST];
            struct buf out;

            memset(text, i % 2 ? '#' : ']', len);
            text[i / COUNT_OF(bytes)] = (char)byte;
            buf_init(&out, SIZE_MAX / 2);
            json_write_string(&out, (struct str){ text, len });
            CHECK((out.len == len + 2) == is_plain);
            buf_done(&out);
        }
    }
}

static void escapes_pointer_tokens(void)
{
    static const struct {
        const char *token;
        const char *expected;
    } rows[] = {
        { "", "" },      { "plain", "plain" },   { "/", "~1" },          { "~", "~0" },
        { "~1", "~01" }, { "a/b~c", "a~1b~0c" }, { "//~~", "~1~1~0~0" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf out;

        TEST_CASE(rows[i].token);
        buf_init(&out, 64);
        json_write_pointer_token(&out, str_from_c(rows[i].token));
        CHECK_STR(buf_str(&out), rows[i].expected);
        buf_done(&out);
    }
}

static void stops_at_the_maximum(void)
{
    struct str text = STR("{\"a\":[1,2.5,\"text\\n\",null],\"b\":{\"c\":true}}");

    const struct flat *tree = tree_read(text, NULL);

    for (size_t max = 0; max <= text.len; max++) {
        struct buf out;

        buf_init(&out, max);
        flat_write(&out, tree);
        CHECK(out.overflow == (max < text.len));
        CHECK(out.len <= max);
        buf_done(&out);
    }
}

int main(void)
{
    RUN(writes_what_was_read);
    RUN(writes_one_form_of_each_text);
    RUN(writes_strings_alone);
    RUN(escapes_a_quote_wherever_it_stands);
    RUN(escapes_only_quotes_backslashes_and_controls);
    RUN(escapes_pointer_tokens);
    RUN(stops_at_the_maximum);
    trees_end();
    return test_end();
}
