/*
 * certificate.c - see certificate.h.
 */
#include "server/http/certificate.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/private_key.h"
#include "base/secret.h"
#include "server/http/chain.h"

enum { FILE_MAX = 1024 * 1024 };

struct http_certificate {
    atomic_size_t references;
    gnutls_certificate_credentials_t credentials;
    int64_t starts_s;
    int64_t expires_s;
    bool is_exposed;
};

/* What the files hold. */
struct parts {
    struct http_chain chain;
    gnutls_x509_privkey_t key;
};

static void parts_done(struct parts *parts)
{
    http_chain_done(&parts->chain);
    gnutls_x509_privkey_deinit(parts->key);
}

static bool fail_file(struct error *err, const char *file, const char *what, int status)
{
    return fail(err, ERR_CONFIG, "%s: %s (%s)", file, what, gnutls_strerror(status));
}

static bool read_key(const char *file, struct parts *parts, struct error *err)
{
    struct str text;

    if (!file_read_regular(file, FILE_MAX, &text, err)) {
        err->code = ERR_CONFIG;
        return false;
    }

    const gnutls_datum_t pem = { (unsigned char *)text.ptr, (unsigned)text.len };
    int status = gnutls_x509_privkey_import2(parts->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);

    secret_free(text);
    if (status == GNUTLS_E_DECRYPTION_FAILED)
        return fail(err, ERR_CONFIG, "%s: the private key is encrypted", file);
    if (status < 0)
        return fail_file(err, file, "holds no private key in PEM form", status);
    return true;
}

static bool is_readable_by_others(const char *file)
{
    struct stat status;

    return stat(file, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH));
}

/* Signing by OpenSSL (base/private_key.h). The parameters and their types are GnuTLS's choice. */

static const struct {
    gnutls_sign_algorithm_t algorithm;
    struct private_key_scheme scheme;
} schemes[] = {
    { GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, { false, true, PRIVATE_KEY_SHA256 } },
    { GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, { false, true, PRIVATE_KEY_SHA384 } },
    { GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, { false, true, PRIVATE_KEY_SHA512 } },
    { GNUTLS_SIGN_RSA_SHA256, { false, false, PRIVATE_KEY_SHA256 } },
    { GNUTLS_SIGN_RSA_SHA384, { false, false, PRIVATE_KEY_SHA384 } },
    { GNUTLS_SIGN_RSA_SHA512, { false, false, PRIVATE_KEY_SHA512 } },
    { GNUTLS_SIGN_RSA_RAW, { false, false, PRIVATE_KEY_NAMED } }, /* the three before, in fact */
    { GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, { true, false, PRIVATE_KEY_SHA256 } },
    { GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, { true, false, PRIVATE_KEY_SHA384 } },
    { GNUTLS_SIGN_ECDSA_SHA256, { true, false, PRIVATE_KEY_SHA256 } },
    { GNUTLS_SIGN_ECDSA_SHA384, { true, false, PRIVATE_KEY_SHA384 } },
    { GNUTLS_SIGN_ECDSA_SHA512, { true, false, PRIVATE_KEY_SHA512 } },
};

static const struct private_key_scheme *find_scheme(const struct private_key *key,
                                                    gnutls_sign_algorithm_t algorithm)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].algorithm == algorithm)
            return schemes[i].scheme.is_ecdsa == private_key_is_ecdsa(key) ? &schemes[i].scheme
                                                                           : NULL;
    return NULL;
}

static int describe_key(gnutls_privkey_t handle, unsigned flags, void *self)
{
    const struct private_key *key = self;

    (void)handle;
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
        return private_key_is_ecdsa(key) ? GNUTLS_PK_ECDSA : GNUTLS_PK_RSA;
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
        return private_key_bits(key);
    if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
        return find_scheme(key, GNUTLS_FLAGS_TO_SIGN_ALGO(flags)) != NULL;
    return -1;
}

/* NOLINTBEGIN(readability-function-size) */
static int sign(gnutls_privkey_t handle, gnutls_sign_algorithm_t algorithm, void *self,
                unsigned flags, const gnutls_datum_t *digest, gnutls_datum_t *signature)
{
    const struct private_key *key = self;
    const struct private_key_scheme *scheme = find_scheme(key, algorithm);
    struct str bytes = { (const char *)digest->data, digest->size };
    unsigned char *out = gnutls_malloc(private_key_signature_size(key));
    size_t len = 0;

    (void)handle;
    (void)flags;
    if (!out || !scheme || !private_key_sign(key, scheme, bytes, out, &len)) {
        gnutls_free(out);
        return GNUTLS_E_PK_SIGN_FAILED;
    }
    *signature = (gnutls_datum_t){ out, (unsigned)len };
    return 0;
}
/* NOLINTEND(readability-function-size) */

static void destroy_key(gnutls_privkey_t handle, void *self)
{
    (void)handle;
    private_key_destroy(self);
}

/* NULL: OpenSSL is not used for keys of this kind. */
static struct private_key *copy_key(const struct parts *parts)
{
    gnutls_datum_t der = { NULL, 0 };
    struct private_key *key = NULL;

    if (gnutls_x509_privkey_export2_pkcs8(parts->key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN,
                                          &der) == 0)
        key = private_key_create((struct str){ (const char *)der.data, der.size });
    secret_wipe(der.data, der.size);
    gnutls_free(der.data);
    return key;
}

/* `key` is taken. GnuTLS compares it with the certificate by signing something. */
static int join_openssl(const struct parts *parts, struct private_key *key,
                        gnutls_certificate_credentials_t credentials)
{
    gnutls_pcert_st *chain = gnutls_malloc(parts->chain.count * sizeof(*chain));
    unsigned count = parts->chain.count;
    gnutls_privkey_t handle = NULL;
    int status = chain ? gnutls_pcert_import_x509_list(chain, parts->chain.list, &count, 0)
                       : GNUTLS_E_MEMORY_ERROR;

    if (status < 0)
        count = 0;
    if (status >= 0)
        status = gnutls_privkey_init(&handle);
    if (status >= 0)
        status =
            gnutls_privkey_import_ext4(handle, key, NULL, sign, NULL, destroy_key, describe_key, 0);
    if (status < 0)
        private_key_destroy(key); /* later it is the handle's */
    else
        status = gnutls_certificate_set_key(credentials, NULL, 0, chain, (int)count, handle);
    if (status >= 0) {
        gnutls_free(chain); /* its elements are the credentials' now, and so is the handle */
        return status;
    }
    for (unsigned i = 0; i < count; i++)
        gnutls_pcert_deinit(&chain[i]);
    gnutls_free(chain);
    if (handle)
        gnutls_privkey_deinit(handle);
    return status;
}

static int join_any(const struct parts *parts, gnutls_certificate_credentials_t credentials)
{
    struct private_key *key = copy_key(parts);

    if (key)
        return join_openssl(parts, key, credentials);
    return gnutls_certificate_set_x509_key(credentials, parts->chain.list, (int)parts->chain.count,
                                           parts->key);
}

static bool join(const struct parts *parts, const char *key_file,
                 gnutls_certificate_credentials_t credentials, struct error *err)
{
    int status = join_any(parts, credentials);

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
    if (!http_chain_read(cert_file, &parts.chain, err) || !read_key(key_file, &parts, err))
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
    certificate->starts_s = http_chain_starts_s(&parts.chain);
    certificate->expires_s = http_chain_expires_s(&parts.chain);
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
