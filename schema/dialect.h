/*
 * dialect.h - the drafts: which keywords each one knows, and where their subschemas are.
 *
 * Threads: everything here is read-only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/str.h"
#include "schema/schema.h"

/** What a metaschema's `$vocabulary` switches; drafts 4 to 7 have all of them. */
enum vocabulary {
    VOCABULARY_CORE = 1,
    VOCABULARY_APPLICATOR = 2,
    VOCABULARY_UNEVALUATED = 4,
    VOCABULARY_VALIDATION = 8,
    VOCABULARY_FORMAT = 16,
    VOCABULARY_OTHER = 32, /* only annotations */
    VOCABULARY_ALL = 63,
};

struct dialect {
    enum schema_draft draft;
    unsigned vocabularies;
    bool assert_formats;
    struct json_object *metaschema; /* a metaschema of one's own; NULL: the draft's */
    struct str metaschema_uri;
    bool unknown; /* a `$schema` names none that is known; this is the fallback */
};

/** Where the subschemas lie in a keyword's value. */
enum holds {
    HOLDS_NOTHING,
    HOLDS_SCHEMA, /* it is a subschema, or an array of them */
    HOLDS_MAP,    /* an object: each member's value may be a subschema */
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
    KEYWORD_PLACE, /* asserts nothing, but may hold subschemas: $defs, then, title, ... */
};

struct keyword {
    const char *name;
    uint8_t id;     /* enum keyword_id */
    uint8_t drafts; /* bits 1 << enum schema_draft */
    uint8_t vocabulary;
    uint8_t holds; /* enum holds */
};

/** The keyword `name`, or NULL when this dialect has none. */
const struct keyword *dialect_keyword(const struct dialect *dialect, const char *name);

/** The keyword of any draft that `name`, which is none, is probably meant to be; NULL: none. */
const char *dialect_similar(struct str name);

/** Does a `$ref` hide all that stands beside it? */
static inline bool dialect_ref_hides(const struct dialect *dialect)
{
    return dialect->draft >= SCHEMA_DRAFT_7;
}

/** The kinds of instances (program.h) that a type's name stands for, or 0. */
unsigned dialect_type(struct str name);

/** "id" or "$id". */
static inline const char *dialect_id(const struct dialect *dialect)
{
    return dialect->draft == SCHEMA_DRAFT_4 ? "id" : "$id";
}

/** The plain dialect of a draft. */
struct dialect dialect_of(enum schema_draft draft);

/** "7", "2020-12", ... */
struct str dialect_name(enum schema_draft draft);

/** The draft whose metaschema has this URI (an empty fragment does not count). */
bool dialect_draft(struct str uri, enum schema_draft *out);

/** The vocabulary's bit and the draft it belongs to, or 0 when it is unknown. */
unsigned dialect_vocabulary(struct str uri, bool *asserts_formats);
