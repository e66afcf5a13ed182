/*
 * test_yaml.c - what a YAML file means as JSON, where its values stand, and what is refused.
 */
#include "settings/yaml.h"

#include "settings/interpolate.h"
#include "tests/unit/test.h"

static const struct yaml_options as_it_is = { .file = "f.yaml" };

static const char *lookup(const char *name)
{
    if (strcmp(name, "PORT") == 0)
        return "8080";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    if (strcmp(name, "BROKEN") == 0)
        return "\xff";
    return NULL;
}

static bool expand(void *self, struct str text, struct buf *out, struct error *err)
{
    (void)self;
    return interpolate(text, lookup, out, err);
}

static const struct yaml_options filled_in = { .file = "f.yaml", .expand = expand };

/* Read it and compare the tree as compact JSON. */
static void check_json(const struct yaml_options *options, const char *text, const char *json)
{
    struct arena *arena = arena_create();
    struct yaml *yaml = NULL;
    struct error err = { 0 };
    bool ok = yaml_read(str_from_c(text), options, &yaml, &err);

    CHECK(ok);
    CHECK_STR(str_from_c(err.text), "");
    if (ok) {
        CHECK_INT((int64_t)yaml_fault_count(yaml), 0);
        CHECK_STR(json_text(arena, yaml_root(yaml)), json);
    }
    yaml_destroy(yaml);
    arena_destroy(arena);
}

/* The first fault as `FILE:LINE: KEY: text`. */
static struct str fault_line(const struct yaml *yaml, struct arena *arena)
{
    struct buf *path = arena_buf(arena, YAML_MAX_BYTES);
    const struct yaml_fault *fault = yaml_fault(yaml, 0);

    (void)yaml_locate(yaml, fault->pointer, path);
    return arena_printf(arena, "f.yaml:%zu: %.*s%s%s", fault->line, STR_ARG(buf_str(path)),
                        path->len > 0 ? ": " : "", fault->text);
}

/* A value with a fault, which does not end the reading. */
static void check_fault(const struct yaml_options *options, struct str text, const char *why)
{
    struct arena *arena = arena_create();
    struct yaml *yaml = NULL;
    struct error err = { 0 };
    bool ok = yaml_read(text, options, &yaml, &err) && yaml_fault_count(yaml) > 0;

    CHECK(ok);
    if (ok)
        CHECK_STR(fault_line(yaml, arena), why);
    yaml_destroy(yaml);
    arena_destroy(arena);
}

static void check_refused(const struct yaml_options *options, struct str text, const char *why)
{
    struct yaml *yaml = NULL;
    struct error err = { 0 };

    CHECK(!yaml_read(text, options, &yaml, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(str_from_c(err.text), why);
    yaml_destroy(yaml);
}

static void plain_scalars_follow_the_core_schema(void)
{
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        { "true", "true" },
        { "True", "true" },
        { "FALSE", "false" },
        { "tRue", "\"tRue\"" },
        { "yes", "\"yes\"" },
        { "No", "\"No\"" },
        { "on", "\"on\"" },
        { "off", "\"off\"" },
        { "y", "\"y\"" },
        { "null", "null" },
        { "~", "null" },
        { "Null", "null" },
        { "nULL", "\"nULL\"" },
        { "0", "0" },
        { "-0", "-0" },
        { "+7", "7" },
        { "007", "7" },
        { "08", "8" },
        { "-012", "-12" },
        { "0x1F", "31" },
        { "0xg", "\"0xg\"" },
        { "-0x1F", "\"-0x1F\"" },
        { "0o17", "15" },
        { "0o18", "\"0o18\"" },
        { "0b11", "\"0b11\"" },
        { "0xffffffffffffffff", "18446744073709551615" },
        { "123456789012345678901234567890", "123456789012345678901234567890" },
        { "1_000", "\"1_000\"" },
        { "1.5", "1.5" },
        { ".5", "0.5" },
        { "-.5", "-0.5" },
        { "5.", "5.0" },
        { "1e3", "1e3" },
        { "1.e+3", "1.0e+3" },
        { "1e400", "1e400" },
        { "1e", "\"1e\"" },
        { ".", "\".\"" },
        { "-", "[null]" },
        { "12:30", "\"12:30\"" },
        { "2024-01-15", "\"2024-01-15\"" },
        { "127.0.0.1:8080", "\"127.0.0.1:8080\"" },
        { "1.2.3", "\"1.2.3\"" },
        { "inf", "\"inf\"" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].yaml);
        check_json(&as_it_is, cases[i].yaml, cases[i].json);
    }
}

