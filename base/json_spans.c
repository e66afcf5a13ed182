/*
 * json_spans.c - find the elements of an array, or a member of an object, in their text.
 *
 * The text was read before, so it is valid JSON: only brackets, commas and strings matter.
 */
#include <string.h>

#include "base/chars.h"
#include "base/flat_internal.h"

struct str json_span(struct str text)
{
    while (text.len > 0 && char_is_space(text.ptr[0]))
        text = (struct str){ text.ptr + 1, text.len - 1 };
    while (text.len > 0 && char_is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* `at` is at an opening quote. Returns the place of the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at;
}

/* The comma or bracket after the element or member that begins at `at`. */
static const char *find_end(const char *at, const char *end)
{
    size_t depth = 0;

    for (; at < end; at++) {
        if (*at == '"')
            at = skip_string(at, end);
        else if (*at == '[' || *at == '{')
            depth++;
        else if (depth == 0 && (*at == ',' || *at == ']' || *at == '}'))
            break;
        else if (*at == ']' || *at == '}')
            depth--;
    }
    return at < end ? at : end;
}

void json_spans(struct str text, struct str *spans, size_t count)
{
    struct str inside = json_span(text);
    const char *end = inside.ptr + inside.len;
    const char *at = inside.ptr + 1; /* after the bracket */

    for (size_t i = 0; i < count; i++) {
        const char *stop = find_end(at, end);

        spans[i] = json_span((struct str){ at, (size_t)(stop - at) });
        at = stop + 1;
    }
}

/* Does the member's text begin with `key` in quotes? */
static bool has_key(struct str member, struct str key)
{
    return member.len > key.len + 2 && member.ptr[0] == '"' &&
           memcmp(member.ptr + 1, key.ptr, key.len) == 0 && member.ptr[key.len + 1] == '"';
}

struct str json_member_span(struct str text, struct str key)
{
    struct str inside = json_span(text);
    const char *end = inside.ptr + inside.len;
    const char *comma = NULL; /* before the member */

    for (const char *at = inside.ptr + 1; at < end;) {
        const char *stop = find_end(at, end);
        struct str member = json_span((struct str){ at, (size_t)(stop - at) });

        if (has_key(member, key)) {
            const char *from = comma ? comma : member.ptr;
            const char *to = member.ptr + member.len;

            if (!comma && *stop == ',')
                for (to = stop + 1; char_is_space(*to);)
                    to++;
            return (struct str){ from, (size_t)(to - from) };
        }
        comma = stop;
        at = stop + 1;
    }
    return STR_NONE;
}
