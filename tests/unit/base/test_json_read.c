/*
 * test_json_read.c - json-c's trees: what the reader of flat trees reads, within a limit of memory.
 */
#include "base/json.h"

#include <string.h>

#include "tests/unit/test.h"

static void bounds_the_memory(void)
{
    static const struct {
        const char *name;
        struct str text;
        size_t max;
        bool ok;
    } rows[] = {
        { "any", STR_INIT("[{},{}]"), 0, true },
        { "enough", STR_INIT("[{},{}]"), 2000, true },
        { "one object too many", STR_INIT("[{},{}]"), 1500, false },
        { "an array too many", STR_INIT("[[],[]]"), 500, false },
        { "a member too many", STR_INIT("{\"a\":null,\"b\":null}"), 900, false },
        { "a long key", STR_INIT("{\"0123456789abcdef0123456789abcdef\":null}"), 900, false },
        { "a string too many", STR_INIT("\"0123456789abcdef\""), 64, false },
        { "a number too many", STR_INIT("0"), 64, false },
        { "a boolean too many", STR_INIT("true"), 63, false },
        { "null takes none", STR_INIT("null"), 1, true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_read_options options = { .max_memory = rows[i].max };
        struct json_object *tree = NULL;
        struct error err = { 0 };

        TEST_CASE(rows[i].name);
        CHECK(json_read(rows[i].text, &options, &tree, &err) == rows[i].ok);
        CHECK_INT(err.code, rows[i].ok ? ERR_NONE : ERR_TOO_EXPENSIVE);
        CHECK(rows[i].ok || strcmp(err.text, "the values would take too much memory") == 0);
        json_release(tree);
    }
}

static void reads_as_deep_as_allowed(void)
{
    const struct json_read_options options = { .max_depth = 2 };
    struct json_object *tree = NULL;
    struct error err = { 0 };

    CHECK(json_read(STR("[[]]"), &options, &tree, &err));
    json_release(tree);
    CHECK(!json_read(STR("[[[]]]"), &options, &tree, &err));
    CHECK_STR(str_from_c(err.text), "at byte 2: arrays and objects nested too deeply at /0/0");
}

static void gives_trees_to_an_arena(void)
{
    struct arena *arena = arena_create();
    struct json_object *tree = NULL;
    struct error err = { 0 };

    CHECK(json_read_in(arena, STR("{\"a\":[1]}"), NULL, &tree, &err));
    CHECK(json_is_object(tree));
    CHECK(json_read_in(arena, STR("null"), NULL, &tree, &err));
    CHECK(!tree);
    CHECK(!json_read_in(arena, STR("{\"a\":[1}"), NULL, &tree, &err));
    CHECK_STR(str_from_c(err.text), "at byte 7: expected ',' or ']' at /a/0");
    arena_destroy(arena);
}

static void strings_keep_their_nul(void)
{
    struct json_object *tree = NULL;
    struct error err = { 0 };

    CHECK(json_read(STR("[\"a\\u0000b\",{\"\":\"\"}]"), NULL, &tree, &err));
    CHECK(str_equal(json_str(json_at(tree, 0)), STR("a\0b")));
    CHECK_STR(json_find_str(json_at(tree, 1), ""), "");
    json_release(tree);
}

int main(void)
{
    RUN(bounds_the_memory);
    RUN(reads_as_deep_as_allowed);
    RUN(gives_trees_to_an_arena);
    RUN(strings_keep_their_nul);
    return test_end();
}
