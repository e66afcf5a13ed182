/*
 * test_record_text.c - delivery/record_text.h.
 */
#include "delivery/record_text.h"

#include "tests/unit/test.h"

static void scalars_are_text_and_all_else_is_none(void)
{
    static const struct {
        const char *pointer;
        const char *text; /* NULL: none */
    } rows[] = {
        { "/a", "x\ny" }, { "/b/1", "12.50" }, { "/b/0", "true" }, { "/b/2", NULL },
        { "/c", NULL },   { "/b", NULL },      { "/d", NULL },     { "/none/x", NULL },
        { "/a/x", NULL }, { "", NULL },
    };
    struct arena *arena = arena_create();
    struct json_object *record = NULL;
    struct error err = { 0 };

    CHECK(json_read_in(arena, STR("{\"a\":\"x\\ny\",\"b\":[true,12.50,null],\"c\":\"\",\"d\":{}}"),
                       NULL, &record, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_pointer *pointer = NULL;
        struct str text;

        TEST_CASE(*rows[i].pointer ? rows[i].pointer : "the root");
        CHECK(json_pointer_create(str_from_c(rows[i].pointer), &pointer, &err));
        text = record_text(record, pointer, arena);
        CHECK_INT(text.ptr != NULL, rows[i].text != NULL);
        if (rows[i].text)
            CHECK_STR(text, rows[i].text);
        json_pointer_destroy(pointer);
    }
    arena_destroy(arena);
}

int main(void)
{
    RUN(scalars_are_text_and_all_else_is_none);
    return test_end();
}
