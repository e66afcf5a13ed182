/*
 * matcher.h - which events a route takes: its `match`, or its `pattern`.
 *
 * `match` maps keys to values, all of which must match. A key that begins with `/` is a JSON
 * Pointer into the event, any other key is a top-level member. A text is a glob, and what is absent
 * or not a string counts as "". A number or a boolean is compared by value. A list matches if one
 * of its values does. `pattern` is an event pattern (pattern.h). Without both, every event matches.
 *
 * Threads: immutable once created; shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/str.h"
#include "handlers/pattern.h"

struct matcher;

/** JSON texts; empty: none. */
struct matcher_options {
    struct str match;
    struct str pattern;
};

/**
 * The caller owns it. False: at least one problem was reported; behind report->root, its place
 * begins with `/match` or `/pattern`.
 */
NODISCARD bool matcher_create(const struct matcher_options *options,
                              const struct pattern_report *report, struct matcher **out);

/** NULL is fine. The type fits arena_own(). */
void matcher_destroy(void *matcher);

/** Top-level members by which routes are indexed. */
enum matcher_member { MATCHER_SOURCE, MATCHER_DETAIL_TYPE, MATCHER_MEMBERS };

/** Their names. */
extern const struct str matcher_members[MATCHER_MEMBERS];

/** Does the route take the event (any JSON value)? */
bool matcher_fits(const struct matcher *matcher, const struct flat *event);

/**
 * Can the route take an event with these values of matcher_members? NULL: absent. Quick; true is
 * not certain.
 */
bool matcher_may_fit(const struct matcher *matcher,
                     const struct flat *const values[static MATCHER_MEMBERS]);

/** Why not? */
struct matcher_miss {
    struct str key;      /* as in `match`; of a pattern: a JSON Pointer; both in the arena */
    struct str expected; /* as JSON; empty: several fields of a pattern */
    const char *found;   /* the type of the event's value, or "absent" */
};

/** Why does the event, an object, not match? False: it matches. */
NODISCARD bool matcher_explain(const struct matcher *matcher, const struct flat *event,
                               struct arena *arena, struct matcher_miss *miss);

/**
 * The texts of which the member must be one, if it is a string. NULL: any text may match. They live
 * as long as the matcher.
 */
const struct str *matcher_texts(const struct matcher *matcher, enum matcher_member member,
                                size_t *count);

/** Does `first` take every event that `later` takes? False when that is not certain. */
bool matcher_covers(const struct matcher *first, const struct matcher *later);

/**
 * Can the route take an event whose top-level member `key` is a string that fits the glob? True
 * when that is not certain.
 */
bool matcher_meets(const struct matcher *matcher, struct str key, struct str glob);

/** The trees of `match` and `pattern`; NULL: none. */
const struct flat *matcher_match(const struct matcher *matcher);
const struct flat *matcher_pattern(const struct matcher *matcher);
