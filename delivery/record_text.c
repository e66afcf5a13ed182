/*
 * record_text.c - see record_text.h.
 */
#include "delivery/record_text.h"

struct str record_text(struct json_object *record, const struct json_pointer *pointer,
                       struct arena *arena)
{
    struct json_object *value = NULL;
    struct str text;

    if (json_pointer_find(pointer, record, &value, NULL) != JSON_FOUND || !value ||
        json_is_object(value) || json_is_array(value))
        return STR_NONE;
    text = json_is_string(value) ? json_str(value) : json_text(arena, value);
    return text.len > 0 ? arena_copy(arena, text) : STR_NONE;
}
