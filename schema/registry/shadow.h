/*
 * shadow.h - what the shadow schema of a route said of its events, beside the live schema.
 *
 * The counts are those of one pair of versions: they begin again when the live or the shadow
 * schema has another version. Only the totals for metrics go on.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "schema/registry/guard.h"

enum shadow_verdict {
    SHADOW_AGREES,       /* both schemas take the event, or both refuse it */
    SHADOW_WOULD_REFUSE, /* only the live one takes it */
    SHADOW_WOULD_ACCEPT, /* only the shadow takes it */
    SHADOW_SKIPPED,      /* the check has no verdict, mostly because it needs too much time */
    SHADOW_UNAVAILABLE,  /* there is no shadow schema to check it with */
    SHADOW_VERDICTS,     /* how many there are */
};

/** Its name in metrics and listings. */
const char *shadow_verdict_name(enum shadow_verdict verdict);

/** The verdict on one event; for the second and third kind with the rule and the place. */
struct shadow_word {
    enum shadow_verdict verdict;
    struct guard_place place; /* of the schema that refuses; like that of the guard */
};

/** The words on the events of one route. */
struct shadow;

/** The caller owns it. */
struct shadow *shadow_create(void);

/** The same, for another owner. */
struct shadow *shadow_share(struct shadow *shadow);

/** The last owner's call frees it. NULL is fine. */
void shadow_destroy(struct shadow *shadow);

/** The versions that an event was checked with. */
struct shadow_pair {
    const char *live;
    const char *shadow; /* "": it is unavailable */
};

/** Count a word. The first of each rule is kept, of up to 50 rules. */
void shadow_note(struct shadow *shadow, const struct shadow_pair *versions,
                 const struct shadow_word *word, int64_t now_us);

/** How many events ever had this verdict. */
uint64_t shadow_total(struct shadow *shadow, enum shadow_verdict verdict);

/**
 * Add JSON members without braces: `"live_version", "shadow_version", "since", "events"` (a count
 * for each verdict), `"rules"` (verdict, rule, place, events, first_at) and `"rules_left_out"`.
 */
void shadow_write(struct shadow *shadow, struct buf *out);
