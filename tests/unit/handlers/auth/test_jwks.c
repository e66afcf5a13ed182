/*
 * test_jwks.c - claims about handlers/auth/jwks.h: which keys of a set are used, and which signed
 * what.
 */
#include "handlers/auth/jwks.h"

#include "base/arena.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "tests/unit/signer.h"
#include "tests/unit/test.h"

static struct signer *rsa;
static struct signer *weak;
static struct signer *ec;
static struct signer *p384;
static struct signer *ed;

/* The set with one key: the signer's members, then `more`. ptr of `why` NULL: it must be usable. */
static void check_key(const struct signer *signer, const char *more, const char *why)
{
    struct jwks *jwks = NULL;
    struct error err = { 0 };
    struct buf text;

    buf_init(&text, 10000);
    buf_add(&text, STR("{\"keys\":[{"));
    if (signer)
        signer_write_jwk(signer, &text);
    buf_printf(&text, "%s}]}", more);
    CHECK(jwks_read(buf_str(&text), &jwks, &err) == (why == NULL));
    if (why) {
        CHECK(jwks == NULL);
        CHECK_INT(err.code, ERR_MALFORMED);
        CHECK_STR(str_from_c(err.text), why);
    } else {
        CHECK(jwks && jwks_count(jwks) == 1);
    }
    jwks_destroy(jwks);
    buf_done(&text);
}

#define UNUSABLE "key set: no usable key: "

static void only_usable_keys_are_taken(void)
{
    static const char x31[] = "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
                              "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"";
    const struct {
        const char *name;
        const struct signer *signer;
        const char *more;
        const char *why;
    } cases[] = {
        { "RSA", rsa, "", NULL },
        { "EC", ec, "", NULL },
        { "Ed25519", ed, "", NULL },
        { "all that may be said", rsa,
          ",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]", NULL },
        { "unknown members", ec, ",\"x5c\":[1],\"ext\":true,\"nbf\":{}", NULL },
        { "PSS", rsa, ",\"alg\":\"PS256\"", NULL },
        { "EdDSA", ed, ",\"alg\":\"EdDSA\"", NULL },
        { "its newer name", ed, ",\"alg\":\"Ed25519\"", NULL },
        { "for encryption", rsa, ",\"use\":\"enc\"", UNUSABLE "not for checking signatures" },
        { "use no string", rsa, ",\"use\":null", UNUSABLE "not for checking signatures" },
        { "for signing only", ec, ",\"key_ops\":[\"sign\"]",
          UNUSABLE "not for checking signatures" },
        { "for nothing", ec, ",\"key_ops\":[]", UNUSABLE "not for checking signatures" },
        { "key_ops no list", ec, ",\"key_ops\":\"verify\"",
          UNUSABLE "not for checking signatures" },
        { "key_ops of numbers", ec, ",\"key_ops\":[1]", UNUSABLE "not for checking signatures" },
        { "alg of another kind", ec, ",\"alg\":\"RS256\"", UNUSABLE "alg and kty do not fit" },
        { "alg that is a secret's", rsa, ",\"alg\":\"HS256\"", UNUSABLE "for another algorithm" },
        { "alg none", rsa, ",\"alg\":\"none\"", UNUSABLE "for another algorithm" },
        { "alg no string", rsa, ",\"alg\":256", UNUSABLE "for another algorithm" },
        { "kid no string", rsa, ",\"kid\":1", UNUSABLE "kid is not a string" },
        { "private", ec, ",\"d\":\"AA\"", UNUSABLE "its private part is published" },
        { "weak", weak, "", UNUSABLE "an RSA key of 1024 bits, at least 2048" },
        { "another curve", p384, "", UNUSABLE "another curve than P-256" },
        { "a secret", NULL, "\"kty\":\"oct\",\"k\":\"AAAA\"",
          UNUSABLE "its private part is published" },
        { "no kty", NULL, "\"kid\":\"a\"", UNUSABLE "a type of key that signs nothing here" },
        { "kty in other case", NULL, "\"kty\":\"rsa\",\"n\":\"AQAB\",\"e\":\"AQAB\"",
          UNUSABLE "a type of key that signs nothing here" },
        { "no n", NULL, "\"kty\":\"RSA\",\"e\":\"AQAB\"", UNUSABLE "n is not there" },
        { "n not base64url", NULL, "\"kty\":\"RSA\",\"n\":\"AQ==\",\"e\":\"AQAB\"",
          UNUSABLE "n is not base64url" },
        { "no curve", NULL, "\"kty\":\"EC\"", UNUSABLE "another curve than P-256" },
        { "X25519", NULL, "\"kty\":\"OKP\",\"crv\":\"X25519\"",
          UNUSABLE "another curve than Ed25519" },
        { "Ed25519, short", NULL, x31, UNUSABLE "Ed25519 keys have 32 bytes" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_key(cases[i].signer, cases[i].more, cases[i].why);
    }
}

static void what_is_no_set_is_refused(void)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "", NULL },
        { "{\"keys\":[],\"keys\":[]}", NULL },
        { "[]", "key set: no list of keys" },
        { "null", "key set: no list of keys" },
        { "{}", "key set: no list of keys" },
        { "{\"keys\":{}}", "key set: no list of keys" },
        { "{\"keys\":[]}", "key set: no usable key" },
        { "{\"keys\":[1]}", "key set: no usable key: not an object" },
        { "{\"keys\":[[]]}", "key set: no usable key: not an object" },
    };
    struct jwks *jwks = NULL;
    struct error err = { 0 };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].text);
        CHECK(!jwks_read(str_from_c(cases[i].text), &jwks, &err));
        CHECK_INT(err.code, ERR_MALFORMED);
        if (cases[i].why) /* else in the reader's words */
            CHECK_STR(str_from_c(err.text), cases[i].why);
    }
    CHECK(jwks == NULL);
    jwks_destroy(NULL);
}

