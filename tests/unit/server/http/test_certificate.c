/*
 * test_certificate.c - claims about server/http/certificate.h.
 */
#include "server/http/certificate.h"

#include <sys/stat.h>
#include <time.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/test.h"
#include "tests/unit/tls_files.h"

static struct folder folder;

static void copy(const char *from, const char *to)
{
    char path[FOLDER_PATH_SIZE];
    struct str text;
    struct error err;

    folder_path(&folder, from, path);
    CHECK(file_read(path, 100000, &text, &err));
    folder_write(&folder, to, text);
    mem_free((void *)text.ptr);
}

static void reads_a_pair_and_tells_when_it_expires(void)
{
    struct tls_files files = tls_files_paths(&folder, "good");
    struct http_certificate *certificate = NULL;
    struct error err = { 0 };

    CHECK(http_certificate_load(files.cert, files.key, &certificate, &err));
    CHECK_INT(err.code, ERR_NONE);

    int64_t left = http_certificate_expires_s(certificate) - (int64_t)time(NULL);

    CHECK_INT((left + 600) / TLS_FILES_DAY, 10); /* it was made a little while ago */
    CHECK(http_certificate_acquire(certificate) == certificate);
    http_certificate_release(certificate);
    http_certificate_release(certificate);
    http_certificate_release(NULL);
}

static void tells_who_may_read_the_key(void)
{
    static const struct {
        const char *name;
        mode_t mode;
        bool exposed;
    } cases[] = {
        { "its owner", 0600, false },
        { "its group", 0640, false },
        { "everybody", 0644, true },
        { "everybody may write", 0602, true },
    };
    struct tls_files files = tls_files_paths(&folder, "good");

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_certificate *certificate = NULL;
        struct error err;

        TEST_CASE(cases[i].name);
        CHECK(chmod(files.key, cases[i].mode) == 0);
        CHECK(http_certificate_load(files.cert, files.key, &certificate, &err));
        CHECK(http_certificate_is_exposed(certificate) == cases[i].exposed);
        http_certificate_release(certificate);
    }
}

static void says_which_file_is_wrong_and_how(void)
{
    static const struct {
        const char *name;
        const char *cert;
        const char *key;
        const char *culprit;
        const char *text;
    } cases[] = {
        { "a key of another certificate", "good", "other", "other.key",
          "the private key is not that of the certificate" },
        { "no certificate file", "missing", "good", "missing.crt", "No such file or directory" },
        { "no key file", "good", "missing", "missing.key", "No such file or directory" },
        { "a key in the certificate's place", "swapped", "good", "swapped.crt",
          "holds no certificate in PEM form" },
        { "a certificate in the key's place", "good", "swapped", "swapped.key",
          "holds no private key in PEM form" },
        { "an empty certificate", "empty", "good", "empty.crt", "holds no certificate" },
        { "an empty key", "good", "empty", "empty.key", "holds no private key" },
        { "an encrypted key", "good", "encrypted", "encrypted.key",
          "the private key is encrypted" },
    };

    copy("good.key", "swapped.crt");
    copy("good.crt", "swapped.key");
    folder_write(&folder, "empty.crt", STR(""));
    folder_write(&folder, "empty.key", STR(""));
    folder_write(&folder, "encrypted.key",
                 STR("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                     "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjO4MwXJwMg1AICCAAw\n"
                     "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDRZJ6zG6m8N8TmqE8bb/9oEgZAU\n"
                     "t1GyADJfIwmlLNdXCBkYSVkOkaNUYOQNTjKNpkXdo1RVd+oobEZyShvKQhGTi07z\n"
                     "XVWl7szM2KPSF7Iw1VweIsE8FoyCgq9jzcZLimKEpawMOZdwJKaRYNfsVYwIqPSw\n"
                     "JgAN2qJWc3EP5XD2JIZHDBZ8yulEkwn1xciQI8rTeeLYUFjJONYkENHjeVY7Uk8=\n"
                     "-----END ENCRYPTED PRIVATE KEY-----\n"));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tls_files cert = tls_files_paths(&folder, cases[i].cert);
        struct tls_files key = tls_files_paths(&folder, cases[i].key);
        struct http_certificate *certificate = NULL;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(!http_certificate_load(cert.cert, key.key, &certificate, &err));
        CHECK(certificate == NULL);
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(strstr(err.text, cases[i].culprit) != NULL);
        CHECK(strstr(err.text, cases[i].text) != NULL);
        if (!strstr(err.text, cases[i].text))
            CHECK_STR(str_from_c(err.text), cases[i].text);
    }
}

int main(void)
{
    folder_init(&folder);
    tls_files_write(&folder, "good", (int64_t)10 * TLS_FILES_DAY);
    tls_files_write(&folder, "other", TLS_FILES_DAY);
    RUN(reads_a_pair_and_tells_when_it_expires);
    RUN(tells_who_may_read_the_key);
    RUN(says_which_file_is_wrong_and_how);
    folder_done(&folder);
    return test_end();
}
