/*
 * test_check.c - yes and no at the edges: numbers, lengths, members, evaluated, budgets, depth.
 *
 * The keywords as such are the official suite's business (tests/conformance).
 */
#include <pthread.h>

#include "base/clock.h"
#include "schema/schema.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static struct schema *compile(const char *text, struct json_symbols *symbols)
{
    const struct schema_options options = { .symbols = symbols };
    const struct flat *document = tree_of(text);
    struct schema *schema = NULL;
    struct error err = { 0 };
    bool ok = schema_compile(document, &options, &schema, &err);

    test_check(ok, err.text, __FILE__, __LINE__);
    return schema;
}

/* The verdict with and without symbols, which must agree. */
static enum schema_verdict verdict(const char *schema_text, struct str instance_text)
{
    struct schema *plain = compile(schema_text, NULL);
    struct json_symbols *symbols = json_symbols_create(1 << 20);
    struct schema *schema = compile(schema_text, symbols);
    const struct flat *instance = tree_read(instance_text, NULL);
    const struct flat *known = tree_read(instance_text, symbols);
    enum schema_verdict result = schema_check(plain, instance, NULL);

    CHECK(schema_check(schema, known, NULL) == result);
    CHECK(schema_check(schema, instance, NULL) == result);
    schema_destroy(schema);
    schema_destroy(plain);
    json_symbols_destroy(symbols);
    return result;
}

