/*
 * test_proxy_header.c - claims about server/http/proxy_header.h.
 */
#include "server/http/proxy_header.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "server/http/addresses.h"
#include "tests/unit/test.h"

#define SIGNATURE  "\r\n\r\n\0\r\nQUIT\n"
#define V4_PAIR    "\xc0\0\2\x07\x0a\0\0\1\xdc\x04\x01\xbb"
#define V6         "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define TLV        "\xea\0\5\1vpce" /* as of AWS: the id of a VPC endpoint */
#define CLIENT_TLV "\x20\0\5\1\0\0\0\0"

struct bytes_case {
    const char *name;
    struct str bytes;
    enum http_proxy_result result;
    const char *source; /* "": none */
};

#define READ(name, bytes, source)                                                                  \
    {                                                                                              \
        name, STR_INIT(bytes), HTTP_PROXY_READ, source                                             \
    }
#define NOT_READ(name, bytes, result)                                                              \
    {                                                                                              \
        name, STR_INIT(bytes), HTTP_PROXY_##result, NULL                                           \
    }

static const struct bytes_case cases[] = {
    READ("v4", "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", "192.0.2.7"),
    READ("v6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "2001:db8::1"),
    READ("longest v6",
         "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"),
    READ("unknown", "PROXY UNKNOWN\r\n", ""),
    READ("unknown with addresses", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ""),
    NOT_READ("port too large", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n", INVALID),
    NOT_READ("port absent", "PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n", INVALID),
    NOT_READ("port of six digits", "PROXY TCP4 192.0.2.7 10.0.0.1 000001 443\r\n", INVALID),
    NOT_READ("port with a sign", "PROXY TCP4 192.0.2.7 10.0.0.1 +1 443\r\n", INVALID),
    NOT_READ("two spaces", "PROXY TCP4  192.0.2.7 10.0.0.1 1 443\r\n", INVALID),
    NOT_READ("space at the end", "PROXY TCP4 192.0.2.7 10.0.0.1 1 443 \r\n", INVALID),
    NOT_READ("other family", "PROXY TCP6 192.0.2.7 10.0.0.1 1 443\r\n", INVALID),
    NOT_READ("v6 in v4", "PROXY TCP4 ::1 ::1 1 443\r\n", INVALID),
    NOT_READ("wrong own address", "PROXY TCP6 ::1 x 1 443\r\n", INVALID),
    NOT_READ("NUL in an address", "PROXY TCP4 192.0.2.7\0 10.0.0.1 1 443\r\n", INVALID),
    NOT_READ("address too long",
             "PROXY TCP6 0000:0000:0000:0000:0000:0000:0000:0000:00000000000000 ::1 1 1\r\n",
             INVALID),
    NOT_READ("datagram", "PROXY UDP4 192.0.2.7 10.0.0.1 1 443\r\n", INVALID),
    NOT_READ("lower case", "PROXY tcp4 192.0.2.7 10.0.0.1 1 443\r\n", INVALID),
    NOT_READ("no protocol", "PROXY \r\n", INVALID),
    NOT_READ("bare LF", "PROXY UNKNOWN\n", INVALID),
    NOT_READ("too long",
             "PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
             "aaaaaaaaaaaaaaaaaaaaaaaaa",
             INVALID),
    NOT_READ("nothing", "", MORE),
    NOT_READ("begun", "P", MORE),
    NOT_READ("a request", "POST /events HTTP/1.1\r\n", ABSENT),
    NOT_READ("a method PROXYX", "PROXYX / HTTP/1.1\r\n", ABSENT),
    NOT_READ("TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0", ABSENT),
    NOT_READ("empty lines", "\r\n\r\nGET / HTTP/1.1\r\n", ABSENT),

    READ("binary v4", SIGNATURE "\x21\x11\0\x0c" V4_PAIR, "192.0.2.7"),
    READ("binary v4 with TLVs", SIGNATURE "\x21\x11\0\x1c" V4_PAIR TLV CLIENT_TLV, "192.0.2.7"),
    READ("binary v6", SIGNATURE "\x21\x21\0\x24" V6 V6 "\0\1\0\2", "2001:db8::1"),
    READ("local", SIGNATURE "\x20\0\0\0", ""),
    READ("local with an address", SIGNATURE "\x20\x11\0\x0c" V4_PAIR, ""),
    READ("unspecified", SIGNATURE "\x21\0\0\0", ""),
    READ("a Unix socket", SIGNATURE "\x21\x31\0\4abcd", ""),
    NOT_READ("addresses cut", SIGNATURE "\x21\x11\0\x0b" V4_PAIR, INVALID),
    NOT_READ("v6 addresses cut", SIGNATURE "\x21\x21\0\x23" V6 V6 "\0\1\0\2", INVALID),
    NOT_READ("binary datagram", SIGNATURE "\x21\x12\0\x0c" V4_PAIR, INVALID),
    NOT_READ("other command", SIGNATURE "\x22\x11\0\x0c" V4_PAIR, INVALID),
    NOT_READ("other version", SIGNATURE "\x11\x11\0\x0c" V4_PAIR, INVALID),
    NOT_READ("binary too long", SIGNATURE "\x20\0\x0f\xf1", INVALID),
    NOT_READ("as long as can be", SIGNATURE "\x20\0\x0f\xf0", MORE),
};

static void check_case(const struct bytes_case *each)
{
    struct http_proxy_header header = { .len = 12345 };
    char source[HTTP_ADDRESS_TEXT];

    TEST_CASE(each->name);
    CHECK_INT(http_proxy_header_read(each->bytes, &header), each->result);
    if (each->result != HTTP_PROXY_READ) {
        CHECK_INT((int64_t)header.len, 12345);
        return;
    }
    CHECK_INT((int64_t)header.len, (int64_t)each->bytes.len);
    (void)http_address_text(http_address_of(&header.source), source);
    CHECK_STR(str_from_c(source), each->source);
}

static void reads_what_the_protocol_says(void)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_case(&cases[i]);
}

/* However it is cut, and whatever follows. */
static void waits_for_the_rest_and_leaves_what_follows(void)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_proxy_header header;
        char longer[256];
        struct str bytes = cases[i].bytes;

        if (cases[i].result != HTTP_PROXY_READ)
            continue;
        TEST_CASE(cases[i].name);
        for (size_t len = 0; len < bytes.len; len++)
            CHECK_INT(http_proxy_header_read((struct str){ bytes.ptr, len }, &header),
                      HTTP_PROXY_MORE);
        memset(longer, ' ', sizeof(longer));
        memcpy(longer, bytes.ptr, bytes.len);
        CHECK_INT(http_proxy_header_read((struct str){ longer, sizeof(longer) }, &header),
                  HTTP_PROXY_READ);
        CHECK_INT((int64_t)header.len, (int64_t)bytes.len);
    }
}

int main(void)
{
    RUN(reads_what_the_protocol_says);
    RUN(waits_for_the_rest_and_leaves_what_follows);
    return test_end();
}
