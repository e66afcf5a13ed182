/*
 * report.h - the reporter's insides, for report*.c, best_match.c and message.c; others use
 * schema.h.
 *
 * It goes over the instance twice. Every error has an ordinal; the first run finds out which
 * ordinals are kept (the first max_errors that survive) and which is the best, the second one words
 * just those. So memory grows with max_errors and depth, not with the number of errors.
 */
#pragma once

#include "schema/check.h"

/** One token of the instance's path. */
struct step {
    const struct step *up; /* NULL: the root */
    const char *key;       /* NULL: an index */
    size_t index;
    size_t depth; /* 1 for the first */
};

/** One or two tokens of the keyword's path. */
struct frame {
    const struct frame *up;
    const char *keyword;
    const char *key; /* NULL: an index, if that is not negative */
    int64_t index;
};

/** A subschema at work on a value. */
struct visit {
    const struct node *node;
    struct json_object *value;
    const struct step *step;
    const struct frame *frame;
    const struct evaluated *seen; /* if the node tracks */
    bool stepped;                 /* reached by going into the instance */
    bool naming;                  /* the value is a property's name */
};

enum fault_kind {
    FAULT_RULE,    /* told by the rule alone */
    FAULT_FALSE,   /* the schema `false`; no rule */
    FAULT_MISSING, /* `name` is required */
    FAULT_NEEDED,  /* `name` is needed by `cause` */
    FAULT_FEW,     /* `count` of the items match */
    FAULT_MANY,    /* more than maxContains match */
    FAULT_SEVERAL, /* oneOf: more than one */
};

/** An error before it is worded. */
struct fault {
    enum fault_kind kind;
    const struct rule *rule;
    const struct visit *at;
    struct str name;
    struct str cause;
    uint64_t count;
};

/** A token of a path that outlives its step. */
struct token {
    const char *key;
    size_t index;
};

/** Marks where a text is cut. */
#define ELLIPSIS "\xE2\x80\xA6"

/** What best_match compares. The path is relative to the level's value. */
struct relevance {
    struct token *path;
    size_t length;
    size_t capacity;
    bool strong;     /* neither anyOf nor oneOf */
    bool mismatched; /* the subschema's type does not accept the value */
};

/** The errors of one list: all of them, or those below one anyOf or oneOf. */
struct level {
    struct relevance best; /* the greatest, below anyOf and oneOf the smallest */
    uint64_t resolved;     /* where best_match ends if it takes that one */
    size_t base;           /* depth of the value */
    bool any;
    bool tied; /* another one was as small */
};

struct reporter {
    struct check check;
    struct arena *arena;
    struct schema_report_options options;
    uint64_t next; /* ordinal */
    uint64_t *kept;
    size_t kept_count; /* may be more than are stored */
    size_t kept_capacity;
    struct level *levels;
    size_t level_count;
    size_t level_made; /* the deepest that there was */
    size_t level_capacity;
    bool rendering;
    size_t value_max; /* bytes of each instance value in a message; 0: all of it */
    uint64_t best;
    struct schema_report *out;
    struct schema_unit *units;
};

/** report.c: go on with a subschema; is the value valid? */
bool report_visit(struct reporter *reporter, const struct visit *at);

/** Take down an error; returns false. */
bool report_fault(struct reporter *reporter, const struct fault *fault);

/** The ordinal of an error that comes before those found from here on, if there will be one. */
uint64_t report_reserve(struct reporter *reporter);

/** The reserved error is one, best_match ending at `resolved`; returns false. */
bool report_reserved(struct reporter *reporter, const struct fault *fault, uint64_t ordinal,
                     uint64_t resolved);

/** report_rules.c: one rule as written, whose kinds fit the value. */
bool report_rule(struct reporter *reporter, const struct visit *at, const struct rule *rule);

/** Is the member neither among the `properties` nor matched by a pattern? */
bool report_is_additional(struct reporter *reporter, const struct members *members,
                          const struct lh_entry *member);

/** report_evaluated.c: mark what a node that tracks evaluates but for its unevaluated*. */
void report_evaluated(struct reporter *reporter, const struct visit *at, struct evaluated *seen);

/** best_match.c: begin and end the list of errors below one anyOf or oneOf. */
void best_match_begin(struct reporter *reporter, size_t depth);

/** Where best_match ends, coming from the error `ordinal` that has the list as context. */
uint64_t best_match_end(struct reporter *reporter, uint64_t ordinal);

/** One more error in the innermost list. */
void best_match_offer(struct reporter *reporter, const struct fault *fault, uint64_t resolved);

/** message.c: the words. */
void message_write(struct reporter *reporter, struct buf *out, const struct fault *fault);