static const struct {
    const char *schema;
    const char *instance;
    bool valid;
} edges[] = {
    /* Numbers are exact, whatever their length. */
    { "{\"maximum\":9007199254740992}", "9007199254740993", false },
    { "{\"maximum\":9007199254740992.0}", "9007199254740993", false },
    { "{\"maximum\":9223372036854775807}", "9223372036854775807", true },
    { "{\"maximum\":9223372036854775807}", "9223372036854775808", false },
    { "{\"exclusiveMinimum\":18446744073709551615}", "18446744073709551616", true },
    { "{\"minimum\":-9223372036854775808}", "-9223372036854775808", true },
    { "{\"const\":1}", "1.0", true },
    { "{\"const\":1}", "true", false },
    { "{\"enum\":[0]}", "false", false },
    { "{\"enum\":[[1]]}", "[1.0]", true },
    { "{\"enum\":[[true]]}", "[1]", false },
    { "{\"type\":\"integer\"}", "1.0", true },
    { "{\"type\":\"integer\"}", "1e2", true },
    { "{\"type\":\"integer\"}", "123456789012345678901234567890", true },
    { "{\"type\":\"integer\"}", "1.5", false },
    { "{\"type\":\"integer\"}", "1e400", false },
    { "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"type\":\"integer\"}", "1.0",
      false },
    { "{\"type\":[\"integer\",\"number\"]}", "1.5", true },
    { "{\"multipleOf\":0.01}", "4.35", false }, /* as Python computes it */
    { "{\"multipleOf\":0.0001}", "0.0075", true },
    { "{\"multipleOf\":3}", "9223372036854775807", false },
    { "{\"multipleOf\":7}", "9223372036854775807", true },
    /* Lengths count characters, not bytes. */
    { "{\"minLength\":2}", "\"\xF0\x9F\x92\xA9\"", false },
    { "{\"minLength\":2}", "\"\xF0\x9F\x92\xA9\xF0\x9F\x92\xA9\"", true },
    { "{\"maxLength\":1}", "\"\xF0\x9F\x92\xA9\"", true },
    { "{\"maxLength\":1}", "\"ab\"", false },
    { "{\"minLength\":1.0}", "\"\"", false },
    { "{\"minLength\":1e30}", "\"abc\"", false },
    { "{\"maxItems\":1e30}", "[1]", true },
    /* A NUL is a character like any other. */
    { "{\"const\":\"a\\u0000b\"}", "\"a\\u0000b\"", true },
    { "{\"const\":\"a\\u0000b\"}", "\"a\\u0000c\"", false },
    /* null as value and as instance. */
    { "{\"const\":null}", "null", true },
    { "{\"enum\":[null]}", "0", false },
    { "{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"a\":null}", true },
    { "{\"required\":[\"a\"]}", "{\"a\":null}", true },
    /* A pattern may stand at several places. */
    { "{\"items\":{\"pattern\":\"^[a-c]\"},\"contains\":{\"pattern\":\"^[a-c]\"}}", "[\"a\"]",
      true },
    { "{\"prefixItems\":[{\"pattern\":\"^[a-c]\"},{\"pattern\":\"^[d-f]\"},{\"pattern\":\"^[a-c]\"}"
      "]}",
      "[\"a\",\"d\",\"a\"]", true },
    { "{\"prefixItems\":[{\"pattern\":\"^[a-c]\"},{\"pattern\":\"^[d-f]\"},{\"pattern\":\"^[a-c]\"}"
      "]}",
      "[\"a\",\"d\",\"d\"]", false },
    { "{\"patternProperties\":{\"^[a-c]\":{\"pattern\":\"^[a-c]\"}}}", "{\"a\":\"d\"}", false },
    /* Members. */
    { "{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", true },
    { "{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"b\":1}", false },
    { "{\"required\":[\"a\"],\"additionalProperties\":false}", "{\"a\":1}", false },
    { "{\"properties\":{\"ab\":{\"type\":\"integer\"}},\"patternProperties\":{\"^a\":"
      "{\"minimum\":5}}}",
      "{\"ab\":1}", false },
    { "{\"properties\":{\"a\":false}}", "{\"a\":1}", false },
    { "{\"propertyNames\":{\"maxLength\":1}}", "{\"a\":1,\"bc\":1}", false },
    { "{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}", false },
    /* A large open object is looked into, not walked. */
    { "{\"properties\":{\"x\":{\"type\":\"integer\"}},\"required\":[\"x\"]}",
      "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"x\":\"\"}", false },
    { "{\"properties\":{\"x\":{\"type\":\"integer\"}},\"required\":[\"x\"]}",
      "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"x\":1}", true },
    { "{\"required\":[\"x\"]}", "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1}",
      false },
    /* Branches of allOf that list properties, beside those of the node. */
    { "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}},\"required\":[\"a\"]},"
      "{\"properties\":{\"b\":{\"type\":\"null\"}}}]}",
      "{\"a\":null,\"b\":1}", false },
    { "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}},\"required\":[\"a\"]},"
      "{\"properties\":{\"b\":{\"type\":\"null\"}}}]}",
      "{\"b\":null}", false },
    { "{\"properties\":{\"a\":{\"minimum\":1}},\"allOf\":[{\"properties\":{\"a\":{"
      "\"maximum\":5}}}]}",
      "{\"a\":6}", false },
    { "{\"properties\":{\"a\":{\"minimum\":1}},\"allOf\":[{\"properties\":{\"a\":{"
      "\"maximum\":5}}}]}",
      "{\"a\":0}", false },
    { "{\"properties\":{\"a\":true},\"allOf\":[{\"type\":\"object\"}]}", "1", false },
    { "{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":true}}]}", "1", false },
    { "{\"type\":\"integer\",\"allOf\":[{\"type\":\"number\",\"properties\":{\"a\":true}}]}", "1.0",
      true },
    { "{\"additionalProperties\":false,\"allOf\":[{\"properties\":{\"a\":true}}]}", "{\"a\":1}",
      false },
    { "{\"allOf\":[{\"properties\":{\"a\":true},\"additionalProperties\":false},"
      "{\"properties\":{\"b\":true}}]}",
      "{\"b\":1}", false },
    /* Unique, pairwise and sorted. */
    { "{\"uniqueItems\":true}", "[1,2,3,1.0]", false },
    { "{\"uniqueItems\":true}", "[1,true,0,false]", true },
    { "{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", false },
    { "{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,\"1\",\"2\",[1]]", true },
    /* Evaluated. */
    { "{\"unevaluatedProperties\":false,\"anyOf\":[{\"properties\":{\"a\":true}},{"
      "\"properties\":{\"b\":true}}]}",
      "{\"a\":1,\"b\":2}", true },
    { "{\"unevaluatedProperties\":false,\"oneOf\":[{\"properties\":{\"a\":{\"const\":1}},"
      "\"required\":[\"a\"]},{\"properties\":{\"b\":{\"const\":2}},\"required\":[\"b\"]}]}",
      "{\"a\":1,\"b\":3}", false },
    { "{\"unevaluatedProperties\":false,\"not\":{\"not\":{\"properties\":{\"a\":true}}}}",
      "{\"a\":1}", false },
    { "{\"unevaluatedProperties\":false,\"if\":{\"properties\":{\"a\":true}}}", "{\"a\":1}", true },
    { "{\"allOf\":[{\"properties\":{\"a\":true}},{\"unevaluatedProperties\":false}]}", "{\"a\":1}",
      false },
    { "{\"unevaluatedItems\":false,\"contains\":{\"type\":\"string\"}}", "[\"a\",1]", false },
    { "{\"unevaluatedItems\":false,\"contains\":{\"type\":\"string\"}}", "[\"a\",\"b\"]", true },
    { "{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\",\"unevaluatedItems\":"
      "false,\"contains\":{\"type\":\"string\"}}",
      "[\"a\"]", false },
    { "{\"unevaluatedItems\":{\"type\":\"null\"},\"prefixItems\":[true]}", "[1,null]", true },
    { "{\"contains\":true,\"minContains\":0,\"maxContains\":1}", "[1,2]", false },
};

