/*
 * test_flat_pretty.c - text for people, as Python's json.dumps(value, indent=2) writes it.
 */
#include "base/flat.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static void a_member_or_element_a_line(void)
{
    static const struct {
        const char *text;
        const char *pretty;
    } cases[] = {
        { "5", "5\n" },
        { "null", "null\n" },
        { "{}", "{}\n" },
        { "[]", "[]\n" },
        { "[1e400,\"/\"]", "[\n  1e400,\n  \"/\"\n]\n" },
        { "{\"a\":{\"b\":[],\"c\":[null,{}]},\"d\":true}",
          "{\n  \"a\": {\n    \"b\": [],\n    \"c\": [\n      null,\n      {}\n    ]\n  },\n"
          "  \"d\": true\n}\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct buf *out = arena_buf(arena, 10000);

        TEST_CASE(cases[i].text);
        flat_write_pretty(out, tree_of(cases[i].text));
        CHECK_STR(buf_str(out), cases[i].pretty);
        arena_destroy(arena);
    }
}

int main(void)
{
    RUN(a_member_or_element_a_line);
    trees_end();
    return test_end();
}
