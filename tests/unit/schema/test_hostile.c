/*
 * test_hostile.c - schemas and instances made to be expensive: the time they take is bounded.
 *
 * The bounds leave ten times and more of room, since sanitizers and busy machines are slow; what
 * they keep out is the quadratic and the exponential, which would take minutes.
 */
#include "base/clock.h"
#include "schema/schema.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

enum { MANY = 100000, PATIENCE_US = 60 * 1000 * 1000, BUDGET_US = 20 * 1000 };

/* `before`, `count` times `piece` with its number for # (## is a #), commas between, `after`. */
static struct str repeat(struct arena *arena, const char *before, const char *piece, int count,
                         const char *after)
{
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_add(out, str_from_c(before));
    for (int i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        for (const char *at = piece; *at; at++) {
            if (*at == '#' && at[1] != '#')
                buf_add_int(out, i);
            else
                buf_add_char(out, *at);
            at += str_starts_with(str_from_c(at), STR("##"));
        }
    }
    buf_add(out, str_from_c(after));
    return buf_str(out);
}

/* The verdict, reached in little CPU time; without a budget if it is 0. */
static enum schema_verdict verdict(struct str schema_text, struct str instance_text,
                                   int64_t budget_us)
{
    const struct flat *document = tree_read(schema_text, NULL);
    const struct flat *instance = tree_read(instance_text, NULL);
    int64_t start = clock_thread_us();
    enum schema_verdict result = SCHEMA_TOO_EXPENSIVE;
    struct schema *schema = NULL;
    struct error err = { 0 };
    bool ok = schema_compile(document, NULL, &schema, &err);

    test_check(ok, err.text, __FILE__, __LINE__);
    if (ok) {
        struct schema_budget budget = schema_budget(budget_us);

        result = schema_check(schema, instance, &budget);
    }
    CHECK(clock_thread_us() - start < PATIENCE_US);
    schema_destroy(schema);
    return result;
}

static void many_values_take_linear_time(void)
{
    struct arena *arena = arena_create();
    struct str members = repeat(arena, "{", "\"k#\":#", MANY, "}");
    struct str few = repeat(arena, "{", "\"k#\":#", MANY / 200, "}");
    struct str tracked = repeat(arena, "{\"unevaluatedProperties\":false,\"allOf\":[",
                                "{\"properties\":{\"k#\":true}}", MANY / 200, "]}");
    struct str numbers = repeat(arena, "[", "#", MANY, "]");
    struct str objects = repeat(arena, "[", "{\"k\":#}", MANY, "]");
    struct str names = repeat(arena, "{\"enum\":[", "\"k#\"", MANY, "]}");
    struct str links =
        repeat(arena, "{\"enum\":[", "\"https://example.com/#/description\"", MANY, "]}");
    struct str values = repeat(arena, "{\"items\":{\"enum\":[", "#", MANY, "]}}");
    struct str pairs = repeat(arena, "{\"items\":{\"enum\":[", "{\"k\":#}", MANY, "]}}");
    struct str properties = repeat(arena, "{\"properties\":{", "\"k#\":{\"type\":\"integer\"}",
                                   MANY / 10, "},\"additionalProperties\":{\"minimum\":0}}");

    CHECK(verdict(STR("{\"additionalProperties\":{\"type\":\"integer\"}}"), members, 0) ==
          SCHEMA_VALID);
    CHECK(verdict(STR("{\"properties\":{\"k99999\":false}}"), members, 0) == SCHEMA_INVALID);
    CHECK(verdict(STR("{\"unevaluatedProperties\":{\"type\":\"integer\"}}"), members, 0) ==
          SCHEMA_VALID);
    CHECK(verdict(tracked, members, 0) == SCHEMA_INVALID);
    CHECK(verdict(tracked, few, 0) == SCHEMA_VALID);
    CHECK(verdict(STR("{\"propertyNames\":{\"minLength\":2}}"), members, 0) == SCHEMA_VALID);
    CHECK(verdict(properties, members, 0) == SCHEMA_VALID);
    CHECK(verdict(STR("{\"uniqueItems\":true}"), numbers, 0) == SCHEMA_VALID);
    CHECK(verdict(STR("{\"uniqueItems\":true}"), objects, 0) == SCHEMA_VALID);
    CHECK(verdict(names, STR("\"k99999\""), 0) == SCHEMA_VALID);
    CHECK(verdict(names, STR("\"k100000\""), 0) == SCHEMA_INVALID);
    CHECK(verdict(links, STR("\"https://example.com/99999/description\""), 0) == SCHEMA_VALID);
    CHECK(verdict(values, numbers, 0) == SCHEMA_VALID);
    CHECK(verdict(values, STR("[99999,500.0,100000]"), 0) == SCHEMA_INVALID);
    CHECK(verdict(pairs, objects, 0) == SCHEMA_VALID);
    CHECK(verdict(pairs, STR("[{\"k\":1.0},{\"k\":\"1\"}]"), 0) == SCHEMA_INVALID);
    arena_destroy(arena);
}