static void decides(void)
{
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        enum schema_verdict expected = edges[i].valid ? SCHEMA_VALID : SCHEMA_INVALID;

        TEST_CASE(edges[i].schema);
        CHECK(verdict(edges[i].schema, str_from_c(edges[i].instance)) == expected);
    }
}

/* Names like p0, p1, ... in objects and arrays of any size. */
static void add_members(struct buf *out, unsigned count, const char *value)
{
    for (unsigned i = 0; i < count; i++)
        buf_printf(out, "%s\"p%u\":%s", i > 0 ? "," : "", i, value);
}

static void requires_more_than_64_names(void)
{
    enum { NAMES = 200 };
    struct buf schema;
    struct buf instance;

    buf_init(&schema, SIZE_MAX);
    buf_init(&instance, SIZE_MAX);
    buf_add(&schema, STR("{\"required\":["));
    for (unsigned i = 0; i < NAMES; i++)
        buf_printf(&schema, "%s\"p%u\"", i > 0 ? "," : "", i);
    buf_add(&schema, STR("]}"));
    buf_add_char(&schema, '\0');
    for (unsigned count = NAMES - 1; count <= NAMES; count++) {
        buf_clear(&instance);
        buf_add_char(&instance, '{');
        add_members(&instance, count, "1");
        buf_add_char(&instance, '}');
        CHECK(verdict(schema.ptr, buf_str(&instance)) ==
              (count == NAMES ? SCHEMA_VALID : SCHEMA_INVALID));
    }
    buf_done(&schema);
    buf_done(&instance);
}

static void tracks_large_values(void)
{
    struct buf instance;

    buf_init(&instance, SIZE_MAX);
    buf_add_char(&instance, '{');
    add_members(&instance, 1000, "1");
    buf_add_char(&instance, '}');
    CHECK(verdict("{\"patternProperties\":{\"^p\":true},\"unevaluatedProperties\":false}",
                  buf_str(&instance)) == SCHEMA_VALID);
    CHECK(verdict("{\"patternProperties\":{\"^p[0-8]\":true},\"unevaluatedProperties\":false}",
                  buf_str(&instance)) == SCHEMA_INVALID);
    buf_done(&instance);
}

