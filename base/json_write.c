/*
 * json_write.c - from json-c's tree to text; see json.h.
 *
 * json-c's own writer, which calls the serializer that json_read.c gives to a number that was read.
 * The program makes no doubles: json-c would write 0.1 with 17 digits.
 */
#include "base/json_internal.h"

void json_write(struct buf *out, struct json_object *value)
{
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    buf_add(out, (struct str){ mem_check((void *)text), len });
}

struct str json_text(struct arena *arena, struct json_object *value)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    json_write(&text, value);
    return arena_copy(arena, buf_str(&text));
}
