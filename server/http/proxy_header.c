/*
 * proxy_header.c - see proxy_header.h.
 */
#include "server/http/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/chars.h"

enum { LINE_MAX = 107 }; /* bytes of a header of version 1, with its CRLF */

static const struct str word = STR_INIT("PROXY ");
static const struct str signature = STR_INIT("\r\n\r\n\0\r\nQUIT\n");

/* Does one of the two begin with the other? */
static bool agree(struct str bytes, struct str start)
{
    return memcmp(bytes.ptr, start.ptr, bytes.len < start.len ? bytes.len : start.len) == 0;
}

/* Version 1. */

static bool read_port(struct str text, in_port_t *port)
{
    enum { DIGITS_MAX = 5 };
    int64_t value = 0;
    bool ok = text.len <= DIGITS_MAX && whole_number(text, UINT16_MAX, &value);

    *port = htons((uint16_t)value);
    return ok;
}

static bool read_word_address(int family, struct str text, void *bytes)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, bytes) == 1;
}

static bool read_v4_line(struct str words, struct sockaddr_storage *source)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct in_addr own;
    in_port_t own_port;

    if (!read_word_address(AF_INET, take_until(&words, ' '), &v4.sin_addr) ||
        !read_word_address(AF_INET, take_until(&words, ' '), &own) ||
        !read_port(take_until(&words, ' '), &v4.sin_port) || !read_port(words, &own_port))
        return false;
    memcpy(source, &v4, sizeof(v4));
    return true;
}

static bool read_v6_line(struct str words, struct sockaddr_storage *source)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct in6_addr own;
    in_port_t own_port;

    if (!read_word_address(AF_INET6, take_until(&words, ' '), &v6.sin6_addr) ||
        !read_word_address(AF_INET6, take_until(&words, ' '), &own) ||
        !read_port(take_until(&words, ' '), &v6.sin6_port) || !read_port(words, &own_port))
        return false;
    memcpy(source, &v6, sizeof(v6));
    return true;
}

/* What follows UNKNOWN is to be ignored. */
static bool read_words(struct str words, struct sockaddr_storage *source)
{
    struct str protocol = take_until(&words, ' ');

    if (str_equal(protocol, STR("TCP4")))
        return read_v4_line(words, source);
    if (str_equal(protocol, STR("TCP6")))
        return read_v6_line(words, source);
    return str_equal(protocol, STR("UNKNOWN"));
}

static enum http_proxy_result read_line(struct str bytes, struct http_proxy_header *header)
{
    struct str line = { bytes.ptr, bytes.len < LINE_MAX ? bytes.len : LINE_MAX };
    const char *end = memchr(line.ptr, '\n', line.len);

    if (!end)
        return bytes.len < LINE_MAX ? HTTP_PROXY_MORE : HTTP_PROXY_INVALID;
    if (end[-1] != '\r')
        return HTTP_PROXY_INVALID;
    header->len = (size_t)(end + 1 - line.ptr);
    line.len = header->len - 2;
    return read_words(str_from(line, word.len), &header->source) ? HTTP_PROXY_READ
                                                                 : HTTP_PROXY_INVALID;
}

/* Version 2. */

/* The client's address is the first of the two; ports follow both. */
static bool read_addresses(unsigned protocol, struct str rest, struct sockaddr_storage *source)
{
    enum { UNKNOWN = 0x00, TCP_V4 = 0x11, TCP_V6 = 0x21, UNIX_STREAM = 0x31 };
    enum { V4_LEN = 12, V4_PORT = 8, V6_LEN = 36, V6_PORT = 32 };

    if (protocol == TCP_V4 && rest.len >= V4_LEN) {
        struct sockaddr_in v4 = { .sin_family = AF_INET };

        memcpy(&v4.sin_addr, rest.ptr, sizeof(v4.sin_addr));
        memcpy(&v4.sin_port, rest.ptr + V4_PORT, sizeof(v4.sin_port));
        memcpy(source, &v4, sizeof(v4));
        return true;
    }
    if (protocol == TCP_V6 && rest.len >= V6_LEN) {
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

        memcpy(&v6.sin6_addr, rest.ptr, sizeof(v6.sin6_addr));
        memcpy(&v6.sin6_port, rest.ptr + V6_PORT, sizeof(v6.sin6_port));
        memcpy(source, &v6, sizeof(v6));
        return true;
    }
    return protocol == UNKNOWN || protocol == UNIX_STREAM;
}

static enum http_proxy_result read_binary(struct str bytes, struct http_proxy_header *header)
{
    enum { COMMAND = 12, PROTOCOL = 13, LENGTH = 14, HEAD = 16, LOCAL = 0x20, PROXY = 0x21 };
    const uint8_t *head = (const uint8_t *)bytes.ptr;

    if (bytes.len < HEAD)
        return HTTP_PROXY_MORE;
    header->len = HEAD + ((size_t)head[LENGTH] << 8 | head[LENGTH + 1]);
    if (header->len > HTTP_PROXY_HEADER_MAX || (head[COMMAND] != LOCAL && head[COMMAND] != PROXY))
        return HTTP_PROXY_INVALID;
    if (bytes.len < header->len)
        return HTTP_PROXY_MORE;
    if (head[COMMAND] == LOCAL)
        return HTTP_PROXY_READ;
    return read_addresses(head[PROTOCOL], (struct str){ bytes.ptr + HEAD, header->len - HEAD },
                          &header->source)
               ? HTTP_PROXY_READ
               : HTTP_PROXY_INVALID;
}

enum http_proxy_result http_proxy_header_read(struct str bytes, struct http_proxy_header *out)
{
    bool text = agree(bytes, word);
    struct http_proxy_header header = { 0 };
    enum http_proxy_result result = HTTP_PROXY_MORE;

    if (!text && !agree(bytes, signature))
        return HTTP_PROXY_ABSENT;
    if (bytes.len >= (text ? word.len : signature.len))
        result = text ? read_line(bytes, &header) : read_binary(bytes, &header);
    if (result == HTTP_PROXY_READ)
        *out = header;
    return result;
}
