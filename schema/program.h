/*
 * program.h - what a schema is compiled to; shared by the compiler, the checker and the reporter.
 *
 * A node is one subschema. It holds its rules twice: as written, for the reporter, and as a plan,
 * for the checker: in the order of cost, with all rules about an object's members in one pass. A
 * node that is nothing but a `$ref` is stepped over by the checker (target.fast), while the
 * reporter visits it because its place belongs in an error's path.
 *
 * The kinds of instances are the bits 1 << enum json_type.
 *
 * Threads: immutable once compiled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/regex.h"
#include "schema/format/format.h"
#include "schema/lookup.h"
#include "schema/schema.h"

#define NO_NODE UINT32_MAX

enum {
    KIND_NULL = 1U << json_type_null,
    KIND_BOOLEAN = 1U << json_type_boolean,
    KIND_DOUBLE = 1U << json_type_double,
    KIND_INT = 1U << json_type_int,
    KIND_NUMBER = KIND_INT | KIND_DOUBLE,
    KIND_OBJECT = 1U << json_type_object,
    KIND_ARRAY = 1U << json_type_array,
    KIND_STRING = 1U << json_type_string,
    KIND_ALL = 0x7F,
    KIND_COUNT = 7,
};

enum rule_op {
    RULE_TYPE, /* in `types`; never in a plan */
    RULE_ENUM,
    RULE_CONST,
    RULE_MINIMUM,
    RULE_MAXIMUM,
    RULE_EXCLUSIVE_MINIMUM,
    RULE_EXCLUSIVE_MAXIMUM,
    RULE_MULTIPLE_OF,
    RULE_MIN_LENGTH,
    RULE_MAX_LENGTH,
    RULE_PATTERN,
    RULE_FORMAT,
    RULE_MIN_ITEMS,
    RULE_MAX_ITEMS,
    RULE_UNIQUE_ITEMS,
    RULE_PREFIX_ITEMS,
    RULE_ITEMS, /* the items behind a prefix; target 0 */
    RULE_CONTAINS,
    RULE_MIN_PROPERTIES,
    RULE_MAX_PROPERTIES,
    RULE_REQUIRED,
    RULE_PROPERTIES,
    RULE_PATTERN_PROPERTIES,
    RULE_ADDITIONAL_PROPERTIES,
    RULE_PROPERTY_NAMES,
    RULE_DEPENDENTS, /* dependencies, dependentRequired, dependentSchemas */
    RULE_ALL_OF,
    RULE_ANY_OF,
    RULE_ONE_OF,
    RULE_NOT,
    RULE_IF, /* targets: if, then, else */
    RULE_REF,
    RULE_DYNAMIC_REF,
    RULE_DANGLING, /* a reference that leads nowhere */
    RULE_UNEVALUATED_ITEMS,
    RULE_UNEVALUATED_PROPERTIES,
    RULE_MEMBERS, /* in a plan only: required, sizes, properties, patterns and additional in one */
    RULE_COUNT,
};

/** Sets of rules. */
#define RULE_BIT(op) (UINT64_C(1) << (op))

/** A subschema, NO_NODE when there is none. */
struct target {
    uint32_t node;
    uint32_t fast; /* the node to check in its place */
};

/** A part of the schema's `quotes`. */
struct quote {
    uint32_t start;
    uint32_t len;
};

/** Whole numbers written with a fraction or exponent: are they of type "integer"? */
enum whole {
    WHOLE_NEVER,   /* "integer" is not asked for, or "number" is allowed too */
    WHOLE_LEXICAL, /* draft 4: only when written as one */
    WHOLE_VALUED,
};

/** A keyword's names, and whether a property calls for them or for a subschema. */
struct dependent {
    struct str name; /* a NUL follows */
    const struct str *needed;
    uint32_t needed_count;
};

/** A place that `$dynamicRef` may mean: the one of the outermost resource in scope wins. */
struct scoped_target {
    uint32_t resource;
    struct target target;
};

struct scoped {
    struct scoped_target *targets;
    uint32_t count;
};

