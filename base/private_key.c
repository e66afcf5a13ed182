/*
 * private_key.c - see private_key.h.
 */
#include "base/private_key.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/memory.h"

struct private_key {
    EVP_PKEY *pkey;
};

static bool is_supported(const EVP_PKEY *pkey)
{
    int kind = EVP_PKEY_get_base_id(pkey);

    return kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC;
}

struct private_key *private_key_create(struct str der)
{
    const unsigned char *bytes = (const unsigned char *)der.ptr;
    EVP_PKEY *pkey = der.len <= LONG_MAX ? d2i_AutoPrivateKey(NULL, &bytes, (long)der.len) : NULL;
    struct private_key *key;

    if (!pkey || !is_supported(pkey)) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key = mem_alloc(sizeof(*key));
    key->pkey = pkey;
    return key;
}

void private_key_destroy(struct private_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    mem_free(key);
}

bool private_key_is_ecdsa(const struct private_key *key)
{
    return EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_EC;
}

int private_key_bits(const struct private_key *key)
{
    return EVP_PKEY_get_bits(key->pkey);
}

size_t private_key_signature_size(const struct private_key *key)
{
    return (size_t)EVP_PKEY_get_size(key->pkey);
}

static const EVP_MD *digest_of(enum private_key_hash hash)
{
    switch (hash) {
    case PRIVATE_KEY_SHA384:
        return EVP_sha384();
    case PRIVATE_KEY_SHA512:
        return EVP_sha512();
    case PRIVATE_KEY_SHA256:
    case PRIVATE_KEY_NAMED:
        break;
    }
    return EVP_sha256();
}

static bool use_hash(EVP_PKEY_CTX *context, enum private_key_hash hash)
{
    return hash == PRIVATE_KEY_NAMED ||
           EVP_PKEY_CTX_set_signature_md(context, digest_of(hash)) == 1;
}

static bool use_pss(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool private_key_sign(const struct private_key *key, const struct private_key_scheme *scheme,
                      struct str digest, uint8_t *signature, size_t *len)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
    size_t size = private_key_signature_size(key);
    bool ok = context && scheme->is_ecdsa == private_key_is_ecdsa(key) &&
              EVP_PKEY_sign_init(context) == 1 && use_hash(context, scheme->hash) &&
              (!scheme->is_pss || use_pss(context)) &&
              EVP_PKEY_sign(context, signature, &size, (const unsigned char *)digest.ptr,
                            digest.len) == 1;

    EVP_PKEY_CTX_free(context);
    if (ok)
        *len = size;
    return ok;
}
