/*
 * report.h - internals of the reporter, for report*.c, best_match.c and message.c; other modules
 * use schema.h.
 *
 * The reporter validates the instance twice. It numbers the errors in the order in which it finds
 * them; the number is the error's ordinal. The first run determines which ordinals to report (the
 * first max_errors) and which one is the best match. The second run writes the texts of these
 * errors only. So memory grows with max_errors and the depth, not with the number of errors.
 */
#pragma once

#include "schema/check.h"

/** One token of the instance location, in a list from the innermost to the outermost. */
struct step {
    const struct step *up; /* NULL: this is the outermost token */
    struct str key;        /* ptr NULL: the token is `index` */
    size_t index;
    size_t depth; /* 1 for the outermost token */
};

/** One or two tokens of the keyword location: the keyword, and a key or an index below it. */
struct frame {
    const struct frame *up;
    const char *keyword;
    struct str key; /* ptr NULL: the second token is `index`; there is none if that is negative */
    int64_t index;
};

/** A subschema that is applied to a value. */
struct visit {
    const struct node *node;
    const struct flat *value;
    const struct step *step;
    const struct frame *frame;
    const struct evaluated *seen; /* only if node.tracks */
    bool stepped; /* the subschema around this one applies to the parent of `value` */
    bool is_name; /* `value` is a property name (propertyNames) */
};

enum fault_kind {
    FAULT_RULE,    /* `rule` fails; no further data */
    FAULT_FALSE,   /* the schema is `false`; `rule` is NULL */
    FAULT_MISSING, /* required: the property `name` is missing */
    FAULT_NEEDED,  /* dependentRequired: `name` is missing, but `cause` is present */
    FAULT_FEW,     /* contains: too few items match, `count` */
    FAULT_MANY,    /* contains: more than maxContains items match */
    FAULT_SEVERAL, /* oneOf: several subschemas match; `count` is the index of the first */
};

/** An error whose message is not written yet. */
struct fault {
    enum fault_kind kind;
    const struct rule *rule;
    const struct visit *at;
    struct str name;
    struct str cause;
    uint64_t count;
};

/** A copy of a step's token. */
struct token {
    struct str key;
    size_t index;
};

/** Ends a text that was shortened. */
#define ELLIPSIS "\xE2\x80\xA6"

/** The properties of an error by which best_match compares it. */
struct relevance {
    struct token *path; /* [length]: the instance location, relative to the level's value */
    size_t length;
    size_t capacity;
    bool strong;     /* the keyword is neither anyOf nor oneOf */
    bool mismatched; /* the value is not of the subschema's `type` */
};

/** A list of errors: those of the whole instance, or those below one anyOf or oneOf. */
struct level {
    struct relevance best; /* the most relevant error; below anyOf and oneOf the least relevant */
    uint64_t resolved;     /* ordinal of the error that best_match returns if it selects `best` */
    size_t base;           /* depth of the value that the list is for */
    bool has_best;
    bool tied; /* another error is as relevant as `best` */
};

struct reporter {
    struct check check;
    struct arena *arena;
    struct schema_report_options options;
    uint64_t next;     /* the next ordinal */
    uint64_t *kept;    /* the ordinals to report, ascending; at most max_errors */
    size_t kept_count; /* of all errors so far; can be larger than max_errors */
    size_t kept_capacity;
    struct level *levels;
    size_t level_count;
    size_t level_made; /* levels that are initialized; their memory is reused */
    size_t level_capacity;
    bool rendering;   /* the second run */
    bool for_log;     /* write no value and no unexpected name of the instance */
    size_t value_max; /* bytes of each instance value in a message; 0: no limit */
    uint64_t best;    /* second run: the ordinal of the best match */
    struct schema_report *out;
    struct schema_unit *units;
};

/** report.c: apply a subschema and report its errors. Returns whether the value is valid. */
bool report_visit(struct reporter *reporter, const struct visit *at);

/** Report an error. Returns false. */
bool report_fault(struct reporter *reporter, const struct fault *fault);

/**
 * Reserve an ordinal for an anyOf or oneOf, before its subschemas are applied: its error comes
 * before theirs in the order of errors.
 */
uint64_t report_reserve(struct reporter *reporter);

/**
 * Report the error with a reserved ordinal. `resolved` is the ordinal of the error that best_match
 * returns if it selects this one. Returns false.
 */
bool report_reserved(struct reporter *reporter, const struct fault *fault, uint64_t ordinal,
                     uint64_t resolved);

/** report_rules.c: apply one rule of node.rules. The kind of the value must be in `rule->kinds`. */
bool report_rule(struct reporter *reporter, const struct visit *at, const struct rule *rule);

/** Is the name of `member` not in `properties`, and not matched by patternProperties? */
bool report_is_additional(struct reporter *reporter, const struct members *members,
                          const struct flat *member);

/** report_evaluated.c: mark what the node evaluates without its own unevaluated* keywords. */
void report_evaluated(struct reporter *reporter, const struct visit *at, struct evaluated *seen);

/** best_match.c: begin the list of errors of an anyOf or oneOf, whose value has this depth. */
void best_match_begin(struct reporter *reporter, size_t depth);

/**
 * End the list. Returns the ordinal of the error that best_match returns if it selects the error
 * `ordinal` of the anyOf or oneOf.
 */
uint64_t best_match_end(struct reporter *reporter, uint64_t ordinal);

/** Add an error to the innermost list. `resolved`: see report_reserved(). */
void best_match_offer(struct reporter *reporter, const struct fault *fault, uint64_t resolved);

/** message.c: write the message of an error. */
void message_write(struct reporter *reporter, struct buf *out, const struct fault *fault);
