/*
 * test_private_key.c - signatures are accepted by OpenSSL's own verification, of the right scheme
 * only
 */
#include "base/private_key.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/memory.h"
#include "tests/unit/test.h"

enum { SIGNATURE_MAX = 512, DIGEST_MAX = 64 };

struct pair {
    EVP_PKEY *pkey;
    struct private_key *key;
};

static struct private_key *read_key(EVP_PKEY *pkey)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    struct private_key *key = private_key_create((struct str){ (char *)der, (size_t)len });

    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

static struct pair make(EVP_PKEY *pkey)
{
    assert(pkey);
    return (struct pair){ pkey, read_key(pkey) };
}

static void done(struct pair *pair)
{
    private_key_destroy(pair->key);
    EVP_PKEY_free(pair->pkey);
}

static const EVP_MD *digest_of(enum private_key_hash hash)
{
    return hash == PRIVATE_KEY_SHA384   ? EVP_sha384()
           : hash == PRIVATE_KEY_SHA512 ? EVP_sha512()
                                        : EVP_sha256();
}

/* Does OpenSSL accept the signature of "message"? */
static bool verifies(EVP_PKEY *pkey, const struct private_key_scheme *scheme,
                     const uint8_t *signature, size_t len)
{
    EVP_MD_CTX *run = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = NULL;
    bool ok = EVP_DigestVerifyInit(run, &context, digest_of(scheme->hash), NULL, pkey) == 1;

    if (scheme->is_pss)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(run, signature, len, (const unsigned char *)"message", 7) == 1;
    EVP_MD_CTX_free(run);
    return ok;
}

static struct str digest(enum private_key_hash hash)
{
    static uint8_t bytes[DIGEST_MAX];
    unsigned len = 0;

    assert(EVP_Digest("message", 7, bytes, &len, digest_of(hash), NULL) == 1);
    return (struct str){ (const char *)bytes, len };
}

static void signs_by_each_scheme(void)
{
    static const struct private_key_scheme schemes[] = {
        { false, false, PRIVATE_KEY_SHA256 }, { false, false, PRIVATE_KEY_SHA384 },
        { false, false, PRIVATE_KEY_SHA512 }, { false, true, PRIVATE_KEY_SHA256 },
        { false, true, PRIVATE_KEY_SHA384 },  { false, true, PRIVATE_KEY_SHA512 },
        { true, false, PRIVATE_KEY_SHA256 },  { true, false, PRIVATE_KEY_SHA384 },
        { true, false, PRIVATE_KEY_SHA512 },
    };
    struct pair pairs[] = { make(EVP_RSA_gen(2048U)), make(EVP_EC_gen("P-256")),
                            make(EVP_EC_gen("P-384")) };

    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        for (size_t j = 0; j < COUNT_OF(pairs); j++) {
            uint8_t signature[SIGNATURE_MAX];
            size_t len = 0;
            bool fits = schemes[i].is_ecdsa == private_key_is_ecdsa(pairs[j].key);

            CHECK(private_key_signature_size(pairs[j].key) <= sizeof(signature));
            CHECK(private_key_sign(pairs[j].key, &schemes[i], digest(schemes[i].hash), signature,
                                   &len) == fits);
            CHECK(!fits || verifies(pairs[j].pkey, &schemes[i], signature, len));
        }
    CHECK_INT(private_key_bits(pairs[0].key), 2048);
    CHECK_INT(private_key_bits(pairs[1].key), 256);
    CHECK_INT(private_key_bits(pairs[2].key), 384);
    for (size_t j = 0; j < COUNT_OF(pairs); j++)
        done(&pairs[j]);
}

static void signs_a_named_digest(void)
{
    /* RFC 8017, 9.2: the DigestInfo of SHA-256 before the digest. */
    uint8_t info[19 + 32] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                              0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
    struct pair pair = make(EVP_RSA_gen(2048U));
    uint8_t signature[SIGNATURE_MAX];
    size_t len = 0;

    memcpy(info + 19, digest(PRIVATE_KEY_SHA256).ptr, 32);
    CHECK(private_key_sign(pair.key, &(struct private_key_scheme){ .hash = PRIVATE_KEY_NAMED },
                           (struct str){ (const char *)info, sizeof(info) }, signature, &len));
    CHECK(verifies(pair.pkey, &(struct private_key_scheme){ .hash = PRIVATE_KEY_SHA256 }, signature,
                   len));
    done(&pair);
}

static void signs_no_digest_of_another_length(void)
{
    struct pair pair = make(EVP_RSA_gen(2048U));
    uint8_t signature[SIGNATURE_MAX];
    size_t len = 0;

    CHECK(!private_key_sign(pair.key, &(struct private_key_scheme){ .hash = PRIVATE_KEY_SHA256 },
                            STR("short"), signature, &len));
    done(&pair);
}

static void takes_no_other_keys(void)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    CHECK(read_key(pkey) == NULL);
    EVP_PKEY_free(pkey);
    CHECK(private_key_create(STR("no key")) == NULL);
    CHECK(private_key_create(STR("")) == NULL);
    private_key_destroy(NULL);
}

int main(void)
{
    RUN(signs_by_each_scheme);
    RUN(signs_a_named_digest);
    RUN(signs_no_digest_of_another_length);
    RUN(takes_no_other_keys);
    return test_end();
}
