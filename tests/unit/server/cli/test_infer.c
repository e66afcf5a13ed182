/*
 * test_infer.c - the schema and the transform that are proposed for values.
 *
 * tests/e2e/test_infer.py shows that the schema accepts its samples and that the transform takes
 * them.
 */
#include "server/cli/infer.h"

#include "tests/unit/test.h"
#include "tests/unit/tree.h"

enum { OUTPUT_MAX = 1000000, MANY = 501 };

struct proposal_case {
    const char *name;
    const char *values; /* an array of payloads */
    const char *expected;
};

static void check_proposals(const struct proposal_case *cases, size_t count,
                            void (*propose)(struct buf *out, const struct shape *shape))
{
    for (size_t i = 0; i < count; i++) {
        struct arena *arena = arena_create();
        struct shape *shape = shape_create(arena);
        const struct flat *values = tree_of(cases[i].values);
        struct buf out;

        TEST_CASE(cases[i].name);
        buf_init(&out, OUTPUT_MAX);
        for (FLAT_EACH(value, values))
            shape_add(shape, value);
        propose(&out, shape);
        CHECK_STR(buf_str(&out), cases[i].expected);
        buf_done(&out);
        arena_destroy(arena);
    }
}

/* The schema, compact and without `$schema`. */
static void propose_schema(struct buf *out, const struct shape *shape)
{
    static const char dialect[] = "\"$schema\":\"http://json-schema.org/draft-07/schema#\",";
    struct arena *arena = arena_create();
    struct buf *pretty = arena_buf(arena, OUTPUT_MAX);
    struct str text;

    infer_write_schema(pretty, shape);
    text = flat_text(arena, tree_read(buf_str(pretty), NULL));
    CHECK(str_starts_with(str_from(text, 1), str_from_c(dialect)));
    buf_add_char(out, '{');
    buf_add(out, str_from(text, sizeof(dialect)));
    arena_destroy(arena);
}

static void schemas_say_what_the_values_have_in_common(void)
{
    static const struct proposal_case cases[] = {
        { "each type", "[null,true,1,\"x\",[],{}]",
          "{\"type\":[\"null\",\"boolean\",\"integer\",\"string\",\"array\",\"object\"]}" },
        { "an integer is a number", "[1,1.5]", "{\"type\":\"number\"}" },
        { "an integer", "[1,2]", "{\"type\":\"integer\"}" },
        { "what is always there", "[{\"a\":1,\"b\":2},{\"a\":3}]",
          "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"integer\"},"
          "\"b\":{\"type\":\"integer\"}}}" },
        { "nothing is always there", "[{\"a\":1},{}]",
          "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}" },
        { "beside values of other types", "[{\"a\":1},5]",
          "{\"type\":[\"integer\",\"object\"],\"required\":[\"a\"],"
          "\"properties\":{\"a\":{\"type\":\"integer\"}}}" },
        { "elements of all arrays", "[[1],[\"x\",null],[]]",
          "{\"type\":\"array\",\"items\":{\"type\":[\"null\",\"integer\",\"string\"]}}" },
        { "a format", "[\"2026-11-20T08:00:00Z\",\"2026-11-20T08:00:00.5+01:00\"]",
          "{\"type\":\"string\",\"format\":\"date-time\"}" },
        { "the first of several formats", "[\"2026-11-20\"]",
          "{\"type\":\"string\",\"format\":\"date\"}" },
        { "an address", "[\"a@example.com\"]", "{\"type\":\"string\",\"format\":\"email\"}" },
        { "no format that one string misses", "[\"2026-11-20\",\"x\"]", "{\"type\":\"string\"}" },
        { "few texts that come again", "[\"a\",\"b\",\"a\",\"b\",\"a\",\"b\"]",
          "{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}" },
        { "and null", "[\"a\",\"a\",null,\"a\"]",
          "{\"type\":[\"null\",\"string\"],\"enum\":[\"a\",null]}" },
        { "texts that do not come again often", "[\"a\",\"b\",\"a\",\"b\",\"a\"]",
          "{\"type\":\"string\"}" },
        { "too many texts for an enum",
          "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"a\",\"b\","
          "\"c\",\"d\",\"e\",\"f\"]",
          "{\"type\":\"string\"}" },
        { "a text that is too long for an enum",
          "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"b\",\"b\",\"b\",\"b\",\"b\"]",
          "{\"type\":\"string\"}" },
        { "no enum among other types", "[\"a\",\"a\",\"a\",1]",
          "{\"type\":[\"integer\",\"string\"]}" },
        { "names with escapes", "[{\"q\\\"\":null}]",
          "{\"type\":\"object\",\"required\":[\"q\\\"\"],"
          "\"properties\":{\"q\\\"\":{\"type\":\"null\"}}}" },
    };

    check_proposals(cases, COUNT_OF(cases), propose_schema);
}