static struct str nested(struct buf *out, unsigned depth)
{
    buf_clear(out);
    for (unsigned i = 0; i < depth; i++)
        buf_add_char(out, '[');
    for (unsigned i = 0; i < depth; i++)
        buf_add_char(out, ']');
    return buf_str(out);
}

static void follows_recursion_as_deep_as_the_reader(void)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    CHECK(verdict("{\"items\":{\"$ref\":\"#\"}}", nested(&text, 512)) == SCHEMA_VALID);
    CHECK(verdict("{\"type\":\"array\",\"items\":{\"allOf\":[{\"anyOf\":[{\"$ref\":\"#\"}]}]}}",
                  nested(&text, 512)) == SCHEMA_VALID);
    buf_done(&text);
}

/* So many subschemas within each other that the stack would not bear them. */
static void gives_up_before_the_stack_does(void)
{
    enum { LINKS = 30000 };
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add(&text, STR("{\"allOf\":[{\"$ref\":\"#/$defs/0\"}],\"$defs\":{"));
    for (unsigned i = 0; i < LINKS; i++)
        buf_printf(&text, "\"%u\":{\"allOf\":[{\"$ref\":\"#/$defs/%u\"}]},", i, i + 1);
    buf_printf(&text, "\"%u\":true}}", (unsigned)LINKS);
    buf_add_char(&text, '\0');
    CHECK(verdict(text.ptr, STR("1")) == SCHEMA_TOO_EXPENSIVE);
    buf_done(&text);
}

/* Budgets. */

static void ends_with_its_budget(void)
{
    struct schema *schema = compile("{\"items\":{\"type\":\"integer\",\"minimum\":0}}", NULL);
    const struct flat *instance = tree_read(STR("[1,2,3]"), NULL);
    const struct flat *bad = tree_read(STR("[-1]"), NULL);
    struct schema_budget endless = schema_budget(0);
    struct schema_budget plenty = schema_budget(INT64_C(3600000000));
    struct schema_budget used_up = { .limit_us = 1, .end_us = 1 };

    CHECK(schema_check(schema, instance, &endless) == SCHEMA_VALID);
    CHECK(schema_check(schema, instance, &plenty) == SCHEMA_VALID);
    CHECK(!plenty.exhausted && plenty.steps > 0);
    CHECK(schema_check(schema, bad, &plenty) == SCHEMA_INVALID);
    CHECK(schema_check(schema, instance, &used_up) == SCHEMA_TOO_EXPENSIVE);
    CHECK(used_up.exhausted);
    TEST_CASE("and stays so");
    CHECK(schema_check(schema, bad, &used_up) == SCHEMA_TOO_EXPENSIVE);
    schema_destroy(schema);
}

static void *burn(void *self)
{
    const int64_t *us = self;
    int64_t end_us = clock_thread_us() + *us;

    while (clock_thread_us() < end_us)
        continue;
    return NULL;
}

/* What a thread waits for is not the event's fault. */
static void waiting_costs_nothing(void)
{
    enum { ITEMS = 20000, LIMIT_US = 50000 };
    struct schema *schema = compile("{\"items\":{\"minimum\":0}}", NULL);
    struct schema_budget budget = schema_budget(LIMIT_US);
    int64_t longer_us = INT64_C(2) * LIMIT_US;
    struct buf text;
    pthread_t other;

    buf_init(&text, 1 << 20);
    buf_add_char(&text, '[');
    for (int i = 0; i < ITEMS; i++)
        buf_add(&text, STR("1,"));
    buf_add(&text, STR("1]"));

    const struct flat *instance = tree_read(buf_str(&text), NULL);

    CHECK(schema_check(schema, instance, &budget) == SCHEMA_VALID);
    CHECK(budget.end_us > 0);
    CHECK(pthread_create(&other, NULL, burn, &longer_us) == 0);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(schema_check(schema, instance, &budget) == SCHEMA_VALID);
    TEST_CASE("work does");
    (void)burn(&longer_us);
    CHECK(schema_check(schema, instance, &budget) == SCHEMA_TOO_EXPENSIVE);
    buf_done(&text);
    schema_destroy(schema);
}