static void other_scalars_are_strings(void)
{
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        { "'12'", "\"12\"" },
        { "\"true\"", "\"true\"" },
        { "''", "\"\"" },
        { "\"\\u00e4\\n\"", "\"ä\\n\"" },
        { "|\n  1\n  2\n", "\"1\\n2\\n\"" },
        { ">-\n  a\n  b\n", "\"a b\"" },
        { "!!str 12", "\"12\"" },
        { "! 12", "\"12\"" },
        { "!!int '12'", "12" },
        { "!!float 1", "1" },
        { "!!null ''", "null" },
        { "!!bool 'true'", "true" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].yaml);
        check_json(&as_it_is, cases[i].yaml, cases[i].json);
    }
}

static void documents_become_trees(void)
{
    static const struct {
        const char *name;
        const char *yaml;
        const char *json;
    } cases[] = {
        { "nothing", "", "null" },
        { "only comments", "# a\n# b\n", "null" },
        { "an empty document", "---\n", "null" },
        { "a document with markers", "%YAML 1.2\n---\na: 1\n...\n", "{\"a\":1}" },
        { "a byte order mark",
          "\xef\xbb\xbf"
          "a: 1\n",
          "{\"a\":1}" },
        { "lines ended as on Windows", "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}" },
        { "block style", "a:\n  - 1\n  - b: c\n    d:\n  - []\ne: {}\n",
          "{\"a\":[1,{\"b\":\"c\",\"d\":null},[]],\"e\":{}}" },
        { "flow style", "{a: [1, {b: c}], \"d\": ~}", "{\"a\":[1,{\"b\":\"c\"}],\"d\":null}" },
        { "JSON", "{\"a\": [1.50, \"x\\ty\"], \"b\": null}",
          "{\"a\":[1.50,\"x\\ty\"],\"b\":null}" },
        { "members keep their order", "b: 1\na: 2\n", "{\"b\":1,\"a\":2}" },
        { "same key in different objects", "a: {x: 1}\nb: {x: 1}\n",
          "{\"a\":{\"x\":1},\"b\":{\"x\":1}}" },
        { "quoted keys may look like numbers", "'1': a\n\"true\": b\n",
          "{\"1\":\"a\",\"true\":\"b\"}" },
        { "an empty key in quotes", "'': 1\n", "{\"\":1}" },
        { "a merge key is a key", "<<: {a: 1}\n", "{\"<<\":{\"a\":1}}" },
        { "collections with their own tags", "!!map {a: !!seq [1]}\n", "{\"a\":[1]}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_json(&as_it_is, cases[i].yaml, cases[i].json);
    }
}

static void syntax_errors_come_with_advice(void)
{
    static const struct {
        const char *name;
        const char *yaml;
        const char *why;
    } cases[] = {
        { "a tab as indentation", "a:\n\tb: 1\n",
          "f.yaml:2: not YAML: found character that cannot start any token while scanning for the "
          "next token (no tabs before a key; text that begins with @ ` or % needs quotes)" },
        { "a colon too many", "a: b: c\n",
          "f.yaml:1: not YAML: mapping values are not allowed in this context (text with a colon "
          "and a "
          "blank needs quotes)" },
        { "a star without quotes", "a: *\n",
          "f.yaml:1: not YAML: did not find expected alphabetic or numeric character while "
          "scanning "
          "an alias (text that begins with * needs quotes)" },
        { "a bracket too few", "a: [1\n",
          "f.yaml:2: not YAML: did not find expected ',' or ']' while parsing a flow sequence "
          "(text with any of { } [ ] , needs quotes inside { } and [ ], as \"${NAME}\")" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_refused(&as_it_is, str_from_c(cases[i].yaml), cases[i].why);
    }
}

static void faults_have_line_and_key(void)
{
    static const struct {
        const char *name;
        const char *yaml;
        const char *why;
    } cases[] = {
        { "a duplicate key", "a: 1\nb: 2\na: 3\n", "f.yaml:3: a: duplicate key" },
        { "a duplicate key further in", "http:\n  x: 1\n  'x': 2\n",
          "f.yaml:3: http.x: duplicate key" },
        { "the first of two duplicates", "a: 1\na: 2\nb: 1\nb: 2\n", "f.yaml:2: a: duplicate key" },
        { "a duplicate in a list", "r:\n- {k: 1}\n- {k: 1, k: 2}\n",
          "f.yaml:3: r[1].k: duplicate key" },
        { "an anchor", "a: &x 1\n", "f.yaml:1: a: anchors and aliases are not allowed" },
        { "an alias", "a: &x {}\nb: *x\n", "f.yaml:1: a: anchors and aliases are not allowed" },
        { "an alias of nothing", "a: *x\n", "f.yaml:1: a: anchors and aliases are not allowed" },
        { "an anchor on a list", "- &x [1]\n",
          "f.yaml:1: [0]: anchors and aliases are not allowed" },
        { "an anchor on a key", "&k a: 1\n", "f.yaml:1: a: anchors and aliases are not allowed" },
        { "a tag of its own", "a: !secret x\n", "f.yaml:1: a: tag !secret is not allowed here" },
        { "a tag that does not fit", "a:\n  b: !!int x\n",
          "f.yaml:2: a.b: tag tag:yaml.org,2002:int is not allowed here" },
        { "a tag of YAML 1.1", "a: !!set {}\n",
          "f.yaml:1: a: tag tag:yaml.org,2002:set is not allowed here" },
        { "a number as key", "a:\n  1: b\n",
          "f.yaml:2: a.1: a key must be a string: put it in quotes" },
        { "a truth value as key", "true: b\n",
          "f.yaml:1: true: a key must be a string: put it in quotes" },
        { "no key at all", "? \n: b\n", "f.yaml:1: a key must be a string: put it in quotes" },
        { "infinity", "a: .inf\n", "f.yaml:1: a: a number that JSON cannot hold" },
        { "not a number", "a: .NaN\n", "f.yaml:1: a: a number that JSON cannot hold" },
        { "hexadecimal beyond 64 bits", "a: 0x10000000000000000\n",
          "f.yaml:1: a: a number that JSON cannot hold" },
        { "a NUL in a value", "a: \"x\\0\"\n", "f.yaml:1: a: a NUL character is not allowed" },
        { "a line break in a key", "\"a\\nb\": *x\n",
          "f.yaml:1: a\nb: anchors and aliases are not allowed" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_fault(&as_it_is, str_from_c(cases[i].yaml), cases[i].why);
    }
}

/* A file may have more faults than are kept. */
static void faults_beyond_the_limit_are_dropped(void)
{
    enum { FAULTS = 300, KEPT = 200 };
    struct arena *arena = arena_create();
    struct buf *text = arena_buf(arena, YAML_MAX_BYTES);
    struct yaml *yaml = NULL;
    struct error err;

    for (int i = 0; i < FAULTS; i++)
        buf_printf(text, "k%d: &a 1\n", i);
    CHECK(yaml_read(buf_str(text), &as_it_is, &yaml, &err));
    CHECK_INT((int64_t)yaml_fault_count(yaml), KEPT);
    CHECK_INT((int64_t)yaml_fault(yaml, KEPT - 1)->line, KEPT);
    yaml_destroy(yaml);
    arena_destroy(arena);
}

static void other_faults_end_the_reading(void)
{
    static const struct {
        const char *name;
        const char *yaml;
        const char *why;
    } cases[] = {
        { "two documents", "a: 1\n---\nb: 2\n", "f.yaml:2: a second document is not allowed" },
        { "a list as key", "a: 1\n[b]: c\n", "f.yaml:2: a key must be a string" },
        { "a NUL in a key", "\"x\\0\": a\n", "f.yaml:1: a NUL character is not allowed" },
        { "bytes that are not UTF-8", "a: 1\nb: \xff\n",
          "f.yaml:2: not YAML: invalid leading UTF-8 octet" },
        { "a surrogate", "a: \"\\ud800\"\n",
          "f.yaml:1: not YAML: found invalid Unicode character escape code while parsing a quoted "
          "scalar" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_refused(&as_it_is, str_from_c(cases[i].yaml), cases[i].why);
    }
}

static void bounds_depth_and_size(void)
{
    struct buf text;

    buf_init(&text, (size_t)4 * YAML_MAX_BYTES);
    for (int i = 0; i < JSON_MAX_DEPTH + 1; i++)
        buf_add_char(&text, '[');
    TEST_CASE("one level too deep");
    CHECK(text.len == JSON_MAX_DEPTH + 1);
    {
        struct yaml *yaml = NULL;
        struct error err = { 0 };

        CHECK(!yaml_read(buf_str(&text), &as_it_is, &yaml, &err));
        CHECK(strstr(err.text, "nested deeper than 64"));
    }
    buf_clear(&text);
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        buf_add_char(&text, '[');
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        buf_add_char(&text, ']');
    buf_add_char(&text, '\0');
    TEST_CASE("as deep as may be");
    check_json(&as_it_is, text.ptr,
               "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
               "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");

    TEST_CASE("too long");
    buf_clear(&text);
    while (text.len <= YAML_MAX_BYTES)
        buf_add_char(&text, '#');
    check_refused(&as_it_is, buf_str(&text), "f.yaml: more than 1048576 bytes");
    buf_done(&text);
}

static void fills_in_values_before_their_type_is_found(void)
{
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        { "a: ${PORT}", "{\"a\":8080}" },
        { "a: '${PORT}'", "{\"a\":\"8080\"}" },
        { "a: \"${PORT}\"", "{\"a\":\"8080\"}" },
        { "a: 127.0.0.1:${PORT}", "{\"a\":\"127.0.0.1:8080\"}" },
        { "a: ${NONE:-true}", "{\"a\":true}" },
        { "a: ${NONE:-null}", "{\"a\":null}" },
        { "a: ${EMPTY}", "{\"a\":\"\"}" },
        { "a: [\"${NONE:-x}\", $$]", "{\"a\":[\"x\",\"$\"]}" },
        { "${PORT}: a", "{\"${PORT}\":\"a\"}" },
        { "a:", "{\"a\":null}" },
        { "a: ${NONE:-{}", "{\"a\":\"{\"}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].yaml);
        check_json(&filled_in, cases[i].yaml, cases[i].json);
    }
    TEST_CASE("not set");
    check_fault(&filled_in, STR("a:\n  b: [1, '${NONE}']\n"),
                "f.yaml:2: a.b[1]: environment variable NONE is not set");
    TEST_CASE("not UTF-8");
    check_fault(&filled_in, STR("a: ${BROKEN}\n"),
                "f.yaml:1: a: filled in, it is too long or not UTF-8");
}

static void knows_the_line_of_each_place(void)
{
    static const struct {
        const char *pointer;
        size_t line;
        const char *path;
    } cases[] = {
        { "", 2, "" },
        { "/http", 2, "http" },
        { "/http/listen", 3, "http.listen" },
        { "/http/nothing", 2, "http.nothing" },
        { "/routes", 5, "routes" },
        { "/routes/0", 6, "routes[0]" },
        { "/routes/1", 8, "routes[1]" },
        { "/routes/1/match", 8, "routes[1].match" },
        { "/routes/2", 5, "routes[2]" },
        { "/routes/1/match/~1a~0b", 9, "routes[1].match./a~b" },
        { "/no/such/place", 2, "no.such.place" },
    };
    static const char text[] = "# a comment\n"
                               "http:\n"
                               "  listen: x\n"
                               "\n"
                               "routes:\n"
                               "  - a: 1\n"
                               "    b: 2\n"
                               "  - match:\n"
                               "      /a~b: 2\n";
    struct yaml *yaml = NULL;
    struct error err = { 0 };

    CHECK(yaml_read(str_from_c(text), &as_it_is, &yaml, &err));
    for (size_t i = 0; yaml && i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf path;

        TEST_CASE(cases[i].pointer);
        buf_init(&path, 100);
        CHECK_INT((int64_t)yaml_locate(yaml, str_from_c(cases[i].pointer), &path),
                  (int64_t)cases[i].line);
        CHECK_STR(buf_str(&path), cases[i].path);
    }
    yaml_destroy(yaml);
}

static void a_file_that_is_not_there_is_the_systems_fault(void)
{
    struct yaml_options options = { .file = "/nonexistent/f.yaml" };
    struct yaml *yaml = NULL;
    struct error err = { 0 };

    CHECK(!yaml_load(&options, &yaml, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK_STR(str_from_c(err.text), "/nonexistent/f.yaml: No such file or directory");
}

int main(void)
{
    RUN(plain_scalars_follow_the_core_schema);
    RUN(other_scalars_are_strings);
    RUN(documents_become_trees);
    RUN(syntax_errors_come_with_advice);
    RUN(faults_have_line_and_key);
    RUN(faults_beyond_the_limit_are_dropped);
    RUN(other_faults_end_the_reading);
    RUN(bounds_depth_and_size);
    RUN(fills_in_values_before_their_type_is_found);
    RUN(knows_the_line_of_each_place);
    RUN(a_file_that_is_not_there_is_the_systems_fault);
    return test_end();
}
