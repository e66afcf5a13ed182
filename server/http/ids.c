/*
 * ids.c - see ids.h.
 */
#include "server/http/ids.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "base/chars.h"

enum { UUID_BYTES = 16 };

void http_id_create(struct http_id_source *source, char text[static HTTP_UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t uuid[UUID_BYTES];
    size_t at = 0;

    if (source->left < UUID_BYTES) {
        /* Up to 256 bytes come complete and without interruption, getrandom(2). */
        ssize_t got = getrandom(source->bytes, sizeof(source->bytes), 0);
        bool whole = got == (ssize_t)sizeof(source->bytes);

        assert(whole);
        (void)whole;
        source->left = sizeof(source->bytes);
    }
    memcpy(uuid, source->bytes + sizeof(source->bytes) - source->left, UUID_BYTES);
    source->left -= UUID_BYTES;
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* version 4: random */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80); /* variant of RFC 9562 */

    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[uuid[i] >> 4];
        text[at++] = digits[uuid[i] & 0x0f];
    }
    text[at] = '\0';
}

static bool is_id_char(char c)
{
    return char_is_alnum(c) || c == '.' || c == '_' || c == '-';
}

bool http_id_is_valid(struct str id)
{
    return id.len <= HTTP_ID_MAX && all_are(id, is_id_char);
}

static bool is_lower_hex(char c)
{
    return char_is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_hex(struct str s, size_t start, size_t len)
{
    return s.len >= start + len && all_are((struct str){ s.ptr + start, len }, is_lower_hex);
}

static bool is_zero(char c)
{
    return c == '0';
}

/* version "-" 32 hex "-" 16 hex "-" flags; later versions may continue after another "-". */
static struct str traceparent_id(struct str text)
{
    enum { TRACE = 32, WHOLE = HTTP_TRACEPARENT_LEN };

    text = str_trim(text);
    if (!is_hex(text, 0, 2) || !is_hex(text, 3, TRACE) || !is_hex(text, 36, 16) ||
        !is_hex(text, 53, 2) || text.ptr[2] != '-' || text.ptr[35] != '-' || text.ptr[52] != '-')
        return STR_NONE;

    struct str id = { text.ptr + 3, TRACE };
    bool longer = text.len > WHOLE;

    if (str_starts_with(text, STR("ff")) || all_are(id, is_zero) ||
        (longer && (str_starts_with(text, STR("00")) || text.ptr[WHOLE] != '-')))
        return STR_NONE;
    return id;
}

/* Fields joined with ";", one of them `Root=1-8hex-24hex`. */
static struct str amzn_root(struct str text)
{
    enum { ROOT = 35 };

    while (text.len > 0) {
        struct str field = str_trim(take_until(&text, ';'));

        if (!str_starts_with(field, STR("Root=")))
            continue;

        struct str root = str_from(field, sizeof("Root=") - 1);
        bool valid = root.len == ROOT && str_starts_with(root, STR("1-")) && is_hex(root, 2, 8) &&
                     root.ptr[10] == '-' && is_hex(root, 11, 24);

        return valid ? root : STR_NONE;
    }
    return STR_NONE;
}

bool http_id_is_traceparent(struct str text)
{
    return text.len == HTTP_TRACEPARENT_LEN && traceparent_id(text).ptr;
}

struct str http_id_of_trace(struct str traceparent, struct str amzn_trace_id)
{
    struct str id = traceparent_id(traceparent);

    return id.ptr ? id : amzn_root(amzn_trace_id);
}
