/*
 * record_origin.c - see record_origin.h.
 *
 * The three parts are separated by single spaces. The event's id is the last one, because it may
 * have spaces itself.
 */
#include "delivery/record_origin.h"

#include "base/chars.h"

struct str record_origin_write(struct arena *arena, const struct record_origin *origin)
{
    size_t len = origin->request_id.len + origin->traceparent.len + origin->event_id.len;
    struct buf *text;

    if (len == 0)
        return STR_NONE;
    text = arena_buf_in(arena, SIZE_MAX, len + 2);
    buf_add(text, origin->request_id);
    buf_add_char(text, ' ');
    buf_add(text, origin->traceparent);
    buf_add_char(text, ' ');
    buf_add(text, origin->event_id);
    return buf_str(text);
}

struct record_origin record_origin_read(struct str text)
{
    struct record_origin origin;

    origin.request_id = take_until(&text, ' ');
    origin.traceparent = take_until(&text, ' ');
    origin.event_id = text;
    return origin;
}
