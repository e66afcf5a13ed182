/*
 * secret.c - see secret.h.
 */
#include "base/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/memory.h"

void secret_forbid_dumps(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); /* cannot fail for this value */
}

/* Digests all have one length, so that the comparison does not depend on the lengths of a and b. */
bool secret_equal(struct str a, struct str b)
{
    uint8_t digest_a[SECRET_DIGEST_SIZE];
    uint8_t digest_b[SECRET_DIGEST_SIZE];

    secret_digest(a, digest_a);
    secret_digest(b, digest_b);
    return CRYPTO_memcmp(digest_a, digest_b, SECRET_DIGEST_SIZE) == 0;
}

void secret_wipe(void *bytes, size_t len)
{
    if (bytes)
        OPENSSL_cleanse(bytes, len);
}

/* Fetched once: for a short text that takes longer than the digest. Never freed. */
static EVP_MD *sha256;

static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        abort(); /* TLS could not work without it */
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

void secret_digest(struct str bytes, uint8_t digest[static SECRET_DIGEST_SIZE])
{
    (void)pthread_once(&once, find_sha256);
    if (EVP_Digest(bytes.ptr ? bytes.ptr : "", bytes.len, digest, NULL, sha256, NULL) != 1)
        abort(); /* the only failure is a lack of memory */
}

void secret_digest_parts(const struct str *parts, size_t count,
                         uint8_t digest[static SECRET_DIGEST_SIZE])
{
    (void)pthread_once(&once, find_sha256);

    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestInit_ex2(context, sha256, NULL) == 1;

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1;
    if (!ok || EVP_DigestFinal_ex(context, digest, NULL) != 1)
        abort(); /* the only failure is a lack of memory */
    EVP_MD_CTX_free(context);
}

bool secret_read_file(const char *path, struct str *out, struct error *err)
{
    struct str text;

    if (!file_read_regular(path, SECRET_FILE_MAX, &text, err)) {
        err->code = ERR_CONFIG;
        return false;
    }

    size_t len = 0;

    while (len < text.len && text.ptr[len] != '\n' && text.ptr[len] != '\r')
        len++;
    if (len == 0) {
        secret_free(text);
        return fail(err, ERR_CONFIG, "%s: its first line is empty", path);
    }
    out->ptr = mem_copy(text.ptr, len);
    out->len = len;
    secret_free(text);
    return true;
}

void secret_free(struct str secret)
{
    secret_wipe((void *)secret.ptr, secret.len);
    mem_free((void *)secret.ptr);
}

struct str secret_base64(struct str bytes)
{
    char *text = mem_alloc((bytes.len + 2) / 3 * 4 + 1);
    int len =
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len);

    return (struct str){ text, (size_t)len };
}
