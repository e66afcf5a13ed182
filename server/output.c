/*
 * output.c - see output.h.
 */
#include "server/output.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/utf8.h"

enum { SECONDS_LEN = 19 };

static void add_name(struct buf *out, const char *name)
{
    bool is_first = out->len > 0 && out->ptr[out->len - 1] == '{';

    buf_printf(out, "%s\"%s\":", is_first ? "" : ",", name);
}

void output_text(struct buf *out, const char *name, struct str text)
{
    add_name(out, name);
    if (text.ptr && utf8_is_valid(text))
        json_write_string(out, text);
    else
        buf_add(out, STR("null"));
}

void output_time(struct buf *out, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(us, text);
    output_text(out, name, us ? str_from_c(text) : STR_NONE);
}

void output_json(struct buf *out, const char *name, struct str text)
{
    add_name(out, name);
    buf_add(out, text.ptr ? text : STR("null"));
}

void output_bytes(struct buf *out, const char *name, struct str bytes)
{
    if (utf8_is_valid(bytes)) {
        output_text(out, name, bytes.ptr ? bytes : STR(""));
        return;
    }

    struct str text = secret_base64(bytes);

    buf_printf(out, ",\"%s_base64\":\"", name);
    buf_add(out, text);
    buf_add_char(out, '"');
    secret_free(text);
}

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
