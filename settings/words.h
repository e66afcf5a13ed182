/*
 * words.h - what is wrong with a setting, in the words of who wrote it.
 *
 * For settings.c: turns one unit of the engine's report into problems.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "schema/schema.h"
#include "settings/settings.h"

/** One unit of a report. */
struct settings_fault {
    struct str pointer;         /* of the value */
    struct json_object *value;  /* that is refused */
    struct json_object *schema; /* the node whose keyword refuses it */
    struct str keyword;
    struct str error; /* the engine's own words */
};

/** Add the problems that this fault means; `arena` for texts in between. */
void settings_explain(struct settings *settings, const struct settings_fault *fault,
                      struct arena *arena);
