/*
 * test_compile.c - what compiles, what does not and how that is told, and what `$ref` reaches.
 */
#include <stdio.h>

#include "base/buf.h"
#include "schema/schema.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static struct schema *compile(const char *text, const struct schema_options *options,
                              struct error *err)
{
    const struct flat *document = tree_of(text);
    struct schema *schema = NULL;
    bool ok = schema_compile(document, options, &schema, err);

    return ok ? schema : NULL;
}

/* Does `schema` accept `instance`? A schema that does not compile fails the test. */
static bool accepts(const char *schema_text, const struct schema_options *options,
                    const char *instance_text)
{
    struct error err = { 0 };
    struct schema *schema = compile(schema_text, options, &err);
    const struct flat *instance = tree_of(instance_text);
    bool ok = schema && schema_check(schema, instance, NULL) == SCHEMA_VALID;

    CHECK_STR(str_from_c(err.text), "");
    schema_destroy(schema);
    return ok;
}

#define DRAFT4    "\"$schema\":\"http://json-schema.org/draft-04/schema#\""
#define DRAFT7    "\"$schema\":\"http://json-schema.org/draft-07/schema#\""
#define DRAFT2019 "\"$schema\":\"https://json-schema.org/draft/2019-09/schema\""
#define DRAFT2020 "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""

static void refuses_with_place_and_reason(void)
{
    static const struct {
        const char *schema;
        const char *error;
    } cases[] = {
        { "1", "a schema is an object or a boolean" },
        { "{\"$schema\":\"http://json-schema.org/draft-03/schema#\",\"divisibleBy\":2}",
          "at /$schema: draft 3 is not implemented" },
        { "{\"properties\":{\"a\":{\"type\":5}}}",
          "at /properties/a/type: 5 is not valid under any of the given schemas" },
        { "{\"properties\":{\"a/b\":{\"minimum\":\"x\"}}}",
          "at /properties/a~1b/minimum: 'x' is not of type 'number'" },
        { "{\"required\":\"a\"}", "at /required: 'a' is not of type 'array'" },
        { "{\"items\":[{}]}", "at /items: [{}] is not of type 'object', 'boolean'" },
        { "{\"minLength\":-1}", "at /minLength: -1 is less than the minimum of 0" },
        { "{\"multipleOf\":0}", "at /multipleOf: 0 is less than or equal to the minimum of 0" },
        { "{\"allOf\":[]}", "at /allOf: [] should be non-empty" },
        { "{" DRAFT4 ",\"exclusiveMinimum\":true}",
          "'minimum' is a dependency of 'exclusiveMinimum'" },
        { "{" DRAFT4 ",\"properties\":{\"a\":true}}",
          "at /properties/a: True is not of type 'object'" },
        { "{\"$ref\":\"#\"}", "refers to itself without end" },
        { "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},"
          "\"b\":{\"anyOf\":[true,{\"$ref\":\"#/$defs/a\"}]}}}",
          "at /$defs/b/anyOf/1: refers to itself without end" },
        { "{\"$id\":\"urn:a:b\",\"properties\":{\"x\":{\"$id\":\"c\"}}}",
          "at /properties/x: $id \"c\" is relative to \"urn:a:b\"" },
        /* Mixed dialects have no one metaschema; the keywords look after themselves. */
        { "{" DRAFT7 ",\"properties\":{\"x\":{\"$id\":\"http://example.com/x\"," DRAFT2020
          ",\"minimum\":\"1\"}}}",
          "at /properties/x/minimum: expected a number" },
        { "{" DRAFT7 ",\"properties\":{\"x\":{\"$id\":\"http://example.com/x\"," DRAFT2020
          ",\"items\":[1]}}}",
          "at /properties/x/items: a schema is an object or a boolean" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };
        struct schema *schema = compile(cases[i].schema, NULL, &err);

        TEST_CASE(cases[i].schema);
        CHECK(schema == NULL);
        CHECK(err.code == ERR_MALFORMED);
        CHECK_STR(str_from_c(err.text), cases[i].error);
        schema_destroy(schema);
    }
}

