/*
 * regex_internal.h - what the regex*.c files share that compile and search with PCRE2.
 */
#pragma once

#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/regex.h"

/* Literals: patterns that need no regular expression, as `^abc`, `^abc$`, `\.json$` and `.*`. */

struct regex_literal {
    char *text;
    size_t len;
    bool at_start; /* the subject must begin with it */
    bool at_end;   /* the subject must end with it */
};

/** Is the ECMA `pattern` a literal? Then set `out`, ended by regex_literal_done(). */
bool regex_literal_init(struct regex_literal *out, struct str pattern);

void regex_literal_done(struct regex_literal *literal);

bool regex_literal_search(const struct regex_literal *literal, struct str text);

/* Compiled patterns. */

struct regex {
    pcre2_code *code;       /* NULL: `parts` or `literal` is used */
    struct regex *parts[2]; /* of a pattern that is too large for PCRE2; else NULL */
    struct regex_literal literal;
    struct regex_breadth *breadth; /* NULL: the pattern has back-references */
    size_t memory_left;            /* bytes that compiling may still allocate */
    uint32_t steps_per_byte;       /* of text: enough for a pattern that takes linear time on it */
    bool jit;
    bool anchored; /* a match begins at the start of the text or nowhere */
    bool refers;   /* has back-references */
    bool looks_around;
    bool captures;        /* made by regex_create_capturing() */
    uint32_t group_count; /* then: the groups */
};

/** The pattern for the search without backtracking, compiled by the first search that needs it. */
struct regex_breadth {
    struct str pattern; /* owned */
    _Atomic(pcre2_code *) code;
    atomic_bool failed; /* too large for PCRE2 once it has callouts */
};

/** Why PCRE2 refuses a pattern. */
struct regex_problem {
    int code; /* PCRE2's */
    size_t offset;
};

enum { REGEX_COMPILE_MEMORY = 4 * 1024 * 1024 };

/**
 * An allocator for PCRE2 that uses base/memory.h. `memory_left`, if not NULL, bounds it and must
 * outlive what it allocates.
 */
pcre2_general_context *regex_memory(size_t *memory_left);

/** How regex_code() compiles a pattern. */
struct regex_mode {
    uint32_t options; /* PCRE2's, in addition to the usual ones */
    bool captures;    /* also groups to which the pattern does not refer */
};

/** Compile a rewritten pattern. NULL: see `problem`. */
pcre2_code *regex_code(struct str rewritten, struct regex_mode mode, size_t *memory_left,
                       struct regex_problem *problem);

/**
 * Divide the largest alternation of `pattern`, a valid ECMA pattern: a text matches it exactly when
 * it matches `left` or `right`, which are empty and are appended to. False when no alternation can
 * be divided: because it is repeated or in a look-around, or the pattern has back-references.
 */
bool regex_split(struct str pattern, struct buf *left, struct buf *right);

/* Searching. */

/** What a thread needs for its searches. */
struct matcher {
    pcre2_general_context *memory;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

/** A search that runs. */
struct search {
    const struct regex *regex;
    struct matcher *matcher;
    struct str text;
    size_t from;               /* the first starting place */
    struct regex_span *groups; /* [REGEX_GROUPS], set by a match; NULL: not wanted */
    uint64_t spent;            /* steps */
    uint64_t timed;            /* steps that its time stands for, when it was last looked at */
    uint64_t most;             /* steps it may spend; 0 while it is not counted yet */
    uint64_t most_timed;       /* the same by time */
    int64_t started_us;        /* clock_thread_us() */
    unsigned references;       /* back-references followed */
};

/** The verdict for a return code of PCRE2, except PCRE2_ERROR_MATCHLIMIT. */
enum regex_verdict regex_verdict_of(int rc);

/** Has the search spent all of its steps, or clearly more time than they stand for? */
bool regex_overspent(struct search *s);

/** For a `pattern` (copied) that PCRE2 accepts and that has no back-references. */
struct regex_breadth *regex_breadth_create(struct str pattern);

void regex_breadth_destroy(struct regex_breadth *breadth);

/** Search without backtracking: its time grows with the text, its memory does not. */
enum regex_verdict regex_breadth_search(struct search *s);
