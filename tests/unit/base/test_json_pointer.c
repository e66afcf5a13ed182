/*
 * test_json_pointer.c - JSON Pointer as in RFC 6901.
 */
#include "base/flat.h"

#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static void finds_what_rfc_6901_shows(void)
{
    static const struct {
        const char *pointer;
        const char *value;
    } rows[] = {
        { "/foo", "[\"bar\",\"baz\"]" },
        { "/foo/0", "\"bar\"" },
        { "/", "0" },
        { "/a~1b", "1" },
        { "/c%d", "2" },
        { "/e^f", "3" },
        { "/g|h", "4" },
        { "/i\\j", "5" },
        { "/k\"l", "6" },
        { "/ ", "7" },
        { "/m~0n", "8" },
        { "/n/o", "null" },
        { "/p/1/q", "true" },
        { "/r/0", "9" },
        { "/~01", "10" },
    };
    struct str text =
        STR("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
            "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,\"n\":{\"o\":null},"
            "\"p\":[0,{\"q\":true}],\"r\":{\"0\":9},\"~1\":10}");
    struct arena *arena = arena_create();
    const struct flat *root = tree_read(text, NULL);
    struct error err = { 0 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_pointer *pointer = NULL;
        const struct flat *value = NULL;

        TEST_CASE(rows[i].pointer);
        CHECK(json_pointer_create(str_from_c(rows[i].pointer), &pointer, &err));
        CHECK_INT(flat_pointer_find(pointer, root, &value, NULL), JSON_FOUND);
        CHECK_STR(flat_text(arena, value), rows[i].value);
        json_pointer_destroy(pointer);
    }
    arena_destroy(arena);
}

static void tokens_are_taken_one_by_one(void)
{
    struct arena *arena = arena_create();
    struct str pointer = STR("/a~1b//~01");

    CHECK_STR(json_pointer_take(&pointer, arena), "a/b");
    CHECK_STR(json_pointer_take(&pointer, arena), "");
    CHECK_STR(json_pointer_take(&pointer, arena), "~1");
    CHECK_INT((int64_t)pointer.len, 0);
    arena_destroy(arena);
}

static void finds_the_root(void)
{
    struct json_pointer *pointer = NULL;
    const struct flat *root = tree_of("1");
    const struct flat *value = NULL;
    struct error err = { 0 };

    CHECK(json_pointer_create(STR(""), &pointer, &err));
    CHECK_INT((int64_t)json_pointer_depth(pointer), 0);
    CHECK_INT(flat_pointer_find(pointer, root, &value, NULL), JSON_FOUND);
    CHECK(value == root);
    json_pointer_destroy(pointer);
}

static void says_where_it_stopped(void)
{
    static const struct {
        const char *root;
        struct str pointer;
        enum json_lookup found;
        const char *culprit;
    } rows[] = {
        { "{}", STR_INIT("/detail"), JSON_ABSENT, "detail" },
        { "{}", STR_INIT("/detail/id"), JSON_ABSENT, "detail" },
        { "{\"detail\":{}}", STR_INIT("/detail/id/x"), JSON_ABSENT, "detail.id" },
        { "{\"detail\":null}", STR_INIT("/detail/id"), JSON_NO_CONTAINER, "detail" },
        { "{\"a\":{\"b\":\"text\"}}", STR_INIT("/a/b/c/d"), JSON_NO_CONTAINER, "a.b" },
        { "{\"a\":[true]}", STR_INIT("/a/0/c"), JSON_NO_CONTAINER, "a.0" },
        { "null", STR_INIT("/a"), JSON_NO_CONTAINER, "" },
        { "5", STR_INIT("/a"), JSON_NO_CONTAINER, "" },
        { "[1,2]", STR_INIT("/2"), JSON_ABSENT, "2" },
        { "[1,2]", STR_INIT("/-"), JSON_ABSENT, "-" },
        { "[1,2]", STR_INIT("/01"), JSON_ABSENT, "01" },
        { "[1,2]", STR_INIT("/+1"), JSON_ABSENT, "+1" },
        { "[1,2]", STR_INIT("/1e0"), JSON_ABSENT, "1e0" },
        { "[1,2]", STR_INIT("/"), JSON_ABSENT, "" },
        { "[1,2]", STR_INIT("/18446744073709551616"), JSON_ABSENT, "18446744073709551616" },
        { "[1,2]", STR_INIT("/18446744073709551615"), JSON_ABSENT, "18446744073709551615" },
        { "{\"a\":1}", STR_INIT("/a\0b"), JSON_ABSENT, "a\0b" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_pointer *pointer = NULL;
        const struct flat *root = tree_of(rows[i].root);
        const struct flat *value = NULL;
        struct error err = { 0 };
        size_t stop = 99;

        TEST_CASE(rows[i].pointer.ptr);
        CHECK(json_pointer_create(rows[i].pointer, &pointer, &err));
        CHECK_INT(flat_pointer_find(pointer, root, &value, &stop), rows[i].found);
        CHECK(stop <= json_pointer_depth(pointer));
        CHECK_STR(str_from_c(json_pointer_dotted(pointer, stop, arena).ptr), rows[i].culprit);
        CHECK(!value);
        json_pointer_destroy(pointer);
    }
    arena_destroy(arena);
}

static void refuses_what_is_no_pointer(void)
{
    static const char *const rows[] = { "a", " /a", "#/a", "/~", "/a~2b", "/a/~", "~0" };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_pointer *pointer = NULL;
        struct error err = { 0 };

        TEST_CASE(rows[i]);
        CHECK(!json_pointer_create(str_from_c(rows[i]), &pointer, &err));
        CHECK(err.code == ERR_MALFORMED && err.text[0]);
        CHECK(!pointer);
    }
}

int main(void)
{
    RUN(finds_what_rfc_6901_shows);
    RUN(tokens_are_taken_one_by_one);
    RUN(finds_the_root);
    RUN(says_where_it_stopped);
    RUN(refuses_what_is_no_pointer);
    trees_end();
    return test_end();
}
