/*
 * certificate.c - see certificate.h.
 */
#include "server/http/certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"

enum { FILE_MAX = 1024 * 1024, CHAIN_MAX = 16 };

struct http_certificate {
    atomic_size_t references;
    gnutls_certificate_credentials_t credentials;
    int64_t starts_s;
    int64_t expires_s;
    bool is_exposed;
};

/* What the files hold. */
struct parts {
    gnutls_x509_crt_t *chain;
    unsigned count;
    gnutls_x509_privkey_t key;
};

static void parts_done(struct parts *parts)
{
    for (unsigned i = 0; i < parts->count; i++)
        gnutls_x509_crt_deinit(parts->chain[i]);
    gnutls_free(parts->chain);
    gnutls_x509_privkey_deinit(parts->key);
}

static bool fail_file(struct error *err, const char *file, const char *what, int status)
{
    return fail(err, ERR_CONFIG, "%s: %s (%s)", file, what, gnutls_strerror(status));
}

static bool read_text(const char *file, struct str *text, struct error *err)
{
    if (file_read_regular(file, FILE_MAX, text, err))
        return true;
    err->code = ERR_CONFIG;
    return false;
}

static bool read_chain(const char *file, struct parts *parts, struct error *err)
{
    struct str text;

    if (!read_text(file, &text, err))
        return false;

    const gnutls_datum_t pem = { (unsigned char *)text.ptr, (unsigned)text.len };
    int status =
        gnutls_x509_crt_list_import2(&parts->chain, &parts->count, &pem, GNUTLS_X509_FMT_PEM, 0);

    mem_free((void *)text.ptr);
    if (status < 0)
        return fail_file(err, file, "holds no certificate in PEM form", status);
    if (parts->count > CHAIN_MAX)
        return fail(err, ERR_CONFIG, "%s: more than %d certificates", file, CHAIN_MAX);
    return true;
}

static bool read_key(const char *file, struct parts *parts, struct error *err)
{
    struct str text;

    if (!read_text(file, &text, err))
        return false;

    const gnutls_datum_t pem = { (unsigned char *)text.ptr, (unsigned)text.len };
    int status = gnutls_x509_privkey_import2(parts->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);

    secret_free(text);
    if (status == GNUTLS_E_DECRYPTION_FAILED)
        return fail(err, ERR_CONFIG, "%s: the private key is encrypted", file);
    if (status < 0)
        return fail_file(err, file, "holds no private key in PEM form", status);
    return true;
}

static int64_t earliest_end_s(const struct parts *parts)
{
    int64_t earliest = INT64_MAX;

    for (unsigned i = 0; i < parts->count; i++) {
        int64_t end = gnutls_x509_crt_get_expiration_time(parts->chain[i]);

        if (end < earliest)
            earliest = end;
    }
    return earliest;
}

static int64_t latest_start_s(const struct parts *parts)
{
    int64_t latest = INT64_MIN;

    for (unsigned i = 0; i < parts->count; i++) {
        int64_t start = gnutls_x509_crt_get_activation_time(parts->chain[i]);

        if (start > latest)
            latest = start;
    }
    return latest;
}

static bool is_readable_by_others(const char *file)
{
    struct stat status;

    return stat(file, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH));
}

static bool join(const struct parts *parts, const char *key_file,
                 gnutls_certificate_credentials_t credentials, struct error *err)
{
    int status =
        gnutls_certificate_set_x509_key(credentials, parts->chain, (int)parts->count, parts->key);

    if (status == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return fail(err, ERR_CONFIG, "%s: the private key is not that of the certificate",
                    key_file);
    if (status < 0)
        return fail_file(err, key_file, "cannot be used with the certificate", status);
    return true;
}

bool http_certificate_load(const char *cert_file, const char *key_file,
                           struct http_certificate **out, struct error *err)
{
    CLEANUP(parts_done) struct parts parts = { 0 };
    gnutls_certificate_credentials_t credentials;
    int status = gnutls_x509_privkey_init(&parts.key);

    if (status < 0)
        return fail_file(err, key_file, "no memory for the key", status);
    if (!read_chain(cert_file, &parts, err) || !read_key(key_file, &parts, err))
        return false;
    status = gnutls_certificate_allocate_credentials(&credentials);
    if (status < 0)
        return fail_file(err, cert_file, "no memory for the certificate", status);
    if (!join(&parts, key_file, credentials, err)) {
        gnutls_certificate_free_credentials(credentials);
        return false;
    }

    struct http_certificate *certificate = mem_alloc(sizeof(*certificate));

    atomic_init(&certificate->references, 1);
    certificate->credentials = credentials;
    certificate->starts_s = latest_start_s(&parts);
    certificate->expires_s = earliest_end_s(&parts);
    certificate->is_exposed = is_readable_by_others(key_file);
    *out = certificate;
    return true;
}

struct http_certificate *http_certificate_acquire(struct http_certificate *certificate)
{
    atomic_fetch_add(&certificate->references, 1);
    return certificate;
}

void http_certificate_release(struct http_certificate *certificate)
{
    if (!certificate || atomic_fetch_sub(&certificate->references, 1) != 1)
        return;
    gnutls_certificate_free_credentials(certificate->credentials);
    mem_free(certificate);
}

void http_certificate_use(const struct http_certificate *certificate, void *session)
{
    /* Fails only without memory; the handshake then finds no certificate and ends. */
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificate->credentials);
}

int64_t http_certificate_starts_s(const struct http_certificate *certificate)
{
    return certificate->starts_s;
}

int64_t http_certificate_expires_s(const struct http_certificate *certificate)
{
    return certificate->expires_s;
}

bool http_certificate_is_exposed(const struct http_certificate *certificate)
{
    return certificate->is_exposed;
}
