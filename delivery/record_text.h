/*
 * record_text.h - the text at a place in a record, which chooses a key, a topic or a partition.
 *
 * Threads: no state.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

/**
 * The value that `pointer` refers to in `record`, as text: a string itself, a number or a boolean
 * as JSON writes it. In the arena. STR_NONE if there is none, or it is null, "", an array or an
 * object.
 */
struct str record_text(struct json_object *record, const struct json_pointer *pointer,
                       struct arena *arena);
