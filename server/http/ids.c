/*
 * ids.c - see ids.h.
 */
#include "server/http/ids.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "base/chars.h"

enum { UUID_BYTES = 16 };

static void take_random(struct http_id_source *source, void *out, size_t count)
{
    if (source->left < count) {
        /* Up to 256 bytes come complete and without interruption, getrandom(2). */
        ssize_t got = getrandom(source->bytes, sizeof(source->bytes), 0);
        bool whole = got == (ssize_t)sizeof(source->bytes);

        assert(whole);
        (void)whole;
        source->left = sizeof(source->bytes);
    }
    memcpy(out, source->bytes + sizeof(source->bytes) - source->left, count);
    source->left -= count;
}

uint64_t http_id_random(struct http_id_source *source)
{
    uint64_t number;

    take_random(source, &number, sizeof(number));
    return number;
}

void http_id_create(struct http_id_source *source, char text[static HTTP_UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t uuid[UUID_BYTES];
    size_t at = 0;

    take_random(source, uuid, UUID_BYTES);
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
