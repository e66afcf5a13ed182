/*
 * output.c - see output.h.
 */
#include "server/output.h"

#include "base/clock.h"
#include "base/utf8.h"

enum { SECONDS_LEN = 19 };

void output_column(struct buf *out, struct str text, int width)
{
    buf_printf(out, "%-*.*s ", width, STR_ARG(text.ptr ? text : STR("-")));
}

void output_safe_column(struct buf *out, struct str text, int width)
{
    struct buf safe;
    uint32_t c;

    buf_init(&safe, SIZE_MAX);
    for (struct str rest = text; utf8_take(&rest, &c); text = rest) {
        if (utf8_is_printable(c))
            buf_add(&safe, (struct str){ text.ptr, text.len - rest.len });
        else
            buf_printf(&safe, "\\u%04x", c);
    }
    output_column(out, safe.len ? buf_str(&safe) : STR_NONE, width);
    buf_done(&safe);
}

void output_time_column(struct buf *out, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(us, text);
    text[SECONDS_LEN] = 'Z';
    output_column(out, (struct str){ text, us ? SECONDS_LEN + 1 : 0 }, SECONDS_LEN + 1);
}