enum { VALUES_IN_TURN_MAX = 8 };

/** A value and, where it is sorted or looked up by it, its hash (json_hash). */
struct hashed_value {
    uint64_t hash;
    struct json_object *value;
};

/** For qsort(): by the hashes. */
static inline int hashed_value_order(const void *a, const void *b)
{
    uint64_t left = ((const struct hashed_value *)a)->hash;
    uint64_t right = ((const struct hashed_value *)b)->hash;

    return (left > right) - (left < right);
}

/** The values of `enum` and `const`. */
struct values {
    struct lookup_names strings;
    struct hashed_value *others; /* arrays, objects, numbers, booleans, null; by their hashes when
                                    there are more than VALUES_IN_TURN_MAX */
    uint32_t other_count;
};

/** One name that `properties` or `required` mentions. */
struct slot {
    uint32_t node;      /* to check; NO_NODE: it is only required */
    uint64_t required;  /* its bit, 0: optional */
    unsigned long hash; /* json-c's, if members.open */
};

struct pattern {
    const struct regex *regex;
    struct str text;
};

/** All that a node says about an object's members. */
struct members {
    struct lookup_names names; /* first those of `properties`, in their order */
    struct slot *slots;
    struct lookup by_symbol; /* slots by the numbers of their symbols; empty: no symbols */
    const struct pattern *patterns;
    const struct target *pattern_targets;
    uint32_t pattern_count;
    struct target additional;
    uint64_t required;         /* bits of all that is required */
    struct str *also_required; /* beyond the 64th */
    uint32_t also_required_count;
    uint64_t min;
    uint64_t max;
    bool open; /* only the slots matter, so a large object may be looked into instead of walked */
};

struct rule {
    uint8_t op;
    uint8_t kinds; /* instances it speaks about */
    bool flag;     /* items: `false` is told once for all; contains: matches are evaluated;
                      numbers: u.integer holds the limit */
    bool modern;   /* contains: worded as since 2019-09 */
    const char *keyword;
    struct json_object *source; /* the keyword's value; when all is compiled only that of a numeric
                                   limit is left, as a copy; only read */
    struct quote quote;         /* the keyword's value, as a message shows it */
    struct target *targets;
    uint32_t target_count;
    uint32_t offset; /* items: length of the prefix */
    union {
        uint64_t limit;  /* lengths and sizes */
        int64_t integer; /* numeric limits, if flag */
        const struct regex *regex;
        const struct format *format;
        const struct values *values;
        const struct members *members;
        const struct pattern *patterns;
        const struct dependent *dependents;
        const struct scoped *scoped;
        struct {
            const struct str *names;
            uint32_t count;
        } names; /* required, properties */
        struct {
            uint64_t min;
            uint64_t max;
        } contains;
    } u;
};

struct node {
    uint8_t types; /* kinds that may pass; 0 is the schema `false` */
    uint8_t more;  /* kinds for which there is a plan */
    uint8_t whole; /* enum whole */
    bool tracks;   /* it has unevaluatedItems or unevaluatedProperties */
    bool is_false; /* the schema `false` */
    bool has_type; /* it has the keyword `type` */
    uint32_t resource;
    uint32_t location; /* the compiler's */
    uint64_t ops;      /* RULE_BIT of each of its rules, all references as RULE_REF */
    uint32_t rule_count;
    uint32_t plan_count;
    struct quote quote;      /* if a message may show the whole subschema */
    struct rule *rules;      /* as written */
    struct rule *plan;       /* for the checker */
    struct members *members; /* NULL: it says nothing about them */
};

struct schema {
    struct arena *arena; /* owns everything below */
    struct node *nodes;
    uint32_t node_count;
    uint32_t root;
    uint32_t root_fast; /* as target.fast */
    bool dynamic;       /* the scope of resources must be kept */
    bool tracks;        /* a node of it does */
    struct json_symbols *symbols;
    struct buf quotes; /* what messages quote of the schema */
    struct str *warnings;
    size_t warning_count;
};