static void sets_have_limits(void)
{
    struct jwks *jwks = NULL;
    struct error err = { 0 };
    struct buf text;

    buf_init(&text, (size_t)2 * JWKS_TEXT_MAX);
    buf_add(&text, STR("{\"keys\":[1"));
    for (int i = 0; i < JWKS_KEYS_MAX; i++)
        buf_add(&text, STR(",1"));
    buf_add(&text, STR("]}"));
    CHECK(!jwks_read(buf_str(&text), &jwks, &err));
    CHECK_STR(str_from_c(err.text), "key set: more than 64 keys");
    while (text.len <= JWKS_TEXT_MAX)
        buf_add_char(&text, ' ');
    CHECK(!jwks_read(buf_str(&text), &jwks, &err));
    CHECK_STR(str_from_c(err.text), "key set: more than 262144 bytes");
    buf_done(&text);
}

static void algorithms_have_exact_names(void)
{
    static const char *const others[] = {
        "",      "none",  "None",  "NONE",   "HS256", "HS512", "rs256",  "RS384",    "RS512",
        "PS384", "ES384", "ES512", "ES256K", "EDDSA", "Ed448", "RS256 ", "RSA-OAEP", "dir",
    };
    enum signature_algorithm algorithm;

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        TEST_CASE(others[i]);
        CHECK(!jwks_algorithm(str_from_c(others[i]), &algorithm));
    }
    CHECK(!jwks_algorithm(STR("RS256\0"), &algorithm));
    CHECK(!jwks_algorithm(STR_NONE, &algorithm));
    CHECK(jwks_algorithm(STR("ES256"), &algorithm) && algorithm == SIGNATURE_ES256);
}

/* Two RSA keys, one bound to PS256; an EC key; an Ed25519 key without a name. */
static struct jwks *mixed_set(void)
{
    struct jwks *jwks = NULL;
    struct error err = { 0 };
    struct buf text;

    buf_init(&text, 10000);
    buf_add(&text, STR("{\"keys\":[7,{"));
    signer_write_jwk(rsa, &text);
    buf_add(&text, STR(",\"kid\":\"pss\",\"alg\":\"PS256\"},{"));
    signer_write_jwk(ec, &text);
    buf_add(&text, STR(",\"kid\":\"ec\"},{"));
    signer_write_jwk(ed, &text);
    buf_add(&text, STR("}]}"));
    CHECK(jwks_read(buf_str(&text), &jwks, &err));
    CHECK(jwks_count(jwks) == 3);
    buf_done(&text);
    return jwks;
}

static void names_and_algorithms_pick_the_key(void)
{
    static const struct str message = STR_INIT("a.b");
    static const struct {
        const char *name;
        const char *kid;
        enum signature_algorithm algorithm;
        enum jwks_verdict verdict; /* with the EC key's signature */
    } cases[] = {
        { "its name", "ec", SIGNATURE_ES256, JWKS_SIGNED },
        { "no name", NULL, SIGNATURE_ES256, JWKS_SIGNED },
        { "an unknown name", "ed", SIGNATURE_ES256, JWKS_UNKNOWN_KEY },
        { "an empty name", "", SIGNATURE_ES256, JWKS_UNKNOWN_KEY },
        { "a longer name", "ec2", SIGNATURE_ES256, JWKS_UNKNOWN_KEY },
        { "another case", "EC", SIGNATURE_ES256, JWKS_UNKNOWN_KEY },
        { "a name that does not fit", "pss", SIGNATURE_ES256, JWKS_FORGED },
        { "an algorithm that does not fit", "ec", SIGNATURE_EDDSA, JWKS_FORGED },
        { "bound to another algorithm", "pss", SIGNATURE_RS256, JWKS_FORGED },
        { "no name, bound to another algorithm", NULL, SIGNATURE_RS256, JWKS_UNKNOWN_KEY },
        { "another's signature", "pss", SIGNATURE_PS256, JWKS_FORGED },
        { "no name, another's signature", NULL, SIGNATURE_EDDSA, JWKS_FORGED },
    };
    struct jwks *jwks = mixed_set();
    struct buf signature;

    buf_init(&signature, 100);
    signer_sign(ec, message, &signature);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct jwks_claim claim = { cases[i].algorithm, str_from_c(cases[i].kid), message,
                                          buf_str(&signature) };

        TEST_CASE(cases[i].name);
        CHECK_INT(jwks_verify(jwks, &claim), cases[i].verdict);
    }
    buf_done(&signature);
    jwks_destroy(jwks);
}

