/*
 * member.c - see member.h.
 */
#include "base/member.h"

#include "base/clock.h"
#include "base/flat.h"
#include "base/secret.h"
#include "base/utf8.h"

void member_key(struct buf *out, const char *name)
{
    if (out->len == 0 || out->ptr[out->len - 1] != '{')
        buf_add_char(out, ',');
    buf_add_char(out, '"');
    buf_add(out, str_from_c(name));
    buf_add(out, STR("\":"));
}

void member_open(struct buf *out, const char *name, char bracket)
{
    member_key(out, name);
    buf_add_char(out, bracket);
}

void member_text(struct buf *out, const char *name, struct str text)
{
    member_key(out, name);
    if (text.ptr && utf8_is_valid(text))
        json_write_string(out, text);
    else
        buf_add(out, STR("null"));
}

void member_time(struct buf *out, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(us, text);
    member_text(out, name, us ? str_from_c(text) : STR_NONE);
}

void member_int(struct buf *out, const char *name, int64_t number)
{
    member_key(out, name);
    buf_add_int(out, number);
}

void member_bool(struct buf *out, const char *name, bool flag)
{
    member_json(out, name, flag ? STR("true") : STR("false"));
}

void member_json(struct buf *out, const char *name, struct str text)
{
    member_key(out, name);
    buf_add(out, text.ptr ? text : STR("null"));
}

void member_bytes(struct buf *out, const char *name, struct str bytes)
{
    if (utf8_is_valid(bytes)) {
        member_text(out, name, bytes.ptr ? bytes : STR(""));
        return;
    }

    struct str text = secret_base64(bytes);

    buf_printf(out, ",\"%s_base64\":\"", name);
    buf_add(out, text);
    buf_add_char(out, '"');
    secret_free(text);
}
