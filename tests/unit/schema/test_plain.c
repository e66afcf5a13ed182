/*
 * test_plain.c - a document that is taken for plain is one that its metaschema accepts.
 *
 * Every keyword of the metaschemas with values of every shape, where nothing else looks at it:
 * among definitions that nobody refers to. There compiling must say what the metaschema says.
 */
#include <stdio.h>

#include "base/json.h"
#include "schema/metaschema.h"
#include "schema/schema.h"
#include "tests/unit/test.h"

#define IN_2019(name) "https://json-schema.org/draft/2019-09/" name
#define IN_2020(name) "https://json-schema.org/draft/2020-12/" name

/* As many names as are looked at, one too many, and two alike. */
#define NAMES                                                                                      \
    "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\","
static const char names_16[] = NAMES "\"p\"]";
static const char names_17[] = NAMES "\"p\",\"q\"]";
static const char names_alike[] = NAMES "\"o\"]";

enum { DOCUMENTS_MAX = 9 };

static const struct {
    enum schema_draft draft;
    const char *documents[DOCUMENTS_MAX]; /* the first is the metaschema */
} drafts[] = {
    { SCHEMA_DRAFT_4, { "http://json-schema.org/draft-04/schema" } },
    { SCHEMA_DRAFT_6, { "http://json-schema.org/draft-06/schema" } },
    { SCHEMA_DRAFT_7, { "http://json-schema.org/draft-07/schema" } },
    { SCHEMA_DRAFT_2019_09,
      { IN_2019("schema"), IN_2019("meta/applicator"), IN_2019("meta/content"),
        IN_2019("meta/core"), IN_2019("meta/format"), IN_2019("meta/meta-data"),
        IN_2019("meta/validation") } },
    { SCHEMA_DRAFT_2020_12,
      { IN_2020("schema"), IN_2020("meta/applicator"), IN_2020("meta/content"),
        IN_2020("meta/core"), IN_2020("meta/format-annotation"), IN_2020("meta/meta-data"),
        IN_2020("meta/unevaluated"), IN_2020("meta/validation") } },
};

static const char *const values[] = {
    "null",
    "true",
    "false",
    "-1",
    "-0",
    "0",
    "1",
    "1.0",
    "0.5",
    "-0.5",
    "1e400",
    "-1e400",
    "1e-400",
    "123456789012345678901234567890",
    "-123456789012345678901234567890",
    "18446744073709551615",
    "\"\"",
    "\"x\"",
    "\"string\"",
    "\"strin\"",
    "\"strings\"",
    "\"null\"",
    "\"number\"",
    "\"nul\"",
    "\"any\"",
    "\"a#b\"",
    "\"#\"",
    "\"#a\"",
    "\"a#\"",
    "\"a b\"",
    "\"[\"",
    "\"\\u0000\"",
    "\"http://example.com/x\"",
    "\"1a\"",
    /* arrays */
    "[]",
    "[null]",
    "[1]",
    "[1,1]",
    "[\"a\"]",
    "[\"a\",\"b\"]",
    "[\"a\",\"a\"]",
    "[\"a\\u0000b\",\"a\\u0000c\"]",
    "[\"a\",1]",
    "[\"string\"]",
    "[\"string\",\"null\"]",
    "[\"string\",\"string\"]",
    "[\"string\",\"strin\"]",
    "[{}]",
    "[true]",
    "[{},1]",
    "[{\"type\":5}]",
    "[[{}]]",
    names_16,
    names_17,
    names_alike,
    /* objects */
    "{}",
    "{\"a\":null}",
    "{\"a\":1}",
    "{\"a\":true}",
    "{\"a\":\"b\"}",
    "{\"a\":{}}",
    "{\"a\":[]}",
    "{\"a\":[\"b\"]}",
    "{\"a\":[\"b\",\"b\"]}",
    "{\"a\":[1]}",
    "{\"a\":[{}]}",
    "{\"a\":{\"type\":5}}",
    "{\"a\":{\"$defs\":5}}",
    "{\"a\":{\"x\":5}}",
    "{\"type\":5}",
    "{\"type\":\"string\"}",
    "{\"$anchor\":\"1\"}",
    "{\"$vocabulary\":1}",
    "{\"id\":1}",
    "{\"if\":{\"items\":{\"minLength\":-1}}}",
    "{\"[\":{}}",
    "{\"http://example.com/\":true}",
};

static struct json_object *parse(struct str text)
{
    struct json_object *value = NULL;
    struct error err = { 0 };

    CHECK(json_read(text, NULL, &value, &err));
    return value;
}

static struct schema *reference_to(const char *uri)
{
    char text[128];
    struct schema *schema = NULL;
    struct error err = { 0 };

    (void)snprintf(text, sizeof(text), "{\"$ref\":\"%s\"}", uri);

    struct json_object *document = parse(str_from_c(text));

    CHECK(schema_compile(document, NULL, &schema, &err));
    json_release(document);
    return schema;
}

/* Definitions nobody refers to, and what lies deeper in them: what stands before and behind. */
static const struct {
    const char *before;
    const char *behind;
} places[] = {
    { "{\"definitions\":{\"x\":{", "}}}" },
    { "{\"definitions\":{\"x\":{\"items\":{\"anyOf\":[{", "}]}}}}" },
    { "{\"definitions\":{\"x\":{\"a\":\"\",", ",\"b\":[1]}}}" },
};

static void agree(const struct schema *metaschema, enum schema_draft draft, const char *key)
{
    const struct schema_options options = { .draft = draft };
    char text[512];

    for (size_t i = 0; i < COUNT_OF(values) * COUNT_OF(places); i++) {
        struct schema *schema = NULL;
        struct error err = { 0 };

        (void)snprintf(text, sizeof(text), "%s\"%s\":%s%s", places[i % COUNT_OF(places)].before,
                       key, values[i / COUNT_OF(places)], places[i % COUNT_OF(places)].behind);
        TEST_CASE(text);

        struct json_object *document = parse(str_from_c(text));
        bool accepted = schema_check(metaschema, document, NULL) == SCHEMA_VALID;
        bool compiled = schema_compile(document, &options, &schema, &err);

        CHECK(compiled == accepted);
        schema_destroy(schema);
        json_release(document);
    }
}

static void agree_on_properties(const struct schema *metaschema, enum schema_draft draft,
                                const char *uri)
{
    struct json_object *properties = NULL;
    struct str text = { NULL, 0 };

    CHECK(metaschema_find(str_from_c(uri), &text));

    struct json_object *document = parse(text);

    CHECK(json_find(document, "properties", &properties));
    for (JSON_EACH(member, properties))
        agree(metaschema, draft, json_key(member));
    json_release(document);
}

static void compiling_says_what_the_metaschema_says(void)
{
    for (size_t i = 0; i < COUNT_OF(drafts); i++) {
        struct schema *metaschema = reference_to(drafts[i].documents[0]);

        for (size_t j = 0; j < DOCUMENTS_MAX && drafts[i].documents[j]; j++)
            agree_on_properties(metaschema, drafts[i].draft, drafts[i].documents[j]);
        agree(metaschema, drafts[i].draft, "unknown");
        schema_destroy(metaschema);
    }
}

int main(void)
{
    RUN(compiling_says_what_the_metaschema_says);
    return test_end();
}
