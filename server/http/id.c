/*
 * id.c - see id.h.
 */
#include "server/http/id.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

enum { UUID_BYTES = 16 };

void http_id_create(struct http_id_source *source, char text[static HTTP_UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t uuid[UUID_BYTES];
    size_t at = 0;

    if (source->left < UUID_BYTES) {
        /* Up to 256 bytes come whole and without interruption, getrandom(2). */
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
