/*
 * compile.h - what the compile*.c files share; others use schema.h.
 *
 * Nodes are made when something refers to them and compiled in the order they were made, so that
 * nothing recurses and nothing that cannot be reached is compiled. Then come, over all nodes:
 * dynamic references, the search for endless loops, and the plans.
 */
#pragma once

#include "base/error.h"
#include "schema/library.h"
#include "schema/program.h"

/** A `$dynamicRef` or `$recursiveRef` whose targets depend on the way to it. */
struct dynamic_rule {
    uint32_t node;
    uint32_t rule;
    uint32_t like;     /* the first of them with the same name, which has the same targets */
    struct str anchor; /* unused by `$recursiveRef` */
    bool recursive;
};

/** A pattern that is compiled once, however often the schema has it. */
struct known_regex {
    struct str pattern;
    const struct regex *regex;
};

struct compiler {
    struct schema *schema;
    struct library library;
    struct error *err;
    size_t node_capacity;
    uint32_t compiled;                    /* nodes below are */
    unsigned checked;                     /* documents that obey their metaschema */
    unsigned depth;                       /* metaschemas being compiled around this */
    struct quote type_quotes[KIND_COUNT]; /* of single types; empty: not written yet */
    struct dynamic_rule *dynamics;
    uint32_t dynamic_count;
    size_t dynamic_capacity;
    struct lookup dynamic_names;
    struct known_regex *regexes;
    uint32_t regex_count;
    size_t regex_capacity;
    struct lookup regex_patterns;

    /* The node at work. */
    uint32_t node;
    uint32_t location;
    struct json_object *object;
    struct dialect dialect;
    struct json_object *value; /* of the keyword at work */
    struct rule *rules;
    uint32_t rule_count;
    size_t rule_capacity;
    uint64_t ops;
    uint8_t types;
    enum whole whole;
    bool has_type;
};

/** schema_compile() without looking at the metaschema. */
NODISCARD bool compile_unchecked(struct json_object *document, const struct schema_options *options,
                                 struct schema **out, struct error *err);

/** compile.c: the node of a location, made if need be. */
uint32_t compile_node_at(struct compiler *compiler, uint32_t location);

/** A new rule of the node at work, valid until the next. */
struct rule *compile_rule(struct compiler *compiler, enum rule_op op, const char *keyword,
                          uint8_t kinds);

/** `count` targets that are not there yet, in the arena. */
struct target *compile_alloc_targets(struct compiler *compiler, size_t count);

/** The subschema `value` as target; fails when it is none. */
NODISCARD bool compile_target(struct compiler *compiler, const char *keyword,
                              struct json_object *value, struct target *out);

/** "at /pointer/keyword: ..."; returns false. */
bool compile_fail(struct compiler *compiler, const char *keyword, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** Put "at /pointer/keyword: " before the error; returns false. */
bool compile_fail_within(struct compiler *compiler, const char *keyword);

/** compile_warn.c: "at /pointer/keyword: ..." among the schema's warnings. */
void compile_warn(struct compiler *compiler, const char *keyword, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** Warn when the member `key`, which is no keyword, is probably meant to be one. */
void compile_warn_unknown(struct compiler *compiler, const char *key);

/** Warn of documents that do not say their draft as they should. */
void compile_warn_dialects(struct compiler *compiler);

/** The value of a keyword that stands beside the one at work and that the dialect knows. */
bool compile_sibling(const struct compiler *compiler, const char *keyword,
                     struct json_object **value);

/** compile_keywords.c: the rules of one keyword. */
NODISCARD bool compile_keyword(struct compiler *compiler, const struct keyword *keyword,
                               struct json_object *value);

/* The shape of the functions below; they differ in the keywords they know. */
#define COMPILE_FN(name)                                                                           \
    NODISCARD bool name(struct compiler *compiler, const struct keyword *keyword,                  \
                        struct json_object *value)

/* compile_values.c: keywords that look at the value itself. */
COMPILE_FN(compile_type);
COMPILE_FN(compile_enum);
COMPILE_FN(compile_const);
COMPILE_FN(compile_limit);
COMPILE_FN(compile_size);
COMPILE_FN(compile_pattern);
COMPILE_FN(compile_format);
COMPILE_FN(compile_unique);

/* compile_members.c: keywords about the members of an object. */
COMPILE_FN(compile_properties);
COMPILE_FN(compile_pattern_properties);
COMPILE_FN(compile_additional_properties);
COMPILE_FN(compile_property_names);
COMPILE_FN(compile_required);
COMPILE_FN(compile_dependents);

/* compile_applicators.c: the others that hold subschemas, and references. */
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

/** compile_values.c: the names in an array of strings, in the arena. */
NODISCARD bool compile_names(struct compiler *compiler, const char *keyword,
                             struct json_object *array, const struct str **names, uint32_t *count);

/** A regular expression that the schema owns. */
NODISCARD bool compile_regex(struct compiler *compiler, const char *keyword, struct str pattern,
                             const struct regex **out);

/** compile_finish.c: dynamic references; makes and compiles the nodes they need. */
NODISCARD bool compile_dynamics(struct compiler *compiler);

/** Refuse references that lead back to themselves without going into the instance. */
NODISCARD bool compile_loops(struct compiler *compiler);

/** Fill target.fast everywhere. */
void compile_shortcuts(struct compiler *compiler);

/** compile_keep.c: a copy of a value that the schema owns. */
struct json_object *compile_copy(struct compiler *compiler, struct json_object *value);

/** Part from the documents: copy what rules compare with, write what messages quote. */
NODISCARD bool compile_keep(struct compiler *compiler);

/** compile.c: compile the nodes that are made but not compiled. */
NODISCARD bool compile_pending(struct compiler *compiler);

/** compile_plan.c: the plan of each node, and the schema's keys. */
void compile_plans(struct compiler *compiler);

/** compile_check.c: do the documents taken up so far obey the metaschemas of their dialects? */
NODISCARD bool compile_obeys(struct compiler *compiler);
