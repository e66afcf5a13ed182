/*
 * fuzz_jwt.c - a token that the issuer did not sign is refused; one that it signed is accepted only
 * if its header and payload meet all conditions.
 *
 * The input is tried as a token as it is, and, as header, newline, payload, signed with a key.
 */
#include <assert.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "handlers/auth/jwt.h"

/* NOLINTBEGIN(readability-identifier-naming,readability-non-const-parameter): libFuzzer's choice */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* NOLINTEND(readability-identifier-naming,readability-non-const-parameter) */

#define NOW_US (INT64_C(1800000000) * 1000000)

/* RFC 8037, appendix A.1 */
static const unsigned char private_bytes[32] = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
};
static const char public_set[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\","
                                 "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
static const struct jwt_rules rules = { STR_INIT("i"), STR_INIT("a") };

static EVP_PKEY *private_key;
static struct jwks *jwks;

static void destroy_all(void)
{
    EVP_PKEY_free(private_key);
    jwks_destroy(jwks);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer's choice */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error err;

    (void)argc;
    (void)argv;
    private_key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_bytes, sizeof(private_bytes));
    if (!private_key || !jwks_read(str_from_c(public_set), &jwks, &err))
        abort();
    return atexit(destroy_all);
}

static void encode(struct buf *out, struct str text)
{
    unsigned char base64[8192];
    int len = EVP_EncodeBlock(base64, (const unsigned char *)text.ptr, (int)text.len);

    for (int i = 0; i < len && base64[i] != '='; i++)
        buf_add_char(out, (char)(base64[i] == '+' ? '-' : base64[i] == '/' ? '_' : base64[i]));
}

static struct str sign(struct arena *arena, struct str header, struct str payload)
{
    struct buf *token = arena_buf(arena, 20000);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[64];
    size_t len = sizeof(signature);

    encode(token, header);
    buf_add_char(token, '.');
    encode(token, payload);
    assert(EVP_DigestSignInit(context, NULL, NULL, NULL, private_key) == 1);
    assert(EVP_DigestSign(context, signature, &len, (const unsigned char *)token->ptr,
                          token->len) == 1);
    EVP_MD_CTX_free(context);
    buf_add_char(token, '.');
    encode(token, (struct str){ (const char *)signature, len });
    return buf_str(token);
}

/* What a good token's parts say at least. */
static void check_good(struct arena *arena, struct str header, struct str payload)
{
    struct json_object *head = NULL;
    struct json_object *claims = NULL;
    struct json_object *value = NULL;
    struct error err;

    assert(json_read_in(arena, header, NULL, &head, &err));
    assert(json_read_in(arena, payload, NULL, &claims, &err));
    assert(str_equal(json_find_str(head, "alg"), STR("EdDSA")) ||
           str_equal(json_find_str(head, "alg"), STR("Ed25519")));
    assert(!json_find(head, "crit", &value));
    assert(str_equal(json_find_str(claims, "iss"), rules.issuer));
    assert(json_find(claims, "aud", &value));
    assert(json_find(claims, "exp", &value) && json_double(value) > 1799999939);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str input = { (const char *)data, size };
    const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    struct jwt_verdict verdict = jwt_check(arena, jwks, &rules, input, NOW_US);

    assert(!verdict.valid && verdict.reason);
    if (newline && size <= 4096) {
        struct str header = { input.ptr, (size_t)(newline - input.ptr) };
        struct str payload = str_from(input, header.len + 1);

        verdict = jwt_check(arena, jwks, &rules, sign(arena, header, payload), NOW_US);
        assert(verdict.valid == !verdict.reason);
        if (verdict.valid)
            check_good(arena, header, payload);
    }
    arena_destroy(arena);
    return 0;
}
