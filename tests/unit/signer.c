/*
 * signer.c - see signer.h.
 */
#include "tests/unit/signer.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/memory.h"

enum { LONGEST = 8192 };

struct signer {
    enum signature_algorithm algorithm;
    EVP_PKEY *pkey;
};

static struct signer *own(enum signature_algorithm algorithm, EVP_PKEY *pkey)
{
    struct signer *signer = mem_alloc(sizeof(*signer));

    assert(pkey);
    signer->algorithm = algorithm;
    signer->pkey = pkey;
    return signer;
}

struct signer *signer_create(enum signature_algorithm algorithm, int bits)
{
    switch (algorithm) {
    case SIGNATURE_RS256:
    case SIGNATURE_PS256:
        return own(algorithm, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits));
    case SIGNATURE_ES256:
        return own(algorithm, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    case SIGNATURE_EDDSA:
        break;
    }
    return own(algorithm, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

struct signer *signer_create_p384(void)
{
    return own(SIGNATURE_ES256, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));
}

void signer_destroy(struct signer *signer)
{
    EVP_PKEY_free(signer->pkey);
    mem_free(signer);
}

void signer_encode(struct buf *out, struct str text)
{
    unsigned char base64[LONGEST * 2];

    assert(text.len <= LONGEST);

    int len = EVP_EncodeBlock(base64, (const unsigned char *)text.ptr, (int)text.len);

    for (int i = 0; i < len && base64[i] != '='; i++)
        buf_add_char(out, (char)(base64[i] == '+' ? '-' : base64[i] == '/' ? '_' : base64[i]));
}

static void write_number(const struct signer *signer, const char *name, const char *jwk_name,
                         struct buf *out)
{
    unsigned char bytes[LONGEST];
    BIGNUM *number = NULL;

    assert(EVP_PKEY_get_bn_param(signer->pkey, name, &number) == 1);

    int len = BN_bn2bin(number, bytes);

    if (EVP_PKEY_get_base_id(signer->pkey) ==
        EVP_PKEY_EC) { /* RFC 7518, 6.2.1.2: coordinates have a fixed length */
        len = (EVP_PKEY_get_bits(signer->pkey) + 7) / 8;
        assert(BN_bn2binpad(number, bytes, len) == len);
    }
    buf_printf(out, ",\"%s\":\"", jwk_name);
    signer_encode(out, (struct str){ (const char *)bytes, (size_t)len });
    buf_add_char(out, '"');
    BN_free(number);
}

void signer_write_jwk(const struct signer *signer, struct buf *out)
{
    unsigned char raw[32];
    size_t len = sizeof(raw);

    switch (EVP_PKEY_get_base_id(signer->pkey)) {
    case EVP_PKEY_RSA:
        buf_add(out, STR("\"kty\":\"RSA\""));
        write_number(signer, OSSL_PKEY_PARAM_RSA_N, "n", out);
        write_number(signer, OSSL_PKEY_PARAM_RSA_E, "e", out);
        break;
    case EVP_PKEY_EC:
        buf_printf(out, "\"kty\":\"EC\",\"crv\":\"P-%d\"", EVP_PKEY_get_bits(signer->pkey));
        write_number(signer, OSSL_PKEY_PARAM_EC_PUB_X, "x", out);
        write_number(signer, OSSL_PKEY_PARAM_EC_PUB_Y, "y", out);
        break;
    default:
        assert(EVP_PKEY_get_raw_public_key(signer->pkey, raw, &len) == 1);
        buf_add(out, STR("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""));
        signer_encode(out, (struct str){ (const char *)raw, len });
        buf_add_char(out, '"');
    }
}

void signer_write_pem(const struct signer *signer, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    assert(bio && PEM_write_bio_PUBKEY(bio, signer->pkey) == 1);

    long len = BIO_get_mem_data(bio, &text);

    buf_add(out, (struct str){ text, (size_t)len });
    BIO_free(bio);
}

/* Write the signature in OpenSSL's format; returns its length. */
static size_t sign(const struct signer *signer, struct str message, unsigned char *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings = NULL;
    const EVP_MD *digest = signer->algorithm == SIGNATURE_EDDSA ? NULL : EVP_sha256();
    size_t len = LONGEST;

    assert(EVP_DigestSignInit(context, &settings, digest, NULL, signer->pkey) == 1);
    if (signer->algorithm == SIGNATURE_PS256) {
        assert(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1);
        assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    assert(EVP_DigestSign(context, out, &len, (const unsigned char *)message.ptr, message.len) ==
           1);
    EVP_MD_CTX_free(context);
    return len;
}

void signer_sign_der(const struct signer *signer, struct str message, struct buf *out)
{
    unsigned char bytes[LONGEST];
    size_t len = sign(signer, message, bytes);

    buf_add(out, (struct str){ (const char *)bytes, len });
}

void signer_sign(const struct signer *signer, struct str message, struct buf *out)
{
    unsigned char bytes[LONGEST];
    unsigned char raw[LONGEST];
    const unsigned char *at = bytes;
    size_t len = sign(signer, message, bytes);
    int half = (EVP_PKEY_get_bits(signer->pkey) + 7) / 8;

    if (signer->algorithm != SIGNATURE_ES256) {
        buf_add(out, (struct str){ (const char *)bytes, len });
        return;
    }

    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);

    assert(signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, half) == half);
    assert(BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + half, half) == half);
    buf_add(out, (struct str){ (const char *)raw, (size_t)half * 2 });
    ECDSA_SIG_free(signature);
}

void signer_hmac(struct str key, struct str message, struct buf *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    assert(HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)message.ptr,
                message.len, mac, &len) != NULL);
    buf_add(out, (struct str){ (const char *)mac, len });
}

void signer_write_token(const struct signer *signer, const char *header, const char *payload,
                        struct buf *out)
{
    struct buf signature;
    size_t begin = out->len;

    buf_init(&signature, LONGEST);
    signer_encode(out, str_from_c(header));
    buf_add_char(out, '.');
    signer_encode(out, str_from_c(payload));
    signer_sign(signer, str_from(buf_str(out), begin), &signature);
    buf_add_char(out, '.');
    signer_encode(out, buf_str(&signature));
    buf_done(&signature);
}
