/*
 * compile.h - what the compile*.c files share; other modules use schema.h.
 *
 * A node is created for the root schema, and for each subschema when a keyword or a reference first
 * refers to it. Nodes are compiled in the order of creation. So the compiler needs no recursion,
 * and skips subschemas that no validation can reach. After that it resolves the dynamic references,
 * rejects reference loops, and builds the plans of all nodes.
 */
#pragma once

#include "base/error.h"
#include "schema/library.h"
#include "schema/program.h"

/** A `$dynamicRef` or `$recursiveRef` whose target depends on the dynamic scope. */
struct dynamic_rule {
    uint32_t node;
    uint32_t rule;     /* index in the node's rules */
    uint32_t same_as;  /* index of the first dynamic rule with the same candidate targets */
    struct str anchor; /* of a `$dynamicRef` */
    bool recursive;    /* it is a `$recursiveRef` */
};

/** A compiled pattern. Equal patterns of a schema share one. */
struct known_regex {
    struct str pattern;
    const struct regex *regex;
};

struct compiler {
    struct schema *schema;
    struct library library;
    struct error *err;
    size_t node_capacity;
    uint32_t compiled;                    /* nodes with a lower index are compiled */
    unsigned checked;                     /* documents that are validated by their metaschema */
    struct quote type_quotes[KIND_COUNT]; /* of single types; empty: not written yet */
    struct dynamic_rule *dynamics;
    uint32_t dynamic_count;
    size_t dynamic_capacity;
    struct lookup dynamic_names;
    struct known_regex *regexes;
    uint32_t regex_count;
    size_t regex_capacity;
    struct lookup regex_patterns;

    /* The current node, which is being compiled. */
    uint32_t node;
    uint32_t location;
    const struct flat *object;
    struct dialect dialect;
    const struct flat *value; /* of the current keyword */
    struct rule *rules;
    uint32_t rule_count;
    size_t rule_capacity;
    uint64_t ops;
    uint8_t types;
    bool whole;
    bool has_type;
};

/** schema_compile() of a trusted document: it is not validated by its metaschema. */
NODISCARD bool compile_unchecked(const struct flat *document, const struct schema_options *options,
                                 struct schema **out, struct error *err);

/** compile.c: the node of a location; created by the first call. */
uint32_t compile_node_at(struct compiler *compiler, uint32_t location);

/** Add a rule to the current node. The pointer is valid until the next call. */
struct rule *compile_rule(struct compiler *compiler, enum rule_op op, const char *keyword,
                          uint8_t kinds);

/** An array of `count` targets in the schema's arena, all NO_NODE. */
struct target *compile_alloc_targets(struct compiler *compiler, size_t count);

/** Make the subschema `value` the target `*out`. Fails when `value` is not a schema. */
NODISCARD bool compile_target(struct compiler *compiler, const char *keyword,
                              const struct flat *value, struct target *out);

/** Add a rule with one target, the schema `value`. NULL: `value` is not a schema. */
struct rule *compile_schema_rule(struct compiler *compiler, enum rule_op op,
                                 const struct keyword *keyword, const struct flat *value,
                                 uint8_t kinds);

/** Fail with "at /pointer/keyword: ..." as the text. Returns false. */
bool compile_fail(struct compiler *compiler, const char *keyword, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** Put "at /pointer/keyword: " before the text of the error. Returns false. */
bool compile_fail_within(struct compiler *compiler, const char *keyword);

/** compile_warn.c: add "at /pointer/keyword: ..." to the schema's warnings. */
void compile_warn(struct compiler *compiler, const char *keyword, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** Add a warning if `key`, which is not a keyword, is probably a misspelt one. */
void compile_warn_unknown(struct compiler *compiler, struct str key);

/** Add a warning for each document whose `$schema` is unknown, or unsuitable for AWS Glue. */
void compile_warn_dialects(struct compiler *compiler);

/** Another keyword of the current subschema. NULL: absent, or unknown to the dialect. */
const struct flat *compile_sibling(const struct compiler *compiler, const char *keyword);

/** compile_keywords.c: add the rules of one keyword to the current node. */
NODISCARD bool compile_keyword(struct compiler *compiler, const struct keyword *keyword,
                               const struct flat *value);

/* Functions that compile keywords. One function can serve several similar keywords. */
#define COMPILE_FN(name)                                                                           \
    NODISCARD bool name(struct compiler *compiler, const struct keyword *keyword,                  \
                        const struct flat *value)

/* compile_values.c: `type`, `enum`, `const`, limits, `pattern`, `format`, uniqueItems. */
COMPILE_FN(compile_type);
COMPILE_FN(compile_enum);
COMPILE_FN(compile_const);
COMPILE_FN(compile_limit);
COMPILE_FN(compile_size);
COMPILE_FN(compile_pattern);
COMPILE_FN(compile_format);
COMPILE_FN(compile_unique);

/* compile_members.c: keywords for properties of objects. */
COMPILE_FN(compile_properties);
COMPILE_FN(compile_pattern_properties);
COMPILE_FN(compile_additional_properties);
COMPILE_FN(compile_property_names);
COMPILE_FN(compile_required);
COMPILE_FN(compile_dependents);

/* compile_applicators.c: the other applicators, and references. */
COMPILE_FN(compile_items);
COMPILE_FN(compile_prefix_items);
COMPILE_FN(compile_additional_items);
COMPILE_FN(compile_contains);
COMPILE_FN(compile_schemas);
COMPILE_FN(compile_not);
COMPILE_FN(compile_if);
COMPILE_FN(compile_unevaluated);
COMPILE_FN(compile_ref);
COMPILE_FN(compile_dynamic_ref);
COMPILE_FN(compile_recursive_ref);

/** compile_values.c: the strings of an array of strings, in the schema's arena. */
NODISCARD bool compile_names(struct compiler *compiler, const char *keyword,
                             const struct flat *array, const struct str **names, uint32_t *count);

/** The compiled `pattern`, which the schema owns. */
NODISCARD bool compile_regex(struct compiler *compiler, const char *keyword, struct str pattern,
                             const struct regex **out);

/** compile_finish.c: find the targets of dynamic references, and compile their nodes. */
NODISCARD bool compile_dynamics(struct compiler *compiler);

/** Fail if a subschema applies itself to the same instance location again: an infinite loop. */
NODISCARD bool compile_loops(struct compiler *compiler);

/** Set target.fast of all targets. */
void compile_shortcuts(struct compiler *compiler);

/** compile_keep.c: copy from the documents what rules and messages still need, so that they can be
 * released. */
NODISCARD bool compile_keep(struct compiler *compiler);

/** compile.c: compile the nodes that are created but not compiled. */
NODISCARD bool compile_pending(struct compiler *compiler);

/** compile_plan.c: build the plan of each node, and add its property names to the symbols. */
void compile_plans(struct compiler *compiler);

/** compile_check.c: validate the documents added since the last call by their metaschemas. */
NODISCARD bool compile_check_documents(struct compiler *compiler);
