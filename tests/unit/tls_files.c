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
    must(gnutls_x509_crt_sign2(crt, crt, key,
                               gnutls_x509_privkey_get_pk_algorithm(key) == GNUTLS_PK_EDDSA_ED25519
                                   ? GNUTLS_DIG_SHA512
                                   : GNUTLS_DIG_SHA256,
                               0));
}

static const struct {
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
} kinds[] = {
    [TLS_FILES_P256] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
    [TLS_FILES_P384] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1) },
    [TLS_FILES_RSA2048] = { GNUTLS_PK_RSA, 2048 },
    [TLS_FILES_ED25519] = { GNUTLS_PK_EDDSA_ED25519, 0 },
};

static void write_pair(const struct folder *folder, const char *name, enum tls_files_key kind,
                       int64_t lifetime_s)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;

    must(gnutls_x509_privkey_init(&key));
    must(gnutls_x509_crt_init(&crt));
    must(gnutls_x509_privkey_generate(key, kinds[kind].algorithm, kinds[kind].bits, 0));
    sign(crt, key, lifetime_s);
    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem));
    put(folder, name, ".crt", &pem);
    gnutls_free(pem.data);
    if (kind == TLS_FILES_P256)
        must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
    else
        must(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                               &pem));
    put(folder, name, ".key", &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

void tls_files_write(const struct folder *folder, const char *name, int64_t lifetime_s)
{
    write_pair(folder, name, TLS_FILES_P256, lifetime_s);
}

void tls_files_write_kind(const struct folder *folder, const char *name, enum tls_files_key kind)
{
    write_pair(folder, name, kind, TLS_FILES_DAY);
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
