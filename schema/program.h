/*
 * program.h - the compiled form of a schema; shared by the compiler, the checker and the reporter.
 *
 * A node is one subschema. A rule is one of its assertions or applicators. A node has its rules
 * twice: in the order of the schema, for the reporter; and as a plan, for the checker. The plan is
 * ordered by cost, and one rule (RULE_MEMBERS) replaces all rules for an object's properties. The
 * checker skips nodes that have only a `$ref` (target.fast). The reporter visits them, because they
 * are part of an error's keyword location.
 *
 * A kind is a type of instance, as the bit 1 << enum json_kind.
 *
 * Threads: immutable once compiled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/flat.h"
#include "base/regex.h"
#include "schema/format/format.h"
#include "schema/lookup.h"
#include "schema/schema.h"

#define NO_NODE UINT32_MAX

enum {
    KIND_NULL = 1U << JSON_NULL,
    KIND_BOOLEAN = 1U << JSON_BOOLEAN,
    KIND_DOUBLE = 1U << JSON_NUMBER,
    KIND_INT = 1U << JSON_INTEGER,
    KIND_NUMBER = KIND_INT | KIND_DOUBLE,
    KIND_OBJECT = 1U << JSON_OBJECT,
    KIND_ARRAY = 1U << JSON_ARRAY,
    KIND_STRING = 1U << JSON_STRING,
    KIND_ALL = 0x7F,
    KIND_COUNT = 7,
};

static inline unsigned kind_bit(const struct flat *value)
{
    return 1U << value->kind;
}

enum rule_op {
    RULE_TYPE, /* not in a plan: node.types replaces it */
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
    RULE_ITEMS, /* the items after the prefix, which has `offset` items */
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
    RULE_DANGLING, /* a reference without a target */
    RULE_UNEVALUATED_ITEMS,
    RULE_UNEVALUATED_PROPERTIES,
    RULE_MEMBERS, /* only in a plan: required, {min,max,pattern,additional}Properties, properties */
    RULE_COUNT,
};

/** Sets of rule_op are bit masks. */
#define RULE_BIT(op) (UINT64_C(1) << (op))

/** A subschema that a rule applies; NO_NODE: absent. */
struct target {
    uint32_t node;
    uint32_t fast; /* the end of its chain of `$ref`-only nodes: the node that is checked */
};

/** A part of schema.quotes. */
struct quote {
    uint32_t start;
    uint32_t len;
};

/** One member of `dependencies` or dependentRequired: a property, and those that it requires. */
struct dependent {
    struct str name;
    const struct str *needed;
    uint32_t needed_count;
};

/** A candidate target of a dynamic reference: that of the outermost resource in scope applies. */
struct scoped_target {
    uint32_t resource;
    struct target target;
};

struct scoped {
    struct scoped_target *targets;
    uint32_t count;
};

enum { VALUES_UNSORTED_MAX = 8 };

/** A value, and its hash (flat_hash) if values are sorted by it. */
struct hashed_value {
    uint64_t hash;
    const struct flat *value;
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
    struct hashed_value *others; /* values that are not strings; sorted by hash if there are more
                                    than VALUES_UNSORTED_MAX */
    uint32_t other_count;
};

/** One property name of `properties` or `required`. */
struct slot {
    uint32_t node;     /* its subschema; NO_NODE: the name is only in `required` */
    uint64_t required; /* its bit in members.required; 0: none */
};

struct pattern {
    const struct regex *regex;
    struct str text;
};

/** All rules of a node for an object's properties (RULE_MEMBERS). */
struct members {
    struct lookup_names names; /* those of `properties` in their order, then those of `required` */
    struct slot *slots;        /* by the number of the name */
    struct lookup by_symbol;   /* slots by symbol index; empty: the schema has no symbols */
    const struct pattern *patterns;
    const struct target *pattern_targets;
    uint32_t pattern_count;
    struct target additional;
    uint64_t required;         /* the bits of the first 64 required names */
    struct str *also_required; /* the other required names */
    uint32_t also_required_count;
    uint64_t min; /* minProperties */
    uint64_t max; /* maxProperties */
    bool open;    /* neither patternProperties nor additionalProperties: in a large object it is
                     enough to look up the slots */
};

struct rule {
    uint8_t op;    /* enum rule_op */
    uint8_t kinds; /* the kinds of instances that the rule applies to */
    bool flag;     /* items: if the subschema is `false`, report one error for all items;
                      contains: matching items count as evaluated;
                      numeric limits: u.integer has the limit */
    bool modern;   /* contains: the error message of drafts since 2019-09 */
    const char *keyword;
    const struct flat *source; /* the keyword's value; after the compilation only that of a numeric
                                   limit, as a copy, else NULL */
    struct quote quote;        /* the keyword's value, as messages show it */
    struct target *targets;    /* the subschemas that the rule applies */
    uint32_t target_count;
    uint32_t offset; /* items: length of the prefix */
    union {
        uint64_t limit;  /* lengths and counts; type: the kinds */
        int64_t integer; /* numeric limits, if `flag` */
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
    uint8_t types;      /* kinds that can be valid; 0: the schema `false` */
    uint8_t plan_kinds; /* kinds that a rule of the plan applies to */
    bool whole;         /* `type` accepts integers only, which since draft 6 include 1.0 */
    bool tracks;        /* it has unevaluatedItems or unevaluatedProperties */
    bool is_false;      /* it is the schema `false` */
    bool has_type;      /* it has the keyword `type` */
    uint32_t resource;
    uint32_t location; /* in the compiler's library */
    uint64_t ops;      /* RULE_BIT of each rule; RULE_REF for each kind of reference */
    uint32_t rule_count;
    uint32_t plan_count;
    struct quote quote;      /* the whole subschema, if messages can show it */
    struct rule *rules;      /* in the order of the schema */
    struct rule *plan;       /* for the checker */
    struct members *members; /* NULL: no rule for properties */
};

struct schema {
    struct arena *arena; /* owns all memory except `nodes` and `quotes` */
    struct node *nodes;
    uint32_t node_count;
    uint32_t root;
    uint32_t root_fast; /* as target.fast */
    bool dynamic;       /* it has RULE_DYNAMIC_REF: the checker must keep the dynamic scope */
    bool tracks;        /* one of its nodes does */
    struct json_symbols *symbols;
    struct buf quotes; /* the parts of the schema that messages show */
    struct str *warnings;
    size_t warning_count;
};
