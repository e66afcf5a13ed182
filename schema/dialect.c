/*
 * dialect.c - see dialect.h.
 */
#include "schema/dialect.h"

#include <stdlib.h>

#include "base/similar.h"
#include "schema/program.h"

enum {
    SINCE_2020 = 1 << SCHEMA_DRAFT_2020_12,
    IN_2019 = 1 << SCHEMA_DRAFT_2019_09,
    IN_7 = 1 << SCHEMA_DRAFT_7,
    IN_6 = 1 << SCHEMA_DRAFT_6,
    IN_4 = 1 << SCHEMA_DRAFT_4,
    SINCE_2019 = SINCE_2020 | IN_2019,
    SINCE_7 = SINCE_2019 | IN_7,
    SINCE_6 = SINCE_7 | IN_6,
    ALWAYS = SINCE_6 | IN_4,
    UNTIL_2019 = IN_2019 | IN_7 | IN_6 | IN_4,
};

#define KEYWORD(text, id, drafts, vocabulary, holds)                                               \
    {                                                                                              \
        text, KEYWORD_##id, drafts, VOCABULARY_##vocabulary, HOLDS_##holds                         \
    }

/* Sorted by name, for bsearch(). */
static const struct keyword keywords[] = {
    KEYWORD("$comment", NO_RULE, SINCE_7, CORE, NOTHING),
    KEYWORD("$defs", NO_RULE, SINCE_2019, CORE, MAP),
    KEYWORD("$dynamicRef", DYNAMIC_REF, SINCE_2020, CORE, NOTHING),
    KEYWORD("$id", NO_RULE, SINCE_6, CORE, NOTHING),
    KEYWORD("$recursiveRef", RECURSIVE_REF, IN_2019, CORE, NOTHING),
    KEYWORD("$ref", REF, ALWAYS, CORE, NOTHING),
    KEYWORD("$schema", NO_RULE, ALWAYS, CORE, NOTHING),
    KEYWORD("additionalItems", ADDITIONAL_ITEMS, UNTIL_2019, APPLICATOR, SCHEMA),
    KEYWORD("additionalProperties", ADDITIONAL_PROPERTIES, ALWAYS, APPLICATOR, SCHEMA),
    KEYWORD("allOf", ALL_OF, ALWAYS, APPLICATOR, SCHEMA),
    KEYWORD("anyOf", ANY_OF, ALWAYS, APPLICATOR, SCHEMA),
    KEYWORD("const", CONST, SINCE_6, VALIDATION, NOTHING),
    KEYWORD("contains", CONTAINS, SINCE_6, APPLICATOR, SCHEMA),
    KEYWORD("contentEncoding", NO_RULE, SINCE_7, OTHER, NOTHING),
    KEYWORD("contentMediaType", NO_RULE, SINCE_7, OTHER, NOTHING),
    KEYWORD("contentSchema", NO_RULE, SINCE_2019, OTHER, SCHEMA),
    KEYWORD("default", NO_RULE, ALWAYS, OTHER, NOTHING),
    KEYWORD("definitions", NO_RULE, ALWAYS, CORE, MAP),
    KEYWORD("dependencies", DEPENDENCIES, ALWAYS, APPLICATOR, MAP),
    KEYWORD("dependentRequired", DEPENDENT_REQUIRED, SINCE_2019, VALIDATION, NOTHING),
    KEYWORD("dependentSchemas", DEPENDENT_SCHEMAS, SINCE_2019, APPLICATOR, MAP),
    KEYWORD("deprecated", NO_RULE, SINCE_2019, OTHER, NOTHING),
    KEYWORD("description", NO_RULE, ALWAYS, OTHER, NOTHING),
    KEYWORD("else", NO_RULE, SINCE_7, APPLICATOR, SCHEMA),
    KEYWORD("enum", ENUM, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("examples", NO_RULE, SINCE_6, OTHER, NOTHING),
    KEYWORD("exclusiveMaximum", EXCLUSIVE_MAXIMUM, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("exclusiveMinimum", EXCLUSIVE_MINIMUM, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("format", FORMAT, ALWAYS, FORMAT, NOTHING),
    KEYWORD("if", IF, SINCE_7, APPLICATOR, SCHEMA),
    KEYWORD("items", ITEMS, ALWAYS, APPLICATOR, SCHEMA),
    KEYWORD("maxContains", MAX_CONTAINS, SINCE_2019, VALIDATION, NOTHING),
    KEYWORD("maxItems", MAX_ITEMS, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("maxLength", MAX_LENGTH, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("maxProperties", MAX_PROPERTIES, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("maximum", MAXIMUM, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("minContains", MIN_CONTAINS, SINCE_2019, VALIDATION, NOTHING),
    KEYWORD("minItems", MIN_ITEMS, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("minLength", MIN_LENGTH, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("minProperties", MIN_PROPERTIES, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("minimum", MINIMUM, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("multipleOf", MULTIPLE_OF, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("not", NOT, ALWAYS, APPLICATOR, SCHEMA),
    KEYWORD("oneOf", ONE_OF, ALWAYS, APPLICATOR, SCHEMA),
    KEYWORD("pattern", PATTERN, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("patternProperties", PATTERN_PROPERTIES, ALWAYS, APPLICATOR, MAP),
    KEYWORD("prefixItems", PREFIX_ITEMS, SINCE_2020, APPLICATOR, SCHEMA),
    KEYWORD("properties", PROPERTIES, ALWAYS, APPLICATOR, MAP),
    KEYWORD("propertyNames", PROPERTY_NAMES, SINCE_6, APPLICATOR, SCHEMA),
    KEYWORD("readOnly", NO_RULE, SINCE_7, OTHER, NOTHING),
    KEYWORD("required", REQUIRED, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("then", NO_RULE, SINCE_7, APPLICATOR, SCHEMA),
    KEYWORD("title", NO_RULE, ALWAYS, OTHER, NOTHING),
    KEYWORD("type", TYPE, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("unevaluatedItems", UNEVALUATED_ITEMS, SINCE_2019, UNEVALUATED, SCHEMA),
    KEYWORD("unevaluatedProperties", UNEVALUATED_PROPERTIES, SINCE_2019, UNEVALUATED, SCHEMA),
    KEYWORD("uniqueItems", UNIQUE_ITEMS, ALWAYS, VALIDATION, NOTHING),
    KEYWORD("writeOnly", NO_RULE, SINCE_7, OTHER, NOTHING),
};

static int compare_name(const void *name, const void *keyword)
{
    return str_compare(*(const struct str *)name,
                       str_from_c(((const struct keyword *)keyword)->name));
}

const struct keyword *dialect_keyword(const struct dialect *dialect, struct str name)
{
    const struct keyword *keyword =
        bsearch(&name, keywords, COUNT_OF(keywords), sizeof(keywords[0]), compare_name);

    if (!keyword || (keyword->drafts & 1U << dialect->draft) == 0 ||
        (keyword->vocabulary & dialect->vocabularies) == 0)
        return NULL;
    return keyword;
}

const char *dialect_similar(struct str name)
{
    const char *best = NULL;
    unsigned fewest = SIMILAR_NOT;

    if (str_equal(name, STR("example"))) /* a keyword of OpenAPI */
        return NULL;
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        unsigned changes = similar_changes(name, str_from_c(keywords[i].name));

        if (changes < fewest) {
            fewest = changes;
            best = keywords[i].name;
        }
    }
    return fewest > 0 ? best : NULL; /* 0: a keyword of another draft */
}

unsigned dialect_type(struct str name)
{
    static const struct {
        struct str name;
        unsigned kinds;
    } known[] = {
        ['a' - 'a'] = { STR_INIT("array"), KIND_ARRAY },
        ['b' - 'a'] = { STR_INIT("boolean"), KIND_BOOLEAN },
        ['i' - 'a'] = { STR_INIT("integer"), KIND_INT },
        ['n' - 'a'] = { STR_INIT("number"), KIND_NUMBER },
        ['o' - 'a'] = { STR_INIT("object"), KIND_OBJECT },
        ['s' - 'a'] = { STR_INIT("string"), KIND_STRING },
    };
    size_t first = name.len > 0 ? (size_t)(unsigned char)name.ptr[0] - 'a' : SIZE_MAX;

    if (first < COUNT_OF(known) && str_equal(name, known[first].name))
        return known[first].kinds;
    return str_equal(name, STR("null")) ? KIND_NULL : 0;
}

struct dialect dialect_of(enum schema_draft draft)
{
    return (struct dialect){ .draft = draft, .vocabularies = VOCABULARY_ALL };
}

static const struct {
    struct str name;
    struct str uri;
} drafts[] = {
    [SCHEMA_DRAFT_2020_12] = { STR_INIT("2020-12"),
                               STR_INIT("https://json-schema.org/draft/2020-12/schema") },
    [SCHEMA_DRAFT_2019_09] = { STR_INIT("2019-09"),
                               STR_INIT("https://json-schema.org/draft/2019-09/schema") },
    [SCHEMA_DRAFT_7] = { STR_INIT("7"), STR_INIT("http://json-schema.org/draft-07/schema") },
    [SCHEMA_DRAFT_6] = { STR_INIT("6"), STR_INIT("http://json-schema.org/draft-06/schema") },
    [SCHEMA_DRAFT_4] = { STR_INIT("4"), STR_INIT("http://json-schema.org/draft-04/schema") },
};

bool dialect_draft(struct str uri, enum schema_draft *out)
{
    if (str_ends_with(uri, STR("#")))
        uri.len--;
    for (size_t i = 0; i < COUNT_OF(drafts); i++) {
        if (str_equal(uri, drafts[i].uri)) {
            *out = (enum schema_draft)i;
            return true;
        }
    }
    return false;
}

struct str dialect_name(enum schema_draft draft)
{
    return drafts[draft].name;
}

bool schema_draft_parse(struct str name, enum schema_draft *out)
{
    for (size_t i = 0; i < COUNT_OF(drafts); i++) {
        if (str_equal(name, drafts[i].name)) {
            *out = (enum schema_draft)i;
            return true;
        }
    }
    return dialect_draft(name, out);
}

unsigned dialect_vocabulary(struct str uri, bool *asserts_formats)
{
    static const struct {
        struct str uri;
        unsigned bits;
        bool asserts_formats;
    } known[] = {
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/core"), VOCABULARY_CORE, false },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/applicator"), VOCABULARY_APPLICATOR,
          false },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/unevaluated"),
          VOCABULARY_UNEVALUATED, false },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/validation"), VOCABULARY_VALIDATION,
          false },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/format-annotation"),
          VOCABULARY_FORMAT, false },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/format-assertion"),
          VOCABULARY_FORMAT, true },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/content"), VOCABULARY_OTHER,
          false },
        { STR_INIT("https://json-schema.org/draft/2020-12/vocab/meta-data"), VOCABULARY_OTHER,
          false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/core"), VOCABULARY_CORE, false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/applicator"),
          VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED, false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/validation"), VOCABULARY_VALIDATION,
          false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/format"), VOCABULARY_FORMAT,
          false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/content"), VOCABULARY_OTHER,
          false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/meta-data"), VOCABULARY_OTHER,
          false },
        { STR_INIT("https://json-schema.org/draft/2019-09/vocab/hyper-schema"), VOCABULARY_OTHER,
          false },
    };

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_equal(uri, known[i].uri)) {
            *asserts_formats = *asserts_formats || known[i].asserts_formats;
            return known[i].bits;
        }
    }
    return 0;
}