/* A negation must not turn "gave up" into "yes". */
static void giving_up_is_no_answer(void)
{
    static const char *const schemas[] = {
        "{\"not\":{\"items\":{\"minimum\":0}}}",
        "{\"anyOf\":[{\"items\":{\"minimum\":0}},true]}",
        "{\"oneOf\":[{\"items\":{\"minimum\":0}},true]}",
        "{\"if\":{\"items\":{\"minimum\":0}},\"else\":true}",
        "{\"contains\":{\"not\":{\"minimum\":0}},\"minContains\":0}",
        "{\"pattern\":\"^(a+)+$\"}",
        "{\"not\":{\"pattern\":\"^(a+)+$\"}}",
        "{\"uniqueItems\":true}",
    };
    const struct schema_report_options options = { .max_errors = 5 };

    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        struct schema *schema = compile(schemas[i], NULL);
        bool text = strstr(schemas[i], "pattern") != NULL;
        const struct flat *instance = tree_read(text ? STR("\"aaa!\"") : STR("[1,2,3]"), NULL);
        struct schema_budget budget = { .limit_us = 1, .end_us = 1 };
        struct arena *arena = arena_create();
        struct schema_report report;

        TEST_CASE(schemas[i]);
        CHECK(schema_check(schema, instance, &budget) == SCHEMA_TOO_EXPENSIVE);
        budget = (struct schema_budget){ .limit_us = 1, .end_us = 1 };
        CHECK(schema_report(schema, instance, &options, &budget, arena, &report) ==
              SCHEMA_TOO_EXPENSIVE);
        arena_destroy(arena);
        schema_destroy(schema);
    }
}

/* A pattern that would take for ever is stopped without any budget. */
static void bounds_patterns(void)
{
    CHECK(verdict("{\"pattern\":\"^(a+)+$\"}", STR("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"")) ==
          SCHEMA_TOO_EXPENSIVE);
}

/* Threads. */

struct shared {
    const struct schema *schema;
    const struct flat *good;
    const struct flat *bad;
    bool ok;
};

static void *check_often(void *context)
{
    struct shared *shared = context;

    shared->ok = true;
    for (int i = 0; i < 2000 && shared->ok; i++)
        shared->ok = schema_check(shared->schema, shared->good, NULL) == SCHEMA_VALID &&
                     schema_check(shared->schema, shared->bad, NULL) == SCHEMA_INVALID;
    return NULL;
}

static void is_shared_between_threads(void)
{
    struct schema *schema = compile(
        "{\"properties\":{\"a\":{\"enum\":[\"x\",{\"k\":1}],\"pattern\":\"^.$\"},\"b\":{\"const\":"
        "[1,{\"c\":2}],\"uniqueItems\":true}}}",
        NULL);
    const struct flat *good = tree_of("{\"a\":\"x\",\"b\":[1,{\"c\":2}]}");
    const struct flat *bad = tree_of("{\"a\":\"y\",\"b\":[1,{\"c\":2}]}");
    struct shared shared[4];
    pthread_t threads[COUNT_OF(shared)];

    for (size_t i = 0; i < COUNT_OF(shared); i++) {
        shared[i] = (struct shared){ .schema = schema, .good = good, .bad = bad };
        CHECK(pthread_create(&threads[i], NULL, check_often, &shared[i]) == 0);
    }
    for (size_t i = 0; i < COUNT_OF(shared); i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(shared[i].ok);
    }
    schema_destroy(schema);
}

int main(void)
{
    RUN(decides);
    RUN(requires_more_than_64_names);
    RUN(tracks_large_values);
    RUN(follows_recursion_as_deep_as_the_reader);
    RUN(gives_up_before_the_stack_does);
    RUN(ends_with_its_budget);
    RUN(waiting_costs_nothing);
    RUN(giving_up_is_no_answer);
    RUN(bounds_patterns);
    RUN(is_shared_between_threads);
    trees_end();
    return test_end();
}
