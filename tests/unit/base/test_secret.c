/*
 * test_secret.c - claims about base/secret.h.
 */
#include "base/secret.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static struct folder folder;

static void compares_whole_secrets(void)
{
    CHECK(secret_equal(STR("alpha"), STR("alpha")));
    CHECK(!secret_equal(STR("alpha"), STR("alphb")));
    CHECK(!secret_equal(STR("alpha"), STR("alph")));
    CHECK(!secret_equal(STR("alpha"), STR("alpha\0")));
    CHECK(!secret_equal(STR("alpha"), STR("ALPHA")));
    CHECK(!secret_equal(STR_NONE, STR("a")));
    CHECK(secret_equal(STR_NONE, STR("")));
}

static void digests_as_the_standard_says(void)
{
    static const struct {
        const char *text;
        const char *digest;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t digest[SECRET_DIGEST_SIZE];
        char hex[2 * SECRET_DIGEST_SIZE + 1];

        secret_digest(str_from_c(cases[i].text), digest);
        for (size_t j = 0; j < sizeof(digest); j++)
            (void)snprintf(hex + 2 * j, 3, "%02x", digest[j]);
        CHECK_STR(str_from_c(hex), cases[i].digest);
    }
}

static void parts_have_the_digest_of_their_whole(void)
{
    static const struct str parts[] = { STR_INIT("a"), STR_INIT(""), STR_INIT("bc"),
                                        STR_INIT("\n") };
    uint8_t whole[SECRET_DIGEST_SIZE];
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(STR("abc\n"), whole);
    secret_digest_parts(parts, COUNT_OF(parts), digest);
    CHECK(memcmp(digest, whole, sizeof(digest)) == 0);
    secret_digest(STR(""), whole);
    secret_digest_parts(parts, 0, digest);
    CHECK(memcmp(digest, whole, sizeof(digest)) == 0);
}

static void wipes(void)
{
    char text[] = "secret";

    secret_wipe(text, sizeof(text));
    CHECK(memcmp(text, "\0\0\0\0\0\0", sizeof(text)) == 0);
    secret_wipe(NULL, 0);
    secret_free(STR_NONE);
}

static void encodes_base64(void)
{
    static const struct {
        const char *text;
        const char *base64;
    } cases[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
        { "\xFF\xFE\xFD\xFC", "//79/A==" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str encoded = secret_base64(str_from_c(cases[i].text));

        TEST_CASE(cases[i].base64);
        CHECK_STR(encoded, cases[i].base64);
        secret_free(encoded);
    }
}

static void decodes_base64(void)
{
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused */
    } cases[] = {
        { "Zg==", "f" },
        { "Zm8=", "fo" },
        { "Zm9v", "foo" },
        { "Zm9vYmFy", "foobar" },
        { "+/+/", "\xfb\xff\xbf" },
        { "", NULL },
        { "Zg", NULL },
        { "Zg=", NULL },
        { "Z===", NULL },
        { "====", NULL },
        { "Zm9v\n", NULL },
        { "Zm-_", NULL },
        { "Zg==Zg==", NULL },
        { " Zm9", NULL },
        { "Zm9v=", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str bytes = STR_NONE;

        TEST_CASE(cases[i].text);
        CHECK(secret_from_base64(str_from_c(cases[i].text), &bytes) == (cases[i].bytes != NULL));
        CHECK_STR(bytes, cases[i].bytes ? cases[i].bytes : "");
        secret_free(bytes);
    }
}

/* Test cases 1, 2 and 6 of RFC 4231. */
static void authenticates_as_the_standard_says(void)
{
    static char long_key[131];
    const struct {
        struct str key;
        struct str parts[2];
        const char *mac;
    } cases[] = {
        { STR_INIT(
              "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
          { STR_INIT("Hi "), STR_INIT("There") },
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { STR_INIT("Jefe"),
          { STR_INIT("what do ya want for nothing?"), STR_INIT("") },
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { { long_key, sizeof(long_key) },
          { STR_INIT("Test Using Larger Than Block-Size Key - Hash Key First"), STR_INIT("") },
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    };

    memset(long_key, 0xaa, sizeof(long_key));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t mac[SECRET_DIGEST_SIZE];
        struct buf hex;

        TEST_CASE(cases[i].mac);
        buf_init(&hex, SIZE_MAX);
        secret_hmac(cases[i].key, cases[i].parts, 2, mac);
        buf_add_hex(&hex, mac, sizeof(mac));
        CHECK_STR(buf_str(&hex), cases[i].mac);
        buf_done(&hex);
    }
}

static void reads_the_first_line_of_a_file(void)
{
    static const struct {
        const char *name;
        struct str content;
        const char *secret; /* NULL: refused */
    } cases[] = {
        { "plain", STR_INIT("alpha"), "alpha" },
        { "with a line end", STR_INIT("alpha\n"), "alpha" },
        { "with a line end from elsewhere", STR_INIT("alpha\r\n"), "alpha" },
        { "more lines", STR_INIT("alpha\nbeta\n"), "alpha" },
        { "spaces belong to it", STR_INIT(" al pha \n"), " al pha " },
        { "empty", STR_INIT(""), NULL },
        { "an empty first line", STR_INIT("\nalpha\n"), NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[FOLDER_PATH_SIZE];
        struct str secret = STR_NONE;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        folder_write(&folder, "secret", cases[i].content);
        folder_path(&folder, "secret", path);
        CHECK(secret_read_file(path, &secret, &err) == (cases[i].secret != NULL));
        CHECK_INT(err.code, cases[i].secret ? ERR_NONE : ERR_CONFIG);
        if (cases[i].secret) {
            CHECK_STR(secret, cases[i].secret);
            CHECK(secret.ptr[secret.len] == '\0');
        } else {
            CHECK(strstr(err.text, path) != NULL);
        }
        secret_free(secret);
    }
}

static void refuses_files_that_it_cannot_use(void)
{
    static char large[SECRET_FILE_MAX + 1];
    struct str secret = STR("untouched");
    struct error err = { 0 };
    char path[FOLDER_PATH_SIZE];

    folder_path(&folder, "large", path);
    memset(large, 'x', sizeof(large));
    folder_write(&folder, "large", (struct str){ large, sizeof(large) });
    CHECK(!secret_read_file(path, &secret, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    folder_path(&folder, "none", path);
    err.code = ERR_NONE;
    CHECK(!secret_read_file(path, &secret, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(secret, "untouched");
    folder_path(&folder, "pipe", path);
    CHECK(mkfifo(path, S_IRUSR | S_IWUSR) == 0);
    err.code = ERR_NONE;
    CHECK(!secret_read_file(path, &secret, &err)); /* never has a writer */
    CHECK_INT(err.code, ERR_CONFIG);
    folder_remove(&folder, "pipe");

    folder_write(&folder, "large", (struct str){ large, SECRET_FILE_MAX });
    folder_path(&folder, "large", path);
    CHECK(secret_read_file(path, &secret, &err));
    CHECK_INT((int64_t)secret.len, SECRET_FILE_MAX);
    secret_free(secret);
}

int main(void)
{
    folder_init(&folder);
    RUN(compares_whole_secrets);
    RUN(digests_as_the_standard_says);
    RUN(parts_have_the_digest_of_their_whole);
    RUN(wipes);
    RUN(encodes_base64);
    RUN(decodes_base64);
    RUN(authenticates_as_the_standard_says);
    RUN(reads_the_first_line_of_a_file);
    RUN(refuses_files_that_it_cannot_use);
    folder_done(&folder);
    return test_end();
}
