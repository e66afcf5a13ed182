/*
 * secret.c - see secret.h.
 */
#include "base/secret.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/chars.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/vault.h"

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
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        abort(); /* TLS could not work without it */
}

/* Each thread keeps one. */
static _Thread_local EVP_MD_CTX *digest_context;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
    digest_context = NULL;
}

static EVP_MD_CTX *take_context(void)
{
    if (!digest_context) {
        (void)pthread_once(&sha256_once, find_sha256);
        digest_context = EVP_MD_CTX_new();
        if (!digest_context)
            mem_out_of_memory();
        thread_at_end(free_context, digest_context);
    }
    return digest_context;
}

void secret_digest(struct str bytes, uint8_t digest[static SECRET_DIGEST_SIZE])
{
    secret_digest_parts(&bytes, 1, digest);
}

void secret_digest_parts(const struct str *parts, size_t count,
                         uint8_t digest[static SECRET_DIGEST_SIZE])
{
    EVP_MD_CTX *context = take_context();
    bool ok = EVP_DigestInit_ex2(context, sha256, NULL) == 1;

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1;
    if (!ok || EVP_DigestFinal_ex(context, digest, NULL) != 1)
        abort(); /* the only failure is a lack of memory */
}

bool secret_read(const char *place, struct str *out, struct error *err)
{
    if (vault_is_name(place))
        return vault_get(place, out) || fail(err, ERR_CONFIG, "%s: no such secret", place);
    if (file_read_regular(place, SECRET_FILE_MAX, out, err))
        return true;
    err->code = ERR_CONFIG;
    return false;
}

struct file_stamp secret_stamp(const char *place)
{
    if (vault_is_name(place))
        return (struct file_stamp){ .inode = (ino_t)vault_version(place) };
    return file_stamp(place);
}

bool secret_read_file(const char *path, struct str *out, struct error *err)
{
    struct str text;
    size_t len = 0;

    if (!secret_read(path, &text, err))
        return false;

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

static bool is_base64(char c)
{
    return char_is_alnum(c) || c == '+' || c == '/';
}

bool secret_from_base64(struct str text, struct str *out)
{
    struct str rest = text;
    char *bytes;

    (void)take_run(&rest, is_base64);

    size_t padding = rest.len;

    if (text.len == 0 || text.len > INT_MAX || text.len % 4 != 0 || padding > 2 ||
        !str_ends_with(STR("=="), rest))
        return false;
    bytes = mem_alloc(text.len / 4 * 3 + 1);
    if (EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text.ptr, (int)text.len) < 0)
        abort(); /* the text is valid */
    *out = (struct str){ bytes, text.len / 4 * 3 - padding };
    return true;
}

void secret_hmac(struct str key, const struct str *parts, size_t count,
                 uint8_t mac[static SECRET_DIGEST_SIZE])
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *run = EVP_MAC_CTX_new(algorithm);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                  OSSL_PARAM_construct_end() };
    bool ok = EVP_MAC_init(run, (const unsigned char *)(key.ptr ? key.ptr : ""), key.len, params);

    for (size_t i = 0; i < count; i++)
        ok = ok && EVP_MAC_update(run, (const unsigned char *)parts[i].ptr, parts[i].len);
    if (!ok || EVP_MAC_final(run, mac, NULL, SECRET_DIGEST_SIZE) != 1)
        abort(); /* the only failure is a lack of memory */
    EVP_MAC_CTX_free(run);
    EVP_MAC_free(algorithm);
}
