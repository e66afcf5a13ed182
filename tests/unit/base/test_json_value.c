/*
 * test_json_value.c - kinds and numbers of json-c's values.
 */
#include "base/json.h"

#include "tests/unit/json_rows.h"
#include "tests/unit/test.h"

static struct json_object *read(const char *text)
{
    struct json_object *tree = NULL;
    struct error err = { 0 };

    CHECK(json_read(str_from_c(text), NULL, &tree, &err));
    return tree;
}

static void tells_kinds_apart(void)
{
    for (size_t i = 0; i < COUNT_OF(json_rows_kinds); i++) {
        struct json_object *value = read(json_rows_kinds[i].text);

        TEST_CASE(json_rows_kinds[i].text);
        CHECK_INT(json_kind(value), json_rows_kinds[i].kind);
        json_release(value);
    }
}

static void knows_what_fits_int64(void)
{
    for (size_t i = 0; i < COUNT_OF(json_rows_integers); i++) {
        struct json_object *number = read(json_rows_integers[i].text);
        int64_t value = 0;

        TEST_CASE(json_rows_integers[i].text);
        CHECK(json_int64(number, &value) == json_rows_integers[i].fits);
        CHECK_INT(value, json_rows_integers[i].value);
        json_release(number);
    }
}

/* A member that is not there, or of another kind, counts as 0 and false. */
static void finds_members_of_one_kind(void)
{
    static const struct {
        const char *text;
        int64_t number;
        bool is_true;
    } rows[] = {
        { "{}", 0, false },
        { "{\"m\":7}", 7, false },
        { "{\"m\":-7}", -7, false },
        { "{\"m\":1.5}", 0, false },
        { "{\"m\":\"7\"}", 0, false },
        { "{\"m\":null}", 0, false },
        { "{\"m\":true}", 0, true },
        { "{\"m\":false}", 0, false },
        { "{\"m\":[true]}", 0, false },
        { "{\"n\":true}", 0, false },
        { "{\"m\":9223372036854775808}", 0, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *object = read(rows[i].text);

        TEST_CASE(rows[i].text);
        CHECK_INT(json_find_int64(object, "m"), rows[i].number);
        CHECK(json_find_true(object, "m") == rows[i].is_true);
        json_release(object);
    }
}

/* Reading must round once, as strtod() does, whichever way it takes. */
static void rounds_as_strtod(void)
{
    for (size_t i = 0; i < COUNT_OF(json_rows_doubles); i++) {
        struct json_object *number = read(json_rows_doubles[i].text);

        TEST_CASE(json_rows_doubles[i].text);
        CHECK(json_double(number) == json_rows_doubles[i].value);
        json_release(number);
    }
}

static void finds_by_pointer_what_flat_trees_find(void)
{
    static const struct str pointers[] = {
        STR_INIT(""),   STR_INIT("/a"),   STR_INIT("/a/1"), STR_INIT("/a/2"),
        STR_INIT("/b"), STR_INIT("/b/x"), STR_INIT("/c/d"), STR_INIT("/a\0b"),
        STR_INIT("/"),  STR_INIT("/a/-"), STR_INIT("/d/x"),
    };
    struct arena *arena = arena_create();
    struct json_object *tree = read("{\"a\":[1,{\"x\":2}],\"b\":null,\"c\":{\"e\":0},\"d\":5}");
    const struct flat *flat = json_flatten(arena, tree);

    for (size_t i = 0; i < COUNT_OF(pointers); i++) {
        struct json_pointer *pointer = NULL;
        struct json_object *value = NULL;
        const struct flat *same = NULL;
        size_t stops[2] = { 99, 99 };
        struct error err = { 0 };

        TEST_CASE(pointers[i].ptr);
        CHECK(json_pointer_create(pointers[i], &pointer, &err));
        CHECK_INT(json_pointer_find(pointer, tree, &value, &stops[0]),
                  flat_pointer_find(pointer, flat, &same, &stops[1]));
        CHECK_INT((int64_t)stops[0], (int64_t)stops[1]);
        if (same)
            CHECK_STR(json_text(arena, value), flat_text(arena, same).ptr);
        json_pointer_destroy(pointer);
    }
    json_release(tree);
    arena_destroy(arena);
}

int main(void)
{
    RUN(tells_kinds_apart);
    RUN(knows_what_fits_int64);
    RUN(finds_members_of_one_kind);
    RUN(rounds_as_strtod);
    RUN(finds_by_pointer_what_flat_trees_find);
    return test_end();
}