static void refuses_bad_patterns_by_name(void)
{
    struct error err = { 0 };

    CHECK(compile("{\"pattern\":\"[\"}", NULL, &err) == NULL);
    CHECK_STR(str_from_c(err.text), "at /pattern: at byte 0: class without its ']', in [");
    CHECK(compile("{\"patternProperties\":{\"(\":{}}}", NULL, &err) == NULL);
    CHECK_STR(str_from_c(err.text), "at /patternProperties: at byte 1: missing ')', in (");
}

/* `begin`, 600 times `part`, `end`; the caller ends it. */
static struct buf long_schema(const char *begin, const char *part, const char *end)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add(&text, str_from_c(begin));
    for (int i = 0; i < 600; i++)
        buf_add(&text, str_from_c(part));
    buf_add(&text, str_from_c(end));
    buf_add_char(&text, '\0');
    return text;
}

static void gives_the_reason_whatever_the_length_of_the_value(void)
{
    static const struct {
        const char *begin;
        const char *part;
        const char *end;
        const char *reason;
    } cases[] = {
        { "{\"pattern\":\"", "a", "\\\\Z\"}", "at /pattern: at byte 600: unknown escape, in aaa" },
        { "{\"pattern\":\"", "\xC3\xA9", "\\\\Z\"}",
          "at /pattern: at byte 1200: unknown escape, in \xC3\xA9" },
        { "{\"type\":\"", "a", "\"}", " is not valid under any of the given schemas" },
        { "{\"patternProperties\":{\"(", "a", "\":{}}}",
          "at /patternProperties: at byte 601: missing ')', in (aaa" },
        { "{\"minimum\":\"", "\xC3\xA9", "\"}", " is not of type 'number'" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf text = long_schema(cases[i].begin, cases[i].part, cases[i].end);
        struct error err = { 0 };

        TEST_CASE(cases[i].begin);
        CHECK(compile(text.ptr, NULL, &err) == NULL);
        CHECK(strstr(err.text, cases[i].reason) != NULL);
        CHECK(strstr(err.text, "\xE2\x80\xA6") != NULL);
        buf_done(&text);
    }
}

static void warns_of_what_is_probably_wrong(void)
{
    static const struct {
        const char *schema;
        const char *warning; /* NULL: none */
    } cases[] = {
        { "{\"properties\":{\"a\":{\"$ref\":\"#/nope\"}}}",
          "at /properties/a/$ref: \"#/nope\" leads nowhere" },
        { "{\"$ref\":\"http://example.com/x\"}",
          "at /$ref: \"http://example.com/x\" leads nowhere" },
        { "{\"$ref\":\"#anchor\"}", "at /$ref: \"#anchor\" leads nowhere" },
        { "{\"$ref\":\"#a\\nb\"}", "at /$ref: \"#a b\" leads nowhere" },
        { "{\"const\":5,\"$ref\":\"#/const\"}", "at /$ref: \"#/const\" leads nowhere" },
        { "{\"$dynamicRef\":\"#nope\"}", "at /$dynamicRef: \"#nope\" leads nowhere" },
        { "{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\","
          "\"$recursiveRef\":\"x#\"}",
          "at /$recursiveRef: \"x#\" leads nowhere" },
        { "{\"$schema\":\"https://example.com/mine\"}",
          "at /$schema: \"https://example.com/mine\" is no known draft, read as 2020-12" },
        { "{\"properties\":{\"a\":{\"requried\":[\"b\"]}}}",
          "at /properties/a/requried: unknown keyword, is \"required\" meant?" },
        { "{\"propertys\":{}}", "at /propertys: unknown keyword, is \"properties\" meant?" },
        { "{\"tpye\":\"string\"}", "at /tpye: unknown keyword, is \"type\" meant?" },
        { "{\"addtionalPropertis\":false}",
          "at /addtionalPropertis: unknown keyword, is \"additionalProperties\" meant?" },
        { "{\"Maximum\":3}", "at /Maximum: unknown keyword, is \"maximum\" meant?" },
        { "{\"note\":1,\"x-order\":2,\"example\":3,\"nullable\":true,\"markdownDescription\":\"\"}",
          NULL },
        { "{\"dependencies\":{},\"$anchor\":\"a\",\"$vocabulary\":{},\"id\":\"x\"}", NULL },
        { "{\"properties\":{\"tpye\":true},\"const\":{\"requried\":1}}", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };
        struct schema *schema = compile(cases[i].schema, NULL, &err);
        size_t count = 0;
        const struct str *warnings = schema ? schema_warnings(schema, &count) : NULL;

        TEST_CASE(cases[i].schema);
        CHECK(schema != NULL);
        CHECK_INT((int64_t)count, cases[i].warning ? 1 : 0);
        CHECK_STR(count > 0 ? warnings[0] : STR(""), cases[i].warning ? cases[i].warning : "");
        schema_destroy(schema);
    }
}

static void warns_of_drafts_that_glue_does_not_know(void)
{
    const struct schema_options options = { .from_glue = true };
    static const struct {
        const char *schema;
        const char *warning;
    } cases[] = {
        { "{}", "at /$schema: missing, read as 2020-12; AWS Glue knows drafts 4, 6 and 7 only" },
        { "{" DRAFT2020 "}", "at /$schema: draft 2020-12; AWS Glue knows drafts 4, 6 and 7 only" },
        { "{" DRAFT7 "}", NULL },
        { "{" DRAFT4 "}", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };
        struct schema *schema = compile(cases[i].schema, &options, &err);
        size_t count = 0;
        const struct str *warnings = schema_warnings(schema, &count);

        TEST_CASE(cases[i].schema);
        CHECK_INT((int64_t)count, cases[i].warning ? 1 : 0);
        CHECK_STR(count > 0 ? warnings[0] : STR(""), cases[i].warning ? cases[i].warning : "");
        schema_destroy(schema);
    }
}

static void what_leads_nowhere_matters_where_it_is_reached(void)
{
    static const struct {
        const char *schema;
        const char *instance;
        enum schema_verdict verdict;
    } cases[] = {
        { "{\"properties\":{\"a\":{\"$ref\":\"#/nope\"}}}", "{}", SCHEMA_VALID },
        { "{\"properties\":{\"a\":{\"$ref\":\"#/nope\"}}}", "{\"a\":1}", SCHEMA_DANGLING },
        { "{\"$ref\":\"x.json\"}", "1", SCHEMA_DANGLING },
        { "{\"type\":\"string\",\"$ref\":\"x.json\"}", "1", SCHEMA_INVALID },
        { "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"x.json\"}]}", "\"a\"", SCHEMA_VALID },
        { "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"x.json\"}]}", "1", SCHEMA_DANGLING },
        { "{\"not\":{\"$ref\":\"x.json\"}}", "1", SCHEMA_DANGLING },
        { "{\"if\":{\"$dynamicRef\":\"#x\"}}", "1", SCHEMA_DANGLING },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct schema_budget budget = schema_budget(1000000);
        struct error err = { 0 };
        struct schema *schema = compile(cases[i].schema, NULL, &err);
        const struct flat *instance = tree_of(cases[i].instance);

        TEST_CASE(cases[i].schema);
        CHECK(schema != NULL);
        CHECK_INT(schema_check(schema, instance, &budget), cases[i].verdict);
        CHECK(!budget.exhausted);
        schema_destroy(schema);
    }
}

static void takes_the_draft_from_the_document_then_from_the_options(void)
{
    static const struct {
        const char *schema;
        enum schema_draft draft;
        bool knows_const;
    } cases[] = {
        { "{\"const\":1}", SCHEMA_DRAFT_2020_12, true },
        { "{\"const\":1}", SCHEMA_DRAFT_4, false },
        { "{" DRAFT7 ",\"const\":1}", SCHEMA_DRAFT_4, true },
        { "{" DRAFT4 ",\"const\":1}", SCHEMA_DRAFT_7, false },
        { "{\"$schema\":\"http://json-schema.org/draft-04/schema\",\"const\":1}", SCHEMA_DRAFT_7,
          false },
        { "{\"$schema\":\"https://example.com/mine\",\"const\":1}", SCHEMA_DRAFT_6, true },
        { "{\"$schema\":\"https://example.com/mine\",\"const\":1}", SCHEMA_DRAFT_4, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct schema_options options = { .draft = cases[i].draft };

        TEST_CASE(cases[i].schema);
        CHECK(accepts(cases[i].schema, &options, "2") == !cases[i].knows_const);
    }
}

static void names_drafts(void)
{
    static const struct {
        const char *name;
        bool ok;
        enum schema_draft draft;
    } cases[] = {
        { "4", true, SCHEMA_DRAFT_4 },
        { "6", true, SCHEMA_DRAFT_6 },
        { "7", true, SCHEMA_DRAFT_7 },
        { "2019-09", true, SCHEMA_DRAFT_2019_09 },
        { "2020-12", true, SCHEMA_DRAFT_2020_12 },
        { "http://json-schema.org/draft-06/schema#", true, SCHEMA_DRAFT_6 },
        { "https://json-schema.org/draft/2020-12/schema", true, SCHEMA_DRAFT_2020_12 },
        { "https://json-schema.org/draft-07/schema#", false, SCHEMA_DRAFT_7 },
        { "5", false, SCHEMA_DRAFT_7 },
        { "", false, SCHEMA_DRAFT_7 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum schema_draft draft = SCHEMA_DRAFT_7;

        TEST_CASE(cases[i].name);
        CHECK(schema_draft_parse(str_from_c(cases[i].name), &draft) == cases[i].ok);
        CHECK(draft == cases[i].draft);
    }
}

static const struct {
    const char *name;
    const char *schema;
    const char *good;
    const char *bad;
} references[] = {
    { "pointer with escapes",
      "{\"$ref\":\"#/$defs/a~1b%25\",\"$defs\":{\"a/b%\":{\"type\":"
      "\"string\"}}}",
      "\"\"", "1" },
    { "empty tokens",
      "{\"$ref\":\"#/$defs//$defs/\",\"$defs\":{\"\":{\"$defs\":{\"\":{"
      "\"type\":\"number\"}}}}}",
      "1", "\"\"" },
    { "into an unknown keyword", "{\"$ref\":\"#/mine/0\",\"mine\":[{\"type\":\"string\"}]}", "\"\"",
      "1" },
    { "anchor", "{\"$ref\":\"#a\",\"$defs\":{\"x\":{\"$anchor\":\"a\",\"type\":\"string\"}}}",
      "\"\"", "1" },
    { "draft 7 anchor",
      "{" DRAFT7 ",\"allOf\":[{\"$ref\":\"#a\"}],\"definitions\":{\"x\":{"
      "\"$id\":\"#a\",\"type\":\"string\"}}}",
      "\"\"", "1" },
    { "embedded resource",
      "{\"$id\":\"http://example.com/a/b\",\"$ref\":\"c\",\"$defs\":{"
      "\"x\":{\"$id\":\"/a/c\",\"type\":\"string\"}}}",
      "\"\"", "1" },
    { "relative ids without a base",
      "{\"$ref\":\"c#/$defs/y\",\"$defs\":{\"x\":{\"$id\":"
      "\"c\",\"$defs\":{\"y\":{\"type\":\"string\"}}}}}",
      "\"\"", "1" },
    { "urn",
      "{\"$id\":\"urn:uuid:1\",\"$ref\":\"urn:uuid:1#/$defs/x\",\"$defs\":{\"x\":{"
      "\"type\":\"string\"}}}",
      "\"\"", "1" },
    { "an id in const is none",
      "{\"$ref\":\"http://example.com/x\",\"$defs\":{\"a\":{"
      "\"const\":{\"$id\":\"http://example.com/x\",\"type\":\"null\"}},\"b\":{\"$id\":"
      "\"http://example.com/x\",\"type\":\"string\"}}}",
      "\"\"", "null" },
    { "the reference hides its siblings in draft 7",
      "{" DRAFT7 ",\"properties\":{\"a\":{"
      "\"$ref\":\"#/definitions/x\",\"minimum\":5}},\"definitions\":{\"x\":{\"type\":"
      "\"integer\"}}}",
      "{\"a\":1}", "{\"a\":\"\"}" },
    { "and does not since 2019-09",
      "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\","
      "\"minimum\":5}},\"$defs\":{\"x\":{\"type\":\"integer\"}}}",
      "{\"a\":5}", "{\"a\":1}" },
    { "metaschemas are at hand", "{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}",
      "{\"type\":\"string\"}", "{\"$defs\":{\"a\":{\"type\":\"strin\"}}}" },
    { "recursion through the instance",
      "{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
      "\"additionalProperties\":false}",
      "{\"a\":{\"a\":{}}}", "{\"a\":{\"b\":{}}}" },
    { "dynamic scope",
      "{\"$id\":\"http://example.com/root\",\"$ref\":\"list\",\"$defs\":{"
      "\"s\":{\"$dynamicAnchor\":\"item\",\"type\":\"string\"},\"l\":{\"$id\":\"list\","
      "\"items\":{\"$dynamicRef\":\"#item\"},\"$defs\":{\"d\":{\"$dynamicAnchor\":\"item\"}}"
      "}}}",
      "[\"\"]", "[1]" },
    { "recursive anchor",
      "{" DRAFT2019 ",\"$id\":\"http://example.com/tree\","
      "\"$recursiveAnchor\":true,\"$ref\":\"base\",\"unevaluatedProperties\":false,"
      "\"$defs\":{\"b\":{\"$id\":\"base\",\"$recursiveAnchor\":true,\"properties\":{"
      "\"child\":{\"$recursiveRef\":\"#\"}}}}}",
      "{\"child\":{\"child\":{}}}", "{\"child\":{\"other\":{}}}" },
};

static void follows_references(void)
{
    for (size_t i = 0; i < COUNT_OF(references); i++) {
        TEST_CASE(references[i].name);
        CHECK(accepts(references[i].schema, NULL, references[i].good));
        CHECK(!accepts(references[i].schema, NULL, references[i].bad));
    }
}

static void reaches_resources_handed_over(void)
{
    const struct flat *integer = tree_of("{\"type\":\"integer\"}");
    const struct flat *named = tree_of("{\"$id\":\"http://example.com/real\",\"$defs\":{\"x\":{"
                                       "\"$ref\":\"other\"}}}");
    const struct flat *other = tree_of("{\"type\":\"string\"}");
    const struct schema_resource resources[] = {
        { "http://example.com/int.json", integer },
        { "http://example.com/alias", named },
        { "http://example.com/other#", other },
    };
    const struct schema_options options = { .resources = resources,
                                            .resource_count = COUNT_OF(resources) };

    CHECK(accepts("{\"$ref\":\"http://example.com/int.json\"}", &options, "1"));
    CHECK(!accepts("{\"$ref\":\"http://example.com/int.json#\"}", &options, "\"\""));
    TEST_CASE("by the id it gives itself, and relative to that");
    CHECK(!accepts("{\"$ref\":\"http://example.com/real#/$defs/x\"}", &options, "1"));
    CHECK(!accepts("{\"$ref\":\"http://example.com/alias#/$defs/x\"}", &options, "1"));
}

static void names_the_resource_at_fault(void)
{
    const struct flat *broken = tree_of("{\"properties\":{\"a\":{\"type\":5}}}");
    const struct schema_resource resource = { "http://example.com/broken", broken };
    const struct schema_options options = { .resources = &resource, .resource_count = 1 };
    struct error err = { 0 };

    CHECK(compile("{\"$ref\":\"http://example.com/broken\"}", &options, &err) == NULL);
    CHECK_STR(str_from_c(err.text), "at http://example.com/broken#/properties/a/type: 5 is not "
                                    "valid under any of the given schemas");
}

static void obeys_vocabularies(void)
{
    static const char no_validation[] =
        "{" DRAFT2020 ",\"$id\":\"http://example.com/meta\",\"$vocabulary\":{"
        "\"https://json-schema.org/draft/2020-12/vocab/core\":true,"
        "\"https://json-schema.org/draft/2020-12/vocab/applicator\":true},"
        "\"allOf\":[{\"$ref\":\"https://json-schema.org/draft/2020-12/meta/core\"},"
        "{\"$ref\":\"https://json-schema.org/draft/2020-12/meta/applicator\"}]}";
    static const char unknown[] = "{" DRAFT2020 ",\"$id\":\"http://example.com/odd\","
                                  "\"$vocabulary\":{\"http://example.com/vocab\":true}}";
    const struct flat *first = tree_of(no_validation);
    const struct flat *second = tree_of(unknown);
    const struct schema_resource resources[] = { { "http://example.com/meta", first },
                                                 { "http://example.com/odd", second } };
    const struct schema_options options = { .resources = resources, .resource_count = 2 };
    struct error err = { 0 };

    CHECK(accepts("{\"$schema\":\"http://example.com/meta\",\"minimum\":5}", &options, "1"));
    CHECK(!accepts("{\"$schema\":\"http://example.com/meta\",\"not\":{}}", &options, "1"));
    TEST_CASE("the metaschema of one's own is what counts");
    CHECK(compile("{\"$schema\":\"http://example.com/meta\",\"not\":1}", &options, &err) == NULL);
    CHECK_STR(str_from_c(err.text), "at /not: 1 is not of type 'object', 'boolean'");
    TEST_CASE("a required vocabulary must be known");
    CHECK(compile("{\"$schema\":\"http://example.com/odd\"}", &options, &err) == NULL);
    CHECK_STR(str_from_c(err.text), "$schema: the metaschema requires the unknown vocabulary "
                                    "http://example.com/vocab");
}

static void asserts_formats_when_asked(void)
{
    const struct schema_options options = { .assert_formats = true };

    CHECK(accepts("{\"format\":\"ipv4\"}", NULL, "\"x\""));
    CHECK(!accepts("{\"format\":\"ipv4\"}", &options, "\"x\""));
    CHECK(accepts("{\"format\":\"ipv4\"}", &options, "1"));
    CHECK(accepts("{\"format\":\"my-own\"}", &options, "\"x\""));
}

static void knows_the_names_it_mentions(void)
{
    struct error err = { 0 };
    struct schema *schema =
        compile("{\"properties\":{\"a\":{\"required\":[\"b\",\"a\"]}},\"required\":[\"c\",\"a\"]}",
                NULL, &err);

    CHECK(schema_mentions(schema, STR("a")));
    CHECK(schema_mentions(schema, STR("b")));
    CHECK(schema_mentions(schema, STR("c")));
    CHECK(!schema_mentions(schema, STR("properties")));
    CHECK(!schema_mentions(schema, STR("")));
    schema_destroy(schema);
    schema_destroy(NULL);
}

/* A chain of references much longer than a stack would bear, were it followed by recursion. */
static void compiles_long_chains(void)
{
    enum { LINKS = 20000 };
    struct buf text;
    struct error err = { 0 };

    buf_init(&text, SIZE_MAX);
    buf_add(&text, STR("{\"$ref\":\"#/$defs/0\",\"$defs\":{"));
    for (int i = 0; i < LINKS; i++)
        buf_printf(&text, "\"%d\":{\"$ref\":\"#/$defs/%d\"},", i, i + 1);
    buf_printf(&text, "\"%d\":{\"type\":\"string\"}}}", LINKS);
    buf_add_char(&text, '\0');

    struct schema *schema = compile(text.ptr, NULL, &err);
    const struct flat *instance = tree_of("1");

    CHECK_STR(str_from_c(err.text), "");
    CHECK(schema && schema_check(schema, instance, NULL) == SCHEMA_INVALID);
    schema_destroy(schema);
    buf_done(&text);
}

int main(void)
{
    RUN(refuses_with_place_and_reason);
    RUN(refuses_bad_patterns_by_name);
    RUN(gives_the_reason_whatever_the_length_of_the_value);
    RUN(warns_of_what_is_probably_wrong);
    RUN(warns_of_drafts_that_glue_does_not_know);
    RUN(what_leads_nowhere_matters_where_it_is_reached);
    RUN(takes_the_draft_from_the_document_then_from_the_options);
    RUN(names_drafts);
    RUN(follows_references);
    RUN(reaches_resources_handed_over);
    RUN(names_the_resource_at_fault);
    RUN(obeys_vocabularies);
    RUN(asserts_formats_when_asked);
    RUN(knows_the_names_it_mentions);
    RUN(compiles_long_chains);
    trees_end();
    return test_end();
}