struct example {
    const char *key;
    enum signature_algorithm algorithm;
    const char *message;
    const char *signature;
};

/* RFC 7515, appendix A.3, and RFC 8037, appendix A.4 */
static void knows_the_examples_of_the_rfcs(void)
{
    static const struct example examples[] = {
        { "{\"kty\":\"EC\",\"crv\":\"P-256\","
          "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
          "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
          SIGNATURE_ES256,
          "eyJhbGciOiJFUzI1NiJ9."
          "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
          "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
          "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
          "pmWQxfKTUJqPP3-Kg6NU1Q" },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
          "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
          SIGNATURE_EDDSA, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
          "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
          "hVsPt9g7sVvpAr_MuM0KAg" },
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct arena *arena = arena_create();
        struct jwks *jwks = NULL;
        struct error err = { 0 };
        struct str set = arena_printf(arena, "{\"keys\":[%s]}", examples[i].key);
        uint8_t signature[64];

        TEST_CASE(examples[i].message);
        CHECK(base64url_decode(str_from_c(examples[i].signature), signature));
        CHECK(jwks_read(set, &jwks, &err));
        CHECK_INT(jwks_verify(jwks, &(struct jwks_claim){ examples[i].algorithm,
                                                          STR_NONE,
                                                          str_from_c(examples[i].message),
                                                          { (const char *)signature, 64 } }),
                  JWKS_SIGNED);
        jwks_destroy(jwks);
        arena_destroy(arena);
    }
}

/* The same name twice, or none at all: each is tried, up to a limit. */
static void several_keys_may_have_to_be_tried(void)
{
    static const struct str message = STR_INIT("a.b");

    for (int others = 0; others <= JWKS_TRIES_MAX; others++) {
        struct signer *other = signer_create(SIGNATURE_ES256, 0);
        struct jwks *jwks = NULL;
        struct error err = { 0 };
        struct buf text;
        struct buf signature;

        buf_init(&text, 10000);
        buf_init(&signature, 100);
        buf_add(&text, STR("{\"keys\":["));
        for (int i = 0; i < others; i++) {
            buf_add_char(&text, '{');
            signer_write_jwk(other, &text);
            buf_add(&text, STR(",\"kid\":\"a\"},"));
        }
        buf_add_char(&text, '{');
        signer_write_jwk(ec, &text);
        buf_add(&text, STR(",\"kid\":\"a\"}]}"));
        signer_sign(ec, message, &signature);
        CHECK(jwks_read(buf_str(&text), &jwks, &err));
        CHECK_INT(jwks_verify(jwks, &(struct jwks_claim){ SIGNATURE_ES256, STR("a"), message,
                                                          buf_str(&signature) }),
                  others < JWKS_TRIES_MAX ? JWKS_SIGNED : JWKS_FORGED);
        jwks_destroy(jwks);
        signer_destroy(other);
        buf_done(&text);
        buf_done(&signature);
    }
}

int main(void)
{
    rsa = signer_create(SIGNATURE_RS256, 2048);
    weak = signer_create(SIGNATURE_RS256, 1024);
    ec = signer_create(SIGNATURE_ES256, 0);
    p384 = signer_create_p384();
    ed = signer_create(SIGNATURE_EDDSA, 0);
    RUN(only_usable_keys_are_taken);
    RUN(what_is_no_set_is_refused);
    RUN(sets_have_limits);
    RUN(algorithms_have_exact_names);
    RUN(names_and_algorithms_pick_the_key);
    RUN(knows_the_examples_of_the_rfcs);
    RUN(several_keys_may_have_to_be_tried);
    signer_destroy(rsa);
    signer_destroy(weak);
    signer_destroy(ec);
    signer_destroy(p384);
    signer_destroy(ed);
    return test_end();
}
