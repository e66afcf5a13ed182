/*
 * test_base64url.c - claims about base/base64url.h
 */
#include "base/base64url.h"

#include "tests/unit/test.h"

static void reads_what_the_rfc_writes(void)
{
    /* RFC 4648, section 10, and bytes that need the URL's own two characters */
    static const struct {
        struct str text;
        struct str bytes;
    } cases[] = {
        { STR_INIT(""), STR_INIT("") },
        { STR_INIT("Zg"), STR_INIT("f") },
        { STR_INIT("Zm8"), STR_INIT("fo") },
        { STR_INIT("Zm9v"), STR_INIT("foo") },
        { STR_INIT("Zm9vYg"), STR_INIT("foob") },
        { STR_INIT("Zm9vYmE"), STR_INIT("fooba") },
        { STR_INIT("Zm9vYmFy"), STR_INIT("foobar") },
        { STR_INIT("AAAA"), STR_INIT("\0\0\0") },
        { STR_INIT("-_-_"), STR_INIT("\xFB\xFF\xBF") },
        { STR_INIT("_w"), STR_INIT("\xFF") },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t bytes[16];
        size_t size = base64url_decoded_size(cases[i].text.len);

        TEST_CASE(cases[i].text.ptr);
        CHECK(base64url_decode(cases[i].text, bytes));
        CHECK(size == cases[i].bytes.len);
        CHECK(memcmp(bytes, cases[i].bytes.ptr, size) == 0);
    }
}

static void refuses_a_second_way_to_write_it(void)
{
    static const struct {
        const char *name;
        struct str text;
    } cases[] = {
        { "padding", STR_INIT("Zg==") },
        { "some padding", STR_INIT("Zm8=") },
        { "only padding", STR_INIT("=") },
        { "one character", STR_INIT("Z") },
        { "one character left over", STR_INIT("Zm9vY") },
        { "bits left over, of four", STR_INIT("Zh") },
        { "bits left over, of two", STR_INIT("Zm9") },
        { "the other alphabet's plus", STR_INIT("+_-_") },
        { "the other alphabet's slash", STR_INIT("-/-_") },
        { "space before", STR_INIT(" Zm9") },
        { "space behind", STR_INIT("Zm8 ") },
        { "line end", STR_INIT("Zm\n8") },
        { "NUL", STR_INIT("Zm8\0") },
        { "dot", STR_INIT("Zm.8") },
        { "not ASCII", STR_INIT("Zm\xC3\xA4") },
        { "high byte", STR_INIT("\xDA\xE7\xB9\xF6") },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t bytes[16];

        TEST_CASE(cases[i].name);
        CHECK(!base64url_decode(cases[i].text, bytes));
    }
}

int main(void)
{
    RUN(reads_what_the_rfc_writes);
    RUN(refuses_a_second_way_to_write_it);
    return test_end();
}
