/*
 * pattern.h - event patterns, the language in which rules of Amazon EventBridge choose events.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * The whole language: lists of exact values, `prefix`, `suffix`, `equals-ignore-case`, `wildcard`,
 * `anything-but`, `numeric`, `exists`, `cidr` and `$or`. The verdicts are those of AWS's own
 * matcher (the Java library event-ruler); docs/decisions/033 lists what differs.
 *
 * Threads: a compiled pattern never changes and is shared.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/flat.h"

struct pattern;

/** Receives the problems of a pattern. */
struct pattern_report {
    struct str root; /* JSON Pointer of the pattern; each place begins with it */
    void (*problem)(void *self, struct str place, const char *reason);
    void *self;
};

/** For `problem`: put the first problem into the struct error `err`, which is empty before. */
void pattern_first_problem(void *err, struct str place, const char *reason);

/**
 * Compile the pattern `source`, an object as in a rule; nothing of it is kept. The caller owns the
 * result. False: at least one problem was reported. Of a condition only the first one is.
 */
NODISCARD bool pattern_create(const struct flat *source, const struct pattern_report *report,
                              struct pattern **out);

/** NULL is fine. */
void pattern_destroy(struct pattern *pattern);

/** A field of a pattern, outside `$or`, that fits only a value: not `exists: false`. */
struct pattern_need {
    struct str pointer;            /* into the event; in the arena */
    const struct flat *conditions; /* the list of the pattern */
};

/** Call `report` for each of them. `source` is a pattern that pattern_create() accepts. */
void pattern_needs(const struct flat *source, struct arena *arena,
                   void (*report)(void *self, const struct pattern_need *need), void *self);

/**
 * Does the event fit? A value that is not an object fits no pattern. The time grows with the size
 * of the event times that of the pattern, and not faster.
 */
bool pattern_fits(const struct pattern *pattern, const struct flat *event);

struct pattern_field;

/** What the pattern says of the event's top-level member `key`; NULL: nothing, apart from `$or`. */
const struct pattern_field *pattern_field_find(const struct pattern *pattern, struct str key);

/** Does the member fit? `value` NULL: it is absent. */
bool pattern_field_fits(const struct pattern_field *field, const struct flat *value);

/** A field for which an event does not fit. */
struct pattern_miss {
    struct str key;           /* JSON Pointer into the event; in the arena, like the next */
    struct str expected;      /* what the pattern has there, as JSON; empty: several fields */
    const struct flat *found; /* the event's value there; NULL: absent */
};

/** Why does the event, an object, not fit? False: it fits. */
NODISCARD bool pattern_explain(const struct pattern *pattern, const struct flat *event,
                               struct arena *arena, struct pattern_miss *miss);