/* Each definition refers to the next. */
static void a_long_chain_of_references_is_followed(void)
{
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_add(out, STR("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"));
    for (int i = 0; i < MANY / 10; i++)
        buf_printf(out, "\"d%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i + 1);
    buf_printf(out, "\"d%d\":{\"type\":\"null\"}}}", MANY / 10);
    CHECK(verdict(buf_str(out), STR("null"), 0) == SCHEMA_VALID);
    CHECK(verdict(buf_str(out), STR("1"), 0) == SCHEMA_INVALID);
    arena_destroy(arena);
}

/* As many names as references to them, by two ways. */
static void many_anchors_are_found_again(void)
{
    struct arena *arena = arena_create();
    struct str refs = repeat(arena, "", "{\"$ref\":\"##n#\"}", MANY, "");
    struct str names = repeat(arena, "", "\"d#\":{\"$anchor\":\"n#\"}", MANY, "");
    struct str ids = repeat(arena, "", "{\"$ref\":\"n#\"}", MANY / 4, "");
    struct str resources = repeat(arena, "", "\"d#\":{\"$id\":\"n#\"}", MANY / 4, "");
    struct str schema = arena_printf(arena, "{\"allOf\":[%.*s],\"anyOf\":[%.*s],\"$defs\":{%.*s}}",
                                     STR_ARG(refs), STR_ARG(refs), STR_ARG(names));
    struct str whole =
        arena_printf(arena, "{\"$id\":\"http://h/\",\"allOf\":[%.*s],\"$defs\":{%.*s}}",
                     STR_ARG(ids), STR_ARG(resources));

    CHECK(verdict(schema, STR("1"), 0) == SCHEMA_VALID);
    CHECK(verdict(whole, STR("1"), 0) == SCHEMA_VALID);
    arena_destroy(arena);
}

/* Each of many dynamic references may mean any of many places; the list of them is kept once. */
static void many_dynamic_references_share_their_targets(void)
{
    struct arena *arena = arena_create();
    struct str schema = repeat(arena, "{\"$id\":\"http://h/\",\"$ref\":\"n0\",\"$defs\":{",
                               "\"d#\":{\"$id\":\"n#\",\"$dynamicAnchor\":\"x\",\"properties\":"
                               "{\"a\":{\"$dynamicRef\":\"##x\"}}}",
                               MANY / 4, "}}");
    struct str refs = repeat(arena, "", "{\"$ref\":\"n#\"}", MANY / 4, "");
    struct str all = arena_printf(arena, "%.*s,\"anyOf\":[%.*s]}", (int)schema.len - 1, schema.ptr,
                                  STR_ARG(refs));

    CHECK(verdict(all, STR("{\"a\":{\"a\":1}}"), 0) == SCHEMA_VALID);
    arena_destroy(arena);
}

/* Two branches for each level would be 2^60 checks. */
static void branches_that_multiply_end_with_the_budget(void)
{
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_add(out, STR("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"));
    for (int i = 0; i < 60; i++)
        buf_printf(out,
                   "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},",
                   i, i + 1, i + 1);
    buf_add(out, STR("\"d60\":{\"type\":\"null\"}}}"));
    CHECK(verdict(buf_str(out), STR("1"), BUDGET_US) == SCHEMA_TOO_EXPENSIVE);
    CHECK(verdict(buf_str(out), STR("null"), BUDGET_US) == SCHEMA_VALID);
    arena_destroy(arena);
}

static void backtracking_ends_with_a_limit(void)
{
    struct arena *arena = arena_create();
    struct str text = repeat(arena, "\"", "a", 1, "");
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_add(out, text);
    for (int i = 0; i < 1000; i++)
        buf_add_char(out, 'a');
    buf_add(out, STR("!\""));
    CHECK(verdict(STR("{\"pattern\":\"^(a+)+$\"}"), buf_str(out), 0) == SCHEMA_TOO_EXPENSIVE);
    CHECK(verdict(STR("{\"pattern\":\"^(a|a)*$\"}"), buf_str(out), 0) == SCHEMA_TOO_EXPENSIVE);
    arena_destroy(arena);
}

/* Each alone stays below a pattern's own limit; together they would take minutes. */
static void many_searches_share_one_budget(void)
{
    struct arena *arena = arena_create();
    struct str texts = repeat(arena, "[", "\"aaaaaaaaaaaaaaaa!\"", MANY / 2, "]");

    CHECK(verdict(STR("{\"items\":{\"not\":{\"pattern\":\"^(a+)+$\"}}}"), texts, BUDGET_US) ==
          SCHEMA_TOO_EXPENSIVE);
    arena_destroy(arena);
}

/* What a back-reference compares is no step of the search: half of the text, half a million times.
 */
static void back_references_end_with_a_limit(void)
{
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_add_char(out, '"');
    for (int i = 0; i < 20 * MANY; i++)
        buf_add(out, STR("ab"));
    buf_add_char(out, '"');
    CHECK(verdict(STR("{\"pattern\":\"^(.*)\\\\1\\\\1\\\\1x\"}"), buf_str(out), 0) ==
          SCHEMA_TOO_EXPENSIVE);
    arena_destroy(arena);
}

/* On every level of 200 the same many values are hashed again. */
static void hashing_whole_values_counts(void)
{
    enum { LEVELS = 200, LEVEL_BUDGET_US = 100 * 1000 };
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, SIZE_MAX);

    for (int i = 0; i < LEVELS; i++)
        buf_add_char(out, '[');
    buf_add(out, repeat(arena, "", "#", 3 * MANY, ""));
    for (int i = 0; i < LEVELS; i++)
        buf_add(out, STR("],1,2,3,4,5,6,7,8"));
    out->len -= sizeof(",1,2,3,4,5,6,7,8") - 1;
    CHECK(verdict(STR("{\"items\":{\"$ref\":\"#\"},\"uniqueItems\":true}"), buf_str(out),
                  LEVEL_BUDGET_US) == SCHEMA_TOO_EXPENSIVE);
    arena_destroy(arena);
}

