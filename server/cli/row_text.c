/*
 * row_text.c - see row_text.h.
 */
#include "server/cli/row_text.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "server/cli/cli.h"

enum { SECONDS_LEN = 19 };

void row_text_member(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, ",\"%s\":", name);
    if (text.ptr && utf8_is_valid(text))
        json_write_string(out, text);
    else
        buf_add(out, STR("null"));
}

void row_text_time(struct buf *out, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(us, text);
    row_text_member(out, name, us ? str_from_c(text) : STR_NONE);
}

void row_text_json(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, ",\"%s\":", name);
    buf_add(out, text.ptr ? text : STR("null"));
}

void row_text_bytes(struct buf *out, const char *name, struct str bytes)
{
    if (utf8_is_valid(bytes)) {
        row_text_member(out, name, bytes.ptr ? bytes : STR(""));
        return;
    }

    struct str text = secret_base64(bytes);

    buf_printf(out, ",\"%s_base64\":\"", name);
    buf_add(out, text);
    buf_add_char(out, '"');
    secret_free(text);
}

void row_text_column(struct buf *out, struct str text, int width)
{
    buf_printf(out, "%-*.*s ", width, STR_ARG(text.ptr ? text : STR("-")));
}

void row_text_time_column(struct buf *out, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(us, text);
    text[SECONDS_LEN] = 'Z';
    row_text_column(out, (struct str){ text, us ? SECONDS_LEN + 1 : 0 }, SECONDS_LEN + 1);
}

void row_text_print(struct buf *out)
{
    cli_print(buf_str(out));
    buf_done(out);
}
