/*
 * dialect.h - the keywords of each draft, and which of them contain subschemas.
 *
 * Threads: everything here is read-only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/flat.h"
#include "base/str.h"
#include "schema/schema.h"

/** The vocabularies that `$vocabulary` of a metaschema can enable. Drafts 4 to 7 have all. */
enum vocabulary {
    VOCABULARY_CORE = 1,
    VOCABULARY_APPLICATOR = 2,
    VOCABULARY_UNEVALUATED = 4,
    VOCABULARY_VALIDATION = 8,
    VOCABULARY_FORMAT = 16,
    VOCABULARY_OTHER = 32, /* annotations only */
    VOCABULARY_ALL = 63,
};

struct dialect {
    enum schema_draft draft;
    unsigned vocabularies;
    bool assert_formats;
    const struct flat *metaschema; /* a custom metaschema; NULL: that of the draft */
    struct str metaschema_uri;     /* of the custom metaschema */
    bool unknown;                  /* `$schema` is unknown; this is the default dialect */
};

/** Where a keyword's value has subschemas. */
enum holds {
    HOLDS_NOTHING,
    HOLDS_SCHEMA, /* the value is a subschema, or an array of subschemas */
    HOLDS_MAP,    /* the value is an object; its members are subschemas */
};

enum keyword_id {
    KEYWORD_ADDITIONAL_ITEMS,
    KEYWORD_ADDITIONAL_PROPERTIES,
    KEYWORD_ALL_OF,
    KEYWORD_ANY_OF,
    KEYWORD_CONST,
    KEYWORD_CONTAINS,
    KEYWORD_DEPENDENCIES,
    KEYWORD_DEPENDENT_REQUIRED,
    KEYWORD_DEPENDENT_SCHEMAS,
    KEYWORD_DYNAMIC_REF,
    KEYWORD_ENUM,
    KEYWORD_EXCLUSIVE_MAXIMUM,
    KEYWORD_EXCLUSIVE_MINIMUM,
    KEYWORD_FORMAT,
    KEYWORD_IF,
    KEYWORD_ITEMS,
    KEYWORD_MAX_CONTAINS,
    KEYWORD_MAX_ITEMS,
    KEYWORD_MAX_LENGTH,
    KEYWORD_MAX_PROPERTIES,
    KEYWORD_MAXIMUM,
    KEYWORD_MIN_CONTAINS,
    KEYWORD_MIN_ITEMS,
    KEYWORD_MIN_LENGTH,
    KEYWORD_MIN_PROPERTIES,
    KEYWORD_MINIMUM,
    KEYWORD_MULTIPLE_OF,
    KEYWORD_NOT,
    KEYWORD_ONE_OF,
    KEYWORD_PATTERN,
    KEYWORD_PATTERN_PROPERTIES,
    KEYWORD_PREFIX_ITEMS,
    KEYWORD_PROPERTIES,
    KEYWORD_PROPERTY_NAMES,
    KEYWORD_RECURSIVE_REF,
    KEYWORD_REF,
    KEYWORD_REQUIRED,
    KEYWORD_TYPE,
    KEYWORD_UNEVALUATED_ITEMS,
    KEYWORD_UNEVALUATED_PROPERTIES,
    KEYWORD_UNIQUE_ITEMS,
    KEYWORD_NO_RULE, /* compiled to no rule of its own: $defs, then, title, ... */
};

struct keyword {
    const char *name;
    uint8_t id;     /* enum keyword_id */
    uint8_t drafts; /* bits 1 << enum schema_draft */
    uint8_t vocabulary;
    uint8_t holds; /* enum holds */
};

/** The keyword `name`; NULL: the dialect has no such keyword. */
const struct keyword *dialect_keyword(const struct dialect *dialect, struct str name);

/** The keyword, of any draft, of which `name` is probably a misspelling; NULL: none. */
const char *dialect_similar(struct str name);

/** Are keywords next to a `$ref` ignored? True for drafts 4, 6 and 7. */
static inline bool dialect_ref_hides(const struct dialect *dialect)
{
    return dialect->draft >= SCHEMA_DRAFT_7;
}

/** The kinds (program.h) of the JSON Schema type `name`; 0: there is no such type. */
unsigned dialect_type(struct str name);

/** The keyword that identifies a resource: "id" or "$id". */
static inline struct str dialect_id(const struct dialect *dialect)
{
    return dialect->draft == SCHEMA_DRAFT_4 ? STR("id") : STR("$id");
}

/** The dialect of a draft's own metaschema. */
struct dialect dialect_of(enum schema_draft draft);

/** "7", "2020-12", ... */
struct str dialect_name(enum schema_draft draft);

/** The draft whose metaschema has this URI, with or without an empty fragment. False: none. */
bool dialect_draft(struct str uri, enum schema_draft *out);

/**
 * The bits (enum vocabulary) of the vocabulary with this URI; 0: unknown. Sets `*asserts_formats`
 * to true if `format` is an assertion in it; never sets it to false.
 */
unsigned dialect_vocabulary(struct str uri, bool *asserts_formats);
