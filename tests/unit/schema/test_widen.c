/*
 * test_widen.c - claims about schema/widen.h.
 */
#include "schema/widen.h"

#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static void what_is_closed_opens(void)
{
    static const struct {
        const char *before;
        const char *after;
        size_t changes;
    } cases[] = {
        { "{}", "{\"additionalProperties\":true}", 1 },
        { "{\"additionalProperties\":true}", "{\"additionalProperties\":true}", 0 },
        { "{\"additionalProperties\":false,\"type\":\"object\"}",
          "{\"additionalProperties\":true,\"type\":\"object\"}", 1 },
        { "{\"additionalProperties\":{\"additionalProperties\":false}}",
          "{\"additionalProperties\":{\"additionalProperties\":true}}", 1 },
        { "{\"additionalProperties\":false,\"properties\":{\"a\":{\"additionalProperties\":false}}"
          "}",
          "{\"additionalProperties\":true,\"properties\":{\"a\":{\"additionalProperties\":true}}}",
          2 },
        { "{\"additionalProperties\":true,\"allOf\":[{\"additionalProperties\":false},true]}",
          "{\"additionalProperties\":true,\"allOf\":[{\"additionalProperties\":true},true]}", 1 },
        { "{\"additionalProperties\":true,\"properties\":{\"additionalProperties\":false}}",
          "{\"additionalProperties\":true,\"properties\":{\"additionalProperties\":false}}", 0 },
        { "{\"additionalProperties\":true,\"const\":{\"additionalProperties\":false}}",
          "{\"additionalProperties\":true,\"const\":{\"additionalProperties\":false}}", 0 },
        { "{\"additionalProperties\":true,\"items\":[[{\"additionalProperties\":false}]]}",
          "{\"additionalProperties\":true,\"items\":[[{\"additionalProperties\":true}]]}", 1 },
        { "{\"additionalProperties\":true,\"not\":{\"additionalProperties\":false}}",
          "{\"additionalProperties\":true,\"not\":{\"additionalProperties\":false}}", 0 },
        { "{\"additionalProperties\":true,\"if\":{\"additionalProperties\":false},"
          "\"then\":{\"additionalProperties\":false}}",
          "{\"additionalProperties\":true,\"if\":{\"additionalProperties\":false},"
          "\"then\":{\"additionalProperties\":true}}",
          1 },
        { "true", "true", 0 },
        { "null", "null", 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf after;

        TEST_CASE(cases[i].before);
        buf_init(&after, 4096);
        CHECK_INT((int64_t)schema_widen(&after, tree_of(cases[i].before)),
                  (int64_t)cases[i].changes);
        CHECK_STR(buf_str(&after), cases[i].after);
    }
}

int main(void)
{
    RUN(what_is_closed_opens);
    trees_end();
    return test_end();
}
