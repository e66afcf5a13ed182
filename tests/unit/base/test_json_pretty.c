/*
 * test_json_pretty.c - text for people, as Python's json.dumps(value, indent=2) writes it.
 */
#include "base/json.h"
#include "tests/unit/test.h"

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
        struct json_object *value;
        struct error err = { 0 };

        TEST_CASE(cases[i].text);
        CHECK(json_read_in(arena, str_from_c(cases[i].text), NULL, &value, &err));
        json_write_pretty(out, value);
        CHECK_STR(buf_str(out), cases[i].pretty);
        arena_destroy(arena);
    }
}

int main(void)
{
    RUN(a_member_or_element_a_line);
    return test_end();
}
