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

static void names_look_into_arrays_only_behind_what_is_exact(void)
{
    static const char schema[] =
        "{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
        "\"properties\":{\"b\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
        "\"properties\":{\"c\":{}}," CLOSED "}}}," CLOSED "}}}}";
    const struct schema_reach_options options = { .through_arrays = true, .exact = 4 };

    CHECK(!schema_reach(tree_of(schema), STR("/a/0/b/c"), &options).ptr);
    CHECK_STR(schema_reach(tree_of(schema), STR("/a/0/c"), &options), "/a/0/c");
    CHECK_STR(schema_reach(tree_of(schema), STR("/a/0/0/b"), &options), "/a/0/0");
}

#define A(schema) "{\"type\":\"object\",\"properties\":{\"a\":" schema "}}"

static void values_are_ruled_out_by_type_enum_and_const(void)
{
    static const struct {
        const char *schema;
        const char *value; /* at /a; one letter: any of a kind */
        bool is_ruled_out;
    } cases[] = {
        { A("{}"), "1", false },
        { A("true"), "1", false },
        { A("{\"type\":\"string\"}"), "1", true },
        { A("{\"type\":\"string\"}"), "\"x\"", false },
        { A("{\"type\":\"string\"}"), "null", true },
        { A("{\"type\":\"boolean\"}"), "true", false },
        { A("{\"type\":[\"null\",\"integer\"]}"), "null", false },
        { A("{\"type\":[\"null\",\"integer\"]}"), "1.0", false },
        { A("{\"type\":[\"null\",\"integer\"]}"), "\"1\"", true },
        { A("{\"type\":\"number\"}"), "1", false },
        { A("{\"type\":\"array\"}"), "1", false },
        { A("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"), "1", true },
        { A("{\"type\":\"array\",\"items\":{\"enum\":[1]}}"), "1", false },
        { A("{\"type\":\"array\",\"items\":[{\"type\":\"string\"}]}"), "1", false },
        { A("{\"type\":\"object\"}"), "1", true },
        { A("{\"enum\":[1,\"x\"]}"), "1.0", false },
        { A("{\"enum\":[1,\"x\"]}"), "2", true },
        { A("{\"enum\":[1,\"x\"]}"), "\"x\"", false },
        { A("{\"enum\":[1,[2]]}"), "2", false },
        { A("{\"enum\":1}"), "2", false },
        { A("{\"const\":1}"), "2", true },
        { A("{\"const\":1}"), "1", false },
        { "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"type\":\"object\","
          "\"properties\":{\"a\":{\"const\":1}}}",
          "2", false },
        { A("{\"anyOf\":[{\"const\":1},{\"const\":2}]}"), "2", false },
        { A("{\"anyOf\":[{\"const\":1},{\"const\":2}]}"), "3", true },
        { A("{\"allOf\":[{\"type\":\"integer\"},{}]}"), "\"x\"", true },
        { A("{\"enum\":[1,true]}"), "s", true },
        { A("{\"enum\":[1,\"x\"]}"), "s", false },
        { A("{\"enum\":[\"x\"]}"), "n", true },
        { A("{\"enum\":[\"x\",1]}"), "n", false },
        { A("{\"type\":\"integer\"}"), "n", false },
        { A("{\"type\":\"integer\"}"), "s", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool is_any = cases[i].value[0] == 's' || (cases[i].value[0] == 'n' && !cases[i].value[1]);
        const struct flat *value = is_any ? NULL : tree_of(cases[i].value);
        const struct schema_reach_value wanted = {
            value                      ? flat_kind(value)
            : cases[i].value[0] == 's' ? JSON_STRING
                                       : JSON_NUMBER,
            value,
        };
        const struct schema_reach_options options = { .through_arrays = true, .value = &wanted };

        TEST_CASE(cases[i].schema);
        CHECK_INT(schema_reach(tree_of(cases[i].schema), STR("/a"), &options).ptr != NULL,
                  cases[i].is_ruled_out);
    }
}

int main(void)
{
    RUN(what_is_ruled_out_is_certain);
    RUN(names_of_patterns_look_into_arrays);
    RUN(a_small_schema_may_be_a_large_tree);
    RUN(names_look_into_arrays_only_behind_what_is_exact);
    RUN(values_are_ruled_out_by_type_enum_and_const);
    trees_end();
    return test_end();
}
