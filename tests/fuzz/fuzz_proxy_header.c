/*
 * fuzz_proxy_header.c - the reader of PROXY headers reads within its input, and its word on a part
 * of a header holds for the whole.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/proxy_header.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From memory that ends with the bytes, so that a read beyond them is noticed. */
static enum http_proxy_result read_exact(const uint8_t *data, size_t size,
                                         struct http_proxy_header *header)
{
    char *copy = malloc(size ? size : 1);
    enum http_proxy_result result;

    assert(copy);
    if (size)
        memcpy(copy, data, size);
    result = http_proxy_header_read((struct str){ copy, size }, header);
    free(copy);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_proxy_header header;
    struct http_proxy_header other;
    enum http_proxy_result result = read_exact(data, size, &header);

    if (result != HTTP_PROXY_READ)
        header.len = size;
    assert(header.len <= size &&
           (result != HTTP_PROXY_READ || header.len <= HTTP_PROXY_HEADER_MAX));
    for (size_t len = 0; len < header.len; len++) {
        enum http_proxy_result part = read_exact(data, len, &other);

        assert(part == HTTP_PROXY_MORE || (part == result && result != HTTP_PROXY_READ));
    }
    return 0;
}
