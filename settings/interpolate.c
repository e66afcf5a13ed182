/*
 * interpolate.c - see interpolate.h.
 *
 * A variable's value is not expanded again.
 */
#include "settings/interpolate.h"

#include <stddef.h>

#include "base/chars.h"

enum { MAX_NAME = 256 };

static bool is_name_char(char c, bool first)
{
    return char_is_alpha(c) || c == '_' || (!first && char_is_digit(c));
}

/* How many bytes at the front of `text` are a variable's name; 0 when it has none. */
static size_t name_length(struct str text)
{
    size_t len = 0;

    while (len < text.len && is_name_char(text.ptr[len], len == 0))
        len++;
    return len < MAX_NAME ? len : 0;
}

/* Fill in what stands between the braces: NAME or NAME:-default. */
static bool fill_in(struct str inside, const char *(*lookup)(const char *name), struct buf *out,
                    struct error *err)
{
    char name[MAX_NAME];
    size_t len = name_length(inside);
    struct str rest = str_from(inside, len);
    bool has_default = str_starts_with(rest, STR(":-"));

    if (len == 0 || (rest.len > 0 && !has_default))
        return fail(err, ERR_CONFIG, "expected ${NAME} or ${NAME:-default}, and $$ for a $");
    memcpy(name, inside.ptr, len);
    name[len] = '\0';

    const char *value = lookup(name);

    if (has_default && (!value || !*value)) {
        buf_add(out, str_from(rest, 2));
        return true;
    }
    if (!value)
        return fail(err, ERR_CONFIG, "environment variable %s is not set", name);
    buf_add(out, str_from_c(value));
    return true;
}

bool interpolate(struct str text, const char *(*lookup)(const char *name), struct buf *out,
                 struct error *err)
{
    while (text.len > 0) {
        if (str_starts_with(text, STR("$$"))) {
            buf_add_char(out, '$');
            text = str_from(text, 2);
            continue;
        }
        if (!str_starts_with(text, STR("${"))) {
            buf_add_char(out, text.ptr[0]);
            text = str_from(text, 1);
            continue;
        }

        const char *end = memchr(text.ptr, '}', text.len);

        if (!end)
            return fail(err, ERR_CONFIG, "${ without its }");

        size_t len = (size_t)(end - text.ptr);

        if (!fill_in((struct str){ text.ptr + 2, len - 2 }, lookup, out, err))
            return false;
        text = str_from(text, len + 1);
    }
    return true;
}
