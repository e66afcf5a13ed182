/*
 * regex_internal.h - what the regex*.c files that call PCRE2 share; others use regex.h.
 */
#pragma once

#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/regex.h"
#include "base/regex_literal.h"

struct regex {
    pcre2_code *code;       /* NULL: `parts` or `literal` do it */
    struct regex *parts[2]; /* of a pattern that is too large for PCRE2; NULL: it is not */
    struct regex_literal literal;
    struct regex_breadth *breadth; /* NULL: it has back-references */
    size_t memory_left;            /* of what compiling may take */
    uint32_t steps_per_byte;       /* of text: as many as a pattern that is linear on it may need */
    bool jit;
    bool anchored; /* a match begins at the start of the text or nowhere */
    bool refers;   /* it has back-references */
    bool looks_around;
};

/** The pattern compiled a second time, with callouts; made by the first search that needs it. */
struct regex_breadth {
    struct str pattern; /* owned */
    _Atomic(pcre2_code *) code;
    atomic_bool failed; /* it does not compile with callouts: too large */
};

/** What belongs to a thread. */
struct matcher {
    pcre2_general_context *memory;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

struct search {
    const struct regex *regex;
    struct matcher *matcher;
    struct str text;
    uint64_t spent;
    uint64_t most;       /* that may be spent; 0: the first run of all, on a short text */
    int64_t started_us;  /* on clock_thread_us() */
    unsigned references; /* followed */
};

/** Why a pattern does not compile. */
struct regex_problem {
    int code; /* PCRE2's */
    size_t offset;
};

enum { REGEX_COMPILE_MEMORY = 4 * 1024 * 1024 };

/** PCRE2's memory comes from base/memory.h; `memory_left`, if any, lives as long and bounds it. */
pcre2_general_context *regex_memory(size_t *memory_left);

/** Compile a rewritten pattern with `options` beside the usual ones. NULL: see `problem`. */
pcre2_code *regex_code(struct str rewritten, uint32_t options, size_t *memory_left,
                       struct regex_problem *problem);

/** What an answer of PCRE2 other than PCRE2_ERROR_MATCHLIMIT means. */
enum regex_verdict regex_verdict_of(int rc);

/** Is more spent than may be, in steps or in time? */
bool regex_overspent(struct search *s);

/** regex_breadth.c: for a pattern (copied) that compiles and has no back-references. */
struct regex_breadth *regex_breadth_create(struct str pattern);

void regex_breadth_destroy(struct regex_breadth *breadth);

/** The search without backtracking: its time grows with the text, its memory does not. */
enum regex_verdict regex_breadth_search(struct search *s);
