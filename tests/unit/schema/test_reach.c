/*
 * test_reach.c - claims about schema/reach.h.
 */
#include "schema/reach.h"

#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define CLOSED "\"additionalProperties\":false"
#define NEW    "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","

static void what_is_ruled_out_is_certain(void)
{
    static const struct {
        const char *schema;
        const char *pointer;
        const char *found; /* NULL: a value is possible */
    } cases[] = {
        { "true", "/a", NULL },
        { "false", "/a", "" },
        { "{}", "/a/0/b", NULL },
        { "{" CLOSED "}", "/a", "/a" }, /* arrays have no member a */
        { "{" CLOSED "}", "/0", NULL },
        { "{\"type\":\"object\"," CLOSED "}", "/0", "/0" },
        { "{\"properties\":{\"a\":{}}," CLOSED "}", "/a/b", NULL },
        { "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "/a", NULL },
        { "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "/a/b/c", "/a/b" },
        { "{\"properties\":{\"a\":{\"type\":[\"string\",\"object\"]}}}", "/a/b", NULL },
        { "{\"properties\":{\"a\":{\"type\":[\"string\",\"array\"]}}}", "/a/b", "/a/b" },
        { "{\"properties\":{\"a\":{\"type\":\"array\"}}}", "/a/0", NULL },
        { "{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}",
          "/a/0/b", "/a/0/b" },
        { "{\"properties\":{\"a\":{\"type\":\"array\",\"items\":[{\"type\":\"integer\"}]}}}",
          "/a/0/b", NULL },
        { "{\"properties\":{\"a\":{\"type\":\"array\",\"prefixItems\":[{}],\"items\":false}}}",
          "/a/0", NULL },
        { "{\"properties\":{\"a\":false}}", "/a", "/a" },
        { "{\"additionalProperties\":{\"type\":\"integer\"}}", "/a/b", "/a/b" },
        { "{\"patternProperties\":{\"^a\":{}}," CLOSED "}", "/a", NULL },
        { "{\"allOf\":[{},{" CLOSED "}]}", "/a", "/a" },
        { "{\"anyOf\":[{},{" CLOSED "}]}", "/a", NULL },
        { "{\"anyOf\":[{\"type\":\"null\"},{" CLOSED "}]}", "/a", "/a" },
        { "{\"oneOf\":[]}", "/a", NULL },
        { "{\"not\":{},\"if\":{" CLOSED "}}", "/a", NULL },
        { "{\"properties\":{\"a\":{\"$ref\":\"#/definitions/x\"}},\"definitions\":{\"x\":{" CLOSED
          "}}}",
          "/a/b", "/a/b" },
        { "{\"properties\":{\"a\":{\"$ref\":\"#/definitions/x\"," CLOSED
          "}},\"definitions\":{\"x\":{}}}",
          "/a/b", NULL },
        { "{" NEW "\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"," CLOSED
          "}},\"$defs\":{\"x\":{}}}",
          "/a/b", "/a/b" },
        { "{\"$ref\":\"#\"}", "/a", NULL },
        { "{\"properties\":{\"a\":{\"$ref\":\"other.json\"}}}", "/a/b", NULL },
        { "{\"properties\":{\"a\":{\"$ref\":\"#x\"}}}", "/a/b", NULL },
        { "{\"properties\":{\"a\":{\"$id\":\"http://x/y\"," CLOSED "}}}", "/a/b", NULL },
        { "{\"properties\":{\"a/b\":{\"type\":\"null\"}}}", "/a~1b/c", "/a~1b/c" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str found =
            schema_reach(tree_of(cases[i].schema), str_from_c(cases[i].pointer), NULL);

        TEST_CASE(cases[i].schema);
        CHECK_INT(found.ptr != NULL, cases[i].found != NULL);
        CHECK_STR(found, cases[i].found ? cases[i].found : "");
    }
}

static void names_of_patterns_look_into_arrays(void)
{
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
        "\"array\","
        "\"items\":{\"type\":\"object\",\"properties\":{\"b\":{}}," CLOSED "}}}}}";
    const struct schema_reach_options options = { .through_arrays = true };

    CHECK(!schema_reach(tree_of(schema), STR("/a/b"), &options).ptr);
    CHECK_STR(schema_reach(tree_of(schema), STR("/a/c/d"), &options), "/a/c");
    CHECK_STR(schema_reach(tree_of(schema), STR("/a/b"), NULL), "/a/b");
}

/* Each definition names the next one twice: as a tree it has 2^40 schemas. */
static void a_small_schema_may_be_a_large_tree(void)
{
    CLEANUP(buf_done) struct buf schema;

    buf_init(&schema, SIZE_MAX);
    buf_add(&schema, STR("{" NEW "\"$ref\":\"#/$defs/0\",\"$defs\":{"));
    for (int i = 0; i < 40; i++)
        buf_printf(&schema,
                   "\"%d\":{\"allOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]},", i,
                   i + 1, i + 1);
    buf_add(&schema, STR("\"40\":{}}}"));
    buf_add_char(&schema, '\0');
    CHECK(!schema_reach(tree_of(schema.ptr), STR("/a/b"), NULL).ptr);
}

int main(void)
{
    RUN(what_is_ruled_out_is_certain);
    RUN(names_of_patterns_look_into_arrays);
    RUN(a_small_schema_may_be_a_large_tree);
    trees_end();
    return test_end();
}
