/*
 * test_trust.c - claims about base/trust.h.
 */
#include "base/trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/unit/test.h"
#include "tests/unit/tls_files.h"

enum { FILES = 20 };

/* The certificates with which a context verifies after trust_apply(); NULL: it fails. */
static X509_STORE *applied(struct trust_source source)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    X509_STORE *store = NULL;

    if (trust_apply(context, source))
        store = SSL_CTX_get_cert_store(context);
    SSL_CTX_free(context);
    return store;
}

static int count_of(X509_STORE *store)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

static void connections_share_the_certificates(void)
{
    struct folder folder;
    struct tls_files files;
    struct trust_source source;

    folder_init(&folder);
    tls_files_write(&folder, "a", TLS_FILES_DAY);
    files = tls_files_paths(&folder, "a");
    source = (struct trust_source){ files.cert, folder.path };

    X509_STORE *store = applied(source);

    CHECK(store && count_of(store) == 1);
    CHECK(applied(source) == store);
    folder_done(&folder);
}

static void a_file_that_changes_is_read_again(void)
{
    struct folder folder;
    struct tls_files files;
    struct trust_source source;

    folder_init(&folder);
    tls_files_write(&folder, "a", TLS_FILES_DAY);
    tls_files_write(&folder, "b", TLS_FILES_DAY);
    files = tls_files_paths(&folder, "a");
    source = (struct trust_source){ files.cert, NULL };
    CHECK(applied(source) != NULL);
    folder_write(&folder, "a.crt", STR(""));
    CHECK(applied(source) == NULL);
    tls_files_write(&folder, "a", TLS_FILES_DAY);
    CHECK(applied(source) != NULL);
    folder_done(&folder);
}

static void without_certificates_there_is_no_trust(void)
{
    struct folder folder;
    char path[FOLDER_PATH_SIZE];

    folder_init(&folder);
    folder_path(&folder, "x", path);
    CHECK(applied((struct trust_source){ path, NULL }) == NULL);
    folder_write(&folder, "x", STR("-----BEGIN CERTIFICATE-----\nAAAA\n"));
    CHECK(applied((struct trust_source){ path, NULL }) == NULL);
    CHECK_INT((int64_t)ERR_peek_error(), 0);
    folder_done(&folder);
}

static void any_number_of_files_can_be_used(void)
{
    struct folder folder;

    folder_init(&folder);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FILES; i++) {
            char name[] = { (char)('a' + i), '\0' };
            struct tls_files files = tls_files_paths(&folder, name);

            if (round == 0)
                tls_files_write(&folder, name, TLS_FILES_DAY);
            CHECK(applied((struct trust_source){ files.cert, NULL }) != NULL);
        }
    }
    folder_done(&folder);
}

int main(void)
{
    RUN(connections_share_the_certificates);
    RUN(a_file_that_changes_is_read_again);
    RUN(without_certificates_there_is_no_trust);
    RUN(any_number_of_files_can_be_used);
    return test_end();
}
