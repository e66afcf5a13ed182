/*
 * signature.c - see signature.h. OpenSSL does the arithmetic.
 *
 * The thread's queue of OpenSSL errors is cleared after each use: libcurl reads the same queue.
 */
#include "base/signature.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdint.h>

#include "base/memory.h"

enum {
    RSA_MIN_BITS = 2048, /* RFC 7518, section 3.3 */
    RSA_MAX_BITS = 8192, /* verification with a longer key takes milliseconds */
    RSA_E_MAX = 8,       /* bytes of an exponent; OpenSSL's limit for long keys */
    COORDINATE = 32,     /* bytes of one of P-256 */
    ED25519_KEY = 32,
    DER_MAX = 80, /* bytes of an ECDSA signature in DER: 72 at most */
};

enum kind { KIND_RSA, KIND_P256, KIND_ED25519 };

struct signature_key {
    enum kind kind;
    EVP_PKEY *pkey;
};

static void free_bn(BIGNUM **bn)
{
    BN_free(*bn);
}

static void free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void free_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

static void free_pkey_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void free_digest_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void free_ecdsa(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.ptr ? s.ptr : "");
}

static BIGNUM *number(struct str big_endian)
{
    return BN_bin2bn(bytes_of(big_endian), (int)big_endian.len, NULL);
}

/* A key of OpenSSL's `type` that passes OpenSSL's check of public keys; else NULL. */
static EVP_PKEY *build(const char *type, OSSL_PARAM *params)
{
    CLEANUP(free_pkey_context)
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (!maker || EVP_PKEY_fromdata_init(maker) != 1 ||
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;

    CLEANUP(free_pkey_context) EVP_PKEY_CTX *checker = EVP_PKEY_CTX_new(pkey, NULL);

    if (checker && EVP_PKEY_public_check(checker) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

/* Takes ownership of `pkey`. */
static bool finish(EVP_PKEY *pkey, enum kind kind, struct signature_key **out, struct error *err)
{
    static const char *const names[] = {
        [KIND_RSA] = "an RSA key",
        [KIND_P256] = "a point on P-256",
        [KIND_ED25519] = "an Ed25519 key",
    };

    ERR_clear_error();
    if (!pkey)
        return fail(err, ERR_MALFORMED, "not %s", names[kind]);
    *out = mem_alloc(sizeof(**out));
    (*out)->kind = kind;
    (*out)->pkey = pkey;
    return true;
}

bool signature_key_rsa(struct str n, struct str e, struct signature_key **out, struct error *err)
{
    if (n.len > RSA_MAX_BITS / 8)
        return fail(err, ERR_MALFORMED, "an RSA key of more than %d bits", RSA_MAX_BITS);
    if (e.len == 0 || e.len > RSA_E_MAX)
        return fail(err, ERR_MALFORMED, "an RSA exponent of %zu bytes", e.len);

    CLEANUP(free_bn) BIGNUM *modulus = number(n);
    CLEANUP(free_bn) BIGNUM *exponent = number(e);
    CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CLEANUP(free_params) OSSL_PARAM *params = NULL;

    if (!modulus || !exponent || !builder)
        return fail(err, ERR_MALFORMED, "not an RSA key");
    if (BN_num_bits(modulus) < RSA_MIN_BITS)
        return fail(err, ERR_MALFORMED, "an RSA key of %d bits, at least %d", BN_num_bits(modulus),
                    RSA_MIN_BITS);
    if (!BN_is_odd(modulus) || !BN_is_odd(exponent) || BN_is_one(exponent))
        return fail(err, ERR_MALFORMED, "not an RSA key");
    if (OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        params = OSSL_PARAM_BLD_to_param(builder);
    return finish(params ? build("RSA", params) : NULL, KIND_RSA, out, err);
}

bool signature_key_p256(struct str x, struct str y, struct signature_key **out, struct error *err)
{
    static char group[] = "prime256v1";
    unsigned char point[1 + 2 * COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_end(),
    };

    if (x.len != COORDINATE || y.len != COORDINATE)
        return fail(err, ERR_MALFORMED, "coordinates of P-256 have %d bytes", COORDINATE);
    memcpy(point + 1, x.ptr, COORDINATE);
    memcpy(point + 1 + COORDINATE, y.ptr, COORDINATE);
    return finish(build("EC", params), KIND_P256, out, err);
}

bool signature_key_ed25519(struct str x, struct signature_key **out, struct error *err)
{
    if (x.len != ED25519_KEY)
        return fail(err, ERR_MALFORMED, "Ed25519 keys have %d bytes", ED25519_KEY);
    return finish(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes_of(x), x.len),
                  KIND_ED25519, out, err);
}

void signature_key_destroy(struct signature_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    mem_free(key);
}

bool signature_key_fits(const struct signature_key *key, enum signature_algorithm algorithm)
{
    static const enum kind kinds[] = {
        [SIGNATURE_RS256] = KIND_RSA,
        [SIGNATURE_PS256] = KIND_RSA,
        [SIGNATURE_ES256] = KIND_P256,
        [SIGNATURE_EDDSA] = KIND_ED25519,
    };

    return kinds[algorithm] == key->kind;
}

/* JOSE concatenates r and s, OpenSSL reads DER. Returns its length, or 0. */
static size_t ecdsa_to_der(struct str raw, unsigned char der[static DER_MAX])
{
    CLEANUP(free_ecdsa) ECDSA_SIG *signature = ECDSA_SIG_new();
    unsigned char *end = der;

    if (raw.len != (size_t)2 * COORDINATE || !signature)
        return 0;

    BIGNUM *r = number((struct str){ raw.ptr, COORDINATE });
    BIGNUM *s = number((struct str){ raw.ptr + COORDINATE, COORDINATE });

    if (ECDSA_SIG_set0(signature, r, s) != 1) { /* on success it owns both */
        BN_free(r);
        BN_free(s);
        return 0;
    }

    int len = i2d_ECDSA_SIG(signature, NULL);

    if (len <= 0 || len > DER_MAX || i2d_ECDSA_SIG(signature, &end) != len)
        return 0;
    return (size_t)len;
}

static bool set_padding(EVP_PKEY_CTX *context, enum signature_algorithm algorithm)
{
    if (algorithm == SIGNATURE_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    if (algorithm == SIGNATURE_PS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    return true;
}

bool signature_verify(const struct signature_key *key, enum signature_algorithm algorithm,
                      struct str message, struct str signature)
{
    CLEANUP(free_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings = NULL; /* belongs to the context */
    const EVP_MD *digest = algorithm == SIGNATURE_EDDSA ? NULL : EVP_sha256();
    unsigned char der[DER_MAX];

    if (!context || !signature_key_fits(key, algorithm))
        return false;
    if (algorithm == SIGNATURE_ES256) {
        signature.len = ecdsa_to_der(signature, der);
        signature.ptr = (const char *)der;
    }

    bool ok = signature.len > 0 &&
              EVP_DigestVerifyInit(context, &settings, digest, NULL, key->pkey) == 1 &&
              set_padding(settings, algorithm) &&
              EVP_DigestVerify(context, bytes_of(signature), signature.len, bytes_of(message),
                               message.len) == 1;

    ERR_clear_error();
    return ok;
}
