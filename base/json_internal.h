/*
 * json_internal.h - what the json*.c files for json-c's trees share.
 */
#pragma once

#include "base/flat_internal.h"
#include "base/json.h"

/** `value`, which json-c made. NULL means out of memory and ends the process. */
static inline struct json_object *json_made(struct json_object *value)
{
    return (struct json_object *)mem_check(value);
}

/** The text of a number that json-c's types cannot hold exactly; kept with a json-c double. */
struct json_source {
    bool integer; /* neither fraction nor exponent */
    size_t len;
    char text[];
};

/** The text of this double, or NULL when it was not read from a text. */
static inline const struct json_source *json_source(struct json_object *number)
{
    return (const struct json_source *)json_object_get_userdata(number);
}
