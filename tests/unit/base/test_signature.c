/*
 * test_signature.c - claims about base/signature.h: each key answers for its own algorithm alone.
 */
#include "base/signature.h"

#include <stdint.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/json.h"
#include "tests/unit/signer.h"
#include "tests/unit/test.h"

enum { ALGORITHMS = SIGNATURE_EDDSA + 1, RSA_BITS = 2048 };

static const char *const names[ALGORITHMS] = { "RS256", "PS256", "ES256", "EdDSA" };
static const struct str message = STR_INIT("eyJ9.eyJ9");

/* A member of the signer's JWK, as bytes in `out`. */
static struct str part(const struct signer *signer, const char *name, uint8_t out[static 1024])
{
    struct json_object *tree = NULL;
    struct error err;
    struct buf text;
    struct str value;

    buf_init(&text, 10000);
    buf_add_char(&text, '{');
    signer_write_jwk(signer, &text);
    buf_add_char(&text, '}');
    CHECK(json_read(buf_str(&text), NULL, &tree, &err));
    value = json_find_str(tree, name);
    CHECK(base64url_decode(value, out));
    value = (struct str){ (const char *)out, base64url_decoded_size(value.len) };
    json_release(tree);
    buf_done(&text);
    return value;
}

static struct signature_key *public_key(const struct signer *signer,
                                        enum signature_algorithm algorithm)
{
    uint8_t first[1024];
    uint8_t second[1024];
    struct signature_key *key = NULL;
    struct error err = { 0 };

    if (algorithm == SIGNATURE_EDDSA)
        CHECK(signature_key_ed25519(part(signer, "x", first), &key, &err));
    else if (algorithm == SIGNATURE_ES256)
        CHECK(signature_key_p256(part(signer, "x", first), part(signer, "y", second), &key, &err));
    else
        CHECK(signature_key_rsa(part(signer, "n", first), part(signer, "e", second), &key, &err));
    CHECK_STR(str_from_c(err.text), "");
    return key;
}

/* Every algorithm's key against every algorithm's signature: only the pairs fit. */
static void a_key_answers_for_its_own_algorithm_alone(void)
{
    struct signer *signers[ALGORITHMS];
    struct signature_key *keys[ALGORITHMS];
    struct buf signatures[ALGORITHMS];

    for (int i = 0; i < ALGORITHMS; i++) {
        signers[i] = signer_create((enum signature_algorithm)i, RSA_BITS);
        keys[i] = public_key(signers[i], (enum signature_algorithm)i);
        buf_init(&signatures[i], 1024);
        signer_sign(signers[i], message, &signatures[i]);
    }
    for (int key = 0; key < ALGORITHMS; key++)
        for (int algorithm = 0; algorithm < ALGORITHMS; algorithm++)
            for (int by = 0; by < ALGORITHMS; by++) {
                TEST_CASE(names[key]);
                CHECK(signature_verify(keys[key], (enum signature_algorithm)algorithm, message,
                                       buf_str(&signatures[by])) ==
                      (key == algorithm && key == by));
            }
    for (int i = 0; i < ALGORITHMS; i++) {
        signature_key_destroy(keys[i]);
        signer_destroy(signers[i]);
        buf_done(&signatures[i]);
    }
    signature_key_destroy(NULL);
}

static void any_other_bit_is_another_signature(void)
{
    for (int i = 0; i < ALGORITHMS; i++) {
        enum signature_algorithm algorithm = (enum signature_algorithm)i;
        struct signer *signer = signer_create(algorithm, RSA_BITS);
        struct signature_key *key = public_key(signer, algorithm);
        struct buf signature;

        TEST_CASE(names[i]);
        buf_init(&signature, 1024);
        signer_sign(signer, message, &signature);
        CHECK(signature_verify(key, algorithm, message, buf_str(&signature)));
        for (size_t bit = 0; bit < signature.len * 8; bit += 37) {
            signature.ptr[bit / 8] = (char)(signature.ptr[bit / 8] ^ 1 << bit % 8);
            CHECK(!signature_verify(key, algorithm, message, buf_str(&signature)));
            signature.ptr[bit / 8] = (char)(signature.ptr[bit / 8] ^ 1 << bit % 8);
        }
        CHECK(!signature_verify(key, algorithm, STR("eyJ9.eyJ8"), buf_str(&signature)));
        CHECK(!signature_verify(key, algorithm, STR(""), buf_str(&signature)));
        CHECK(!signature_verify(key, algorithm, message, STR_NONE));
        CHECK(!signature_verify(key, algorithm, message,
                                (struct str){ signature.ptr, signature.len - 1 }));
        buf_add_char(&signature, '\0');
        CHECK(!signature_verify(key, algorithm, message, buf_str(&signature)));
        signature_key_destroy(key);
        signer_destroy(signer);
        buf_done(&signature);
    }
}