/* Schemas within each other, which a message may quote: each is kept once. */
static void nested_schemas_are_kept_once(void)
{
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, SIZE_MAX);

    buf_add(out, STR("{\"allOf\":["));
    for (int i = 0; i < 200; i++) {
        for (int j = 0; j < 500; j++)
            buf_add(out, STR("{\"not\":"));
        buf_add(out, i == 0 ? STR("true") : STR("{}"));
        for (int j = 0; j < 500; j++)
            buf_add_char(out, '}');
        buf_add(out, i < 199 ? STR(",") : STR("]}"));
    }
    CHECK(verdict(buf_str(out), STR("1"), 0) == SCHEMA_VALID);
    arena_destroy(arena);
}

static void deep_instances_are_walked(void)
{
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, SIZE_MAX);

    for (int i = 0; i < JSON_DEPTH_LIMIT; i++)
        buf_add_char(out, '[');
    for (int i = 0; i < JSON_DEPTH_LIMIT; i++)
        buf_add_char(out, ']');
    CHECK(verdict(STR("{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"uniqueItems\":true}"),
                  buf_str(out), 0) == SCHEMA_VALID);
    arena_destroy(arena);
}

int main(void)
{
    RUN(many_values_take_linear_time);
    RUN(a_long_chain_of_references_is_followed);
    RUN(many_anchors_are_found_again);
    RUN(many_dynamic_references_share_their_targets);
    RUN(branches_that_multiply_end_with_the_budget);
    RUN(backtracking_ends_with_a_limit);
    RUN(back_references_end_with_a_limit);
    RUN(hashing_whole_values_counts);
    RUN(many_searches_share_one_budget);
    RUN(nested_schemas_are_kept_once);
    RUN(deep_instances_are_walked);
    trees_end();
    return test_end();
}