#define TRANSFORM(count)                                                                           \
    "# Proposed from " count " events: keep what the record needs, and give it good names.\n"      \
    "# docs/transforms.md describes what a field may have.\nfields:\n"

static void transforms_have_a_field_for_each_value(void)
{
    static const struct proposal_case cases[] = {
        { "what is always there", "[{\"id\":1,\"createdAt\":\"2026-11-20\"}]",
          TRANSFORM("1") "  - { name: id, from: /id } # integer\n"
                         "  - { name: created_at, from: /createdAt } # date\n" },
        { "what is not", "[{\"id\":1},{}]",
          TRANSFORM("2") "  - { name: id, from: /id, default: null } # integer, in 1 of 2\n" },
        { "each type",
          "[{\"a\":true,\"b\":1.5,\"c\":\"x\",\"d\":null,\"e\":[1],\"f\":{}},"
          "{\"a\":null,\"b\":2,\"c\":\"y\",\"d\":null,\"e\":[],\"f\":{}}]",
          TRANSFORM("2") "  - { name: a, from: /a } # boolean or null\n"
                         "  - { name: b, from: /b } # of several types\n"
                         "  - { name: c, from: /c } # text\n"
                         "  - { name: d, from: /d } # null\n"
                         "  - { name: e, from: /e } # array\n"
                         "  - { name: f, from: /f } # object\n" },
        { "objects in objects", "[{\"a\":{\"b\":{\"c\":1}}}]",
          TRANSFORM("1") "  - { name: a_b_c, from: /a/b/c } # integer\n" },
        { "an object that may be null", "[{\"a\":{\"b\":1}},{\"a\":null}]",
          TRANSFORM("2") "  - { name: a_b, from: /a/b, skip: \"null\", default: null } "
                         "# integer, in 1 of 2\n" },
        { "an object that may be something else", "[{\"a\":{\"b\":1}},{\"a\":5}]",
          TRANSFORM("2") "  - { name: a, from: /a } # of several types\n" },
        { "an array of objects", "[{\"l\":[{\"x\":1},{\"x\":2,\"y\":3}]}]",
          TRANSFORM("1") "  - name: l\n    each: /l\n    fields:\n"
                         "      - { name: x, from: /x } # integer\n"
                         "      - { name: y, from: /y, default: null } # integer, in 1 of 2\n" },
        { "one that may be null or absent", "[{\"l\":[{\"x\":1}]},{\"l\":null},{}]",
          TRANSFORM("3") "  - name: l\n    each: /l\n    skip: \"null\"\n    default: []\n"
                         "    fields:\n      - { name: x, from: /x } # integer\n" },
        { "names that are not bare",
          "[{\"a b\":1,\"a/b\":2,\"\":3,\"1\":4,\"true\":5,\"\\u00e4\":6}]",
          TRANSFORM("1") "  - { name: a_b, from: \"/a b\" } # integer\n"
                         "  - { name: a_b_2, from: \"/a~1b\" } # integer\n"
                         "  - { name: value, from: / } # integer\n"
                         "  - { name: \"1\", from: /1 } # integer\n"
                         "  - { name: \"true\", from: /true } # integer\n"
                         "  - { name: __, from: \"/\xC3\xA4\" } # integer\n" },
        { "characters that YAML does not take as they are", "[{\"a\\u007f\\u0085\\uffff\":1}]",
          TRANSFORM("1") "  - { name: a______, from: \"/a\\u007f\\u0085\\uffff\" } # integer\n" },
        { "a payload that is a scalar", "[1]",
          TRANSFORM("1") "  - { name: value, from: \"\" } # integer\n" },
    };

    check_proposals(cases, COUNT_OF(cases), infer_write_transform);
}

static void many_names_are_a_map(void)
{
    struct arena *arena = arena_create();
    struct shape *shape = shape_create(arena);
    struct buf *text = arena_buf(arena, OUTPUT_MAX);
    struct buf out;

    for (int i = 0; i < MANY; i++)
        buf_printf(text, "%s\"k%d\":%d", i > 0 ? "," : "{\"m\":{", i, i);
    buf_add(text, STR("}}"));
    shape_add(shape, tree_read(buf_str(text), NULL));
    shape_add(shape, tree_read(buf_str(text), NULL));
    buf_init(&out, OUTPUT_MAX);
    propose_schema(&out, shape);
    CHECK_STR(buf_str(&out), "{\"type\":\"object\",\"required\":[\"m\"],"
                             "\"properties\":{\"m\":{\"type\":\"object\"}}}");
    buf_clear(&out);
    infer_write_transform(&out, shape);
    CHECK_STR(buf_str(&out), TRANSFORM("2") "  - { name: m, from: /m } # object\n");
    buf_done(&out);
    arena_destroy(arena);
}

int main(void)
{
    RUN(schemas_say_what_the_values_have_in_common);
    RUN(transforms_have_a_field_for_each_value);
    RUN(many_names_are_a_map);
    trees_end();
    return test_end();
}