/* P-256's order n, which neither r nor s may reach. */
static const char order[] = "\xFF\xFF\xFF\xFF\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                            "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51";
static const char zero[32];

static void es256_takes_no_odd_r_and_s(void)
{
    struct signer *signer = signer_create(SIGNATURE_ES256, 0);
    struct signature_key *key = public_key(signer, SIGNATURE_ES256);
    struct buf good;
    struct buf der;

    buf_init(&good, 100);
    buf_init(&der, 100);
    signer_sign(signer, message, &good);
    signer_sign_der(signer, message, &der);
    CHECK(signature_verify(key, SIGNATURE_ES256, message, buf_str(&good)));
    CHECK(!signature_verify(key, SIGNATURE_ES256, message, buf_str(&der)));

    const struct {
        const char *name;
        const char *r;
        const char *s;
    } cases[] = {
        { "both zero", zero, zero },           { "r zero", zero, good.ptr + 32 },
        { "s zero", good.ptr, zero },          { "r is the order", order, good.ptr + 32 },
        { "s is the order", good.ptr, order }, { "swapped", good.ptr + 32, good.ptr },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char bytes[64];

        TEST_CASE(cases[i].name);
        memcpy(bytes, cases[i].r, 32);
        memcpy(bytes + 32, cases[i].s, 32);
        CHECK(!signature_verify(key, SIGNATURE_ES256, message, (struct str){ bytes, 64 }));
    }
    signature_key_destroy(key);
    signer_destroy(signer);
    buf_done(&good);
    buf_done(&der);
}

static void weak_and_broken_keys_are_refused(void)
{
    struct signer *weak = signer_create(SIGNATURE_RS256, 1024);
    struct signer *rsa = signer_create(SIGNATURE_RS256, RSA_BITS);
    struct signer *ec = signer_create(SIGNATURE_ES256, 0);
    uint8_t first[1024];
    uint8_t second[1024];
    uint8_t third[1024];
    char huge[1200];
    struct signature_key *key = NULL;
    struct error err = { 0 };

    memset(huge, 0xFF, sizeof(huge));
    CHECK(!signature_key_rsa(part(weak, "n", first), STR("\x01\0\x01"), &key, &err));
    CHECK_STR(str_from_c(err.text), "an RSA key of 1024 bits, at least 2048");

    struct str n = part(rsa, "n", first);

    CHECK(!signature_key_rsa(n, STR(""), &key, &err));
    CHECK(!signature_key_rsa(n, STR("\0"), &key, &err));
    CHECK(!signature_key_rsa(n, STR("\x01"), &key, &err));
    CHECK(!signature_key_rsa(n, STR("\x02"), &key, &err));
    CHECK(!signature_key_rsa(n, STR("\x01\0\0\0\0\0\0\0\x01"), &key, &err));
    CHECK(!signature_key_rsa((struct str){ huge, sizeof(huge) }, STR("\x03"), &key, &err));
    CHECK(!signature_key_rsa(STR_NONE, STR("\x03"), &key, &err));

    struct str x = part(ec, "x", second);
    struct str y = part(ec, "y", third);
    const struct str zeros = { zero, 32 };

    CHECK(!signature_key_p256(x, x, &key, &err)); /* not on the curve */
    CHECK(!signature_key_p256(zeros, zeros, &key, &err));
    CHECK(!signature_key_p256((struct str){ order, 32 }, y, &key, &err));
    CHECK(!signature_key_p256((struct str){ x.ptr, 31 }, y, &key, &err));
    CHECK(!signature_key_p256(x, STR_NONE, &key, &err));
    CHECK(!signature_key_ed25519((struct str){ x.ptr, 31 }, &key, &err));
    CHECK(!signature_key_ed25519(STR_NONE, &key, &err));
    CHECK(key == NULL);
    CHECK_INT(err.code, ERR_MALFORMED);
    signer_destroy(weak);
    signer_destroy(rsa);
    signer_destroy(ec);
}

int main(void)
{
    RUN(a_key_answers_for_its_own_algorithm_alone);
    RUN(any_other_bit_is_another_signature);
    RUN(es256_takes_no_odd_r_and_s);
    RUN(weak_and_broken_keys_are_refused);
    return test_end();
}
