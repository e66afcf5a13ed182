/*
 * tls_files.c - see tls_files.h.
 */
#include "tests/unit/tls_files.h"

#include <assert.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

static void must(int status)
{
    assert(status >= 0);
    (void)status;
}

static void put(const struct folder *folder, const char *name, const char *suffix,
                const gnutls_datum_t *pem)
{
    char file[FOLDER_PATH_SIZE];

    (void)snprintf(file, sizeof(file), "%s%s", name, suffix);
    folder_write(folder, file, (struct str){ (const char *)pem->data, pem->size });
}

static void sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, int64_t lifetime_s)
{
    static unsigned char serial;
    time_t now = time(NULL);

    serial++;
    must(gnutls_x509_crt_set_version(crt, 3));
    must(gnutls_x509_crt_set_serial(crt, &serial, sizeof(serial)));
    must(gnutls_x509_crt_set_dn(crt, "CN=localhost", NULL));
    must(gnutls_x509_crt_set_activation_time(crt, now - 2 * (time_t)TLS_FILES_DAY));
    must(gnutls_x509_crt_set_expiration_time(crt, now + (time_t)lifetime_s));
    must(gnutls_x509_crt_set_key(crt, key));
    must(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0));
}

void tls_files_write(const struct folder *folder, const char *name, int64_t lifetime_s)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;

    must(gnutls_x509_privkey_init(&key));
    must(gnutls_x509_crt_init(&crt));
    must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    sign(crt, key, lifetime_s);
    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem));
    put(folder, name, ".crt", &pem);
    gnutls_free(pem.data);
    must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
    put(folder, name, ".key", &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

struct tls_files tls_files_paths(const struct folder *folder, const char *name)
{
    struct tls_files files;
    char file[FOLDER_PATH_SIZE];

    (void)snprintf(file, sizeof(file), "%s.crt", name);
    folder_path(folder, file, files.cert);
    (void)snprintf(file, sizeof(file), "%s.key", name);
    folder_path(folder, file, files.key);
    return files;
}
