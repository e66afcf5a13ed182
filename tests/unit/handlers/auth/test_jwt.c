/*
 * test_jwt.c - claims about handlers/auth/jwt.h: tokens that are good, and forged ones that are
 * not.
 */
#include "handlers/auth/jwt.h"

#include <stdio.h>

#include "base/attr.h"
#include "tests/unit/signer.h"
#include "tests/unit/test.h"

#define NOW 1800000000

enum { TOKEN_MAX = 20000 };

/* The keys that sign. */
enum by { BY_RSA, BY_PSS, BY_EC, BY_ED, BY_STRANGER, BY_P384, BY_COUNT };

static struct signer *signers[BY_COUNT];
static struct jwks *jwks;

static const struct jwt_rules rules = { .issuer = STR_INIT("https://idp"),
                                        .audience = STR_INIT("sluice") };

#define RS "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}"
#define PS "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"kid\":\"pss\"}"
#define ES "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\"}"
#define ED "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"ed\"}"

#define ISS_AUD "\"iss\":\"https://idp\",\"aud\":\"sluice\""
#define CLAIM   "{" ISS_AUD ",\"exp\":1800000300}"

static struct jwt_verdict check_with(const struct jwt_rules *with, struct str token)
{
    struct arena *arena = arena_create();
    struct jwt_verdict verdict = jwt_check(arena, jwks, with, token, NOW * INT64_C(1000000));

    CHECK(verdict.valid == (verdict.reason == NULL));
    CHECK(!verdict.valid || !verdict.unknown_key);
    arena_destroy(arena);
    return verdict;
}

static void check_reason(struct jwt_verdict verdict, const char *reason)
{
    CHECK_STR(str_from_c(verdict.reason), reason ? reason : "");
    CHECK(verdict.valid == (reason == NULL));
}

struct row {
    const char *name;
    enum by by;
    const char *header;
    const char *payload;
    const char *reason; /* NULL: good */
};

static void check_rows(const struct row *rows, size_t count, const struct jwt_rules *with)
{
    for (size_t i = 0; i < count; i++) {
        struct buf token;

        TEST_CASE(rows[i].name);
        buf_init(&token, TOKEN_MAX);
        signer_write_token(signers[rows[i].by], rows[i].header, rows[i].payload, &token);
        check_reason(check_with(with, buf_str(&token)), rows[i].reason);
        buf_done(&token);
    }
}

static void good_tokens_pass(void)
{
    static const struct row rows[] = {
        { "RS256", BY_RSA, RS, CLAIM, NULL },
        { "PS256", BY_PSS, PS, CLAIM, NULL },
        { "ES256", BY_EC, ES, CLAIM, NULL },
        { "EdDSA", BY_ED, ED, CLAIM, NULL },
        { "Ed25519, its newer name", BY_ED, "{\"alg\":\"Ed25519\",\"kid\":\"ed\"}", CLAIM, NULL },
        { "no typ", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"ec\"}", CLAIM, NULL },
        { "no kid", BY_EC, "{\"alg\":\"ES256\"}", CLAIM, NULL },
        { "an access token's type", BY_EC, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", CLAIM, NULL },
        { "in full, in any case", BY_EC, "{\"alg\":\"ES256\",\"typ\":\"Application/AT+JWT\"}",
          CLAIM, NULL },
        { "x5t and the like", BY_EC, "{\"alg\":\"ES256\",\"x5t\":\"AA\",\"cty\":\"JWT\"}", CLAIM,
          NULL },
        { "white space inside the JSON", BY_EC, " { \"alg\" : \"ES256\" }\n", " " CLAIM "\n",
          NULL },
        { "one of several audiences", BY_EC, ES,
          "{\"iss\":\"https://idp\",\"aud\":[\"a\",\"sluice\"],\"exp\":1800000300}", NULL },
        { "a fraction", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300.5,\"iat\":1799999999.25}",
          NULL },
        { "expired within the leeway", BY_EC, ES, "{" ISS_AUD ",\"exp\":1799999941}", NULL },
        { "not yet, within the leeway", BY_EC, ES,
          "{" ISS_AUD ",\"exp\":1800000300,\"nbf\":1800000060}", NULL },
        { "for a long time", BY_EC, ES, "{" ISS_AUD ",\"exp\":253402300799}", NULL },
        { "issued in the future", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,\"iat\":1900000000}",
          NULL },
        { "escapes in claims", BY_EC, ES,
          "{\"iss\":\"https:\\/\\/idp\",\"aud\":\"slu\\u0069ce\",\"exp\":1800000300}", NULL },
        { "more claims", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,\"scope\":\"a\",\"cnf\":{}}",
          NULL },
    };

    check_rows(rows, COUNT_OF(rows), &rules);
}

#define WITH(claims) "{" ISS_AUD ",\"exp\":1800000300," claims "}"

static void clients_and_scopes_narrow_it(void)
{
    static const struct str clients[] = { STR_INIT("one"), STR_INIT("two") };
    static const struct str scopes[] = { STR_INIT("events/write"), STR_INIT("b") };
    static const struct jwt_rules narrow = { .issuer = STR_INIT("https://idp"),
                                             .audience = STR_INIT("sluice"),
                                             .client_ids = { clients, 2 },
                                             .scopes = { scopes, 2 } };
    static const char client[] = "another client";
    static const char scope[] = "a scope is missing";
    static const struct row rows[] = {
        { "both", BY_EC, ES, WITH("\"client_id\":\"two\",\"scope\":\"a events/write b\""), NULL },
        { "azp", BY_EC, ES, WITH("\"azp\":\"one\",\"scope\":\"b events/write\""), NULL },
        { "a list", BY_EC, ES, WITH("\"azp\":\"one\",\"scp\":[\"b\",\"events/write\"]"), NULL },
        { "client_id goes before azp", BY_EC, ES,
          WITH("\"client_id\":\"x\",\"azp\":\"one\",\"scope\":\"b events/write\""), client },
        { "no client", BY_EC, ES, WITH("\"scope\":\"b events/write\""), client },
        { "a prefix", BY_EC, ES, WITH("\"client_id\":\"on\",\"scope\":\"b events/write\""),
          client },
        { "a list of clients", BY_EC, ES,
          WITH("\"client_id\":[\"one\"],\"scope\":\"b events/write\""), client },
        { "no scope", BY_EC, ES, WITH("\"client_id\":\"one\""), scope },
        { "one scope of two", BY_EC, ES, WITH("\"client_id\":\"one\",\"scope\":\"b\""), scope },
        { "a longer scope", BY_EC, ES, WITH("\"client_id\":\"one\",\"scope\":\"b events/writer\""),
          scope },
        { "a scope in other case", BY_EC, ES,
          WITH("\"client_id\":\"one\",\"scope\":\"B events/write\""), scope },
        { "a scope of an odd type", BY_EC, ES, WITH("\"client_id\":\"one\",\"scope\":7"), scope },
        { "a list with an odd type", BY_EC, ES,
          WITH("\"client_id\":\"one\",\"scp\":[\"b\",\"events/write\",7]"), scope },
    };

    check_rows(rows, COUNT_OF(rows), &narrow);
}

static void an_id_token_is_no_access_token(void)
{
    static const char other[] = "not an access token";
    static const struct row rows[] = {
        { "access", BY_EC, ES, WITH("\"token_use\":\"access\""), NULL },
        { "id", BY_EC, ES, WITH("\"token_use\":\"id\""), other },
        { "null", BY_EC, ES, WITH("\"token_use\":null"), other },
    };

    check_rows(rows, COUNT_OF(rows), &rules);
}

#define ALGORITHM "algorithm not accepted"
#define EXTENSION "extension not understood"

static const struct row forged_headers[] = {
    { "alg none", BY_EC, "{\"alg\":\"none\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg None", BY_EC, "{\"alg\":\"None\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg NONE", BY_EC, "{\"alg\":\"NONE\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg nOnE", BY_EC, "{\"alg\":\"nOnE\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg empty", BY_EC, "{\"alg\":\"\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg absent", BY_EC, "{\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg null", BY_EC, "{\"alg\":null,\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg a list", BY_EC, "{\"alg\":[\"ES256\"],\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg in lower case", BY_EC, "{\"alg\":\"es256\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg with a space", BY_EC, "{\"alg\":\"ES256 \",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg with a NUL", BY_EC, "{\"alg\":\"ES256\\u0000\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg HS256", BY_EC, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", CLAIM, ALGORITHM },
    { "alg ES384", BY_P384, "{\"alg\":\"ES384\",\"kid\":\"ec\"}", CLAIM, ALGORITHM },
    { "alg RS512", BY_RSA, "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", CLAIM, ALGORITHM },
    { "alg of another key type", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", CLAIM,
      "signature wrong" },
    { "alg that the key is not bound to", BY_RSA, "{\"alg\":\"RS256\",\"kid\":\"pss\"}", CLAIM,
      "signature wrong" },
    { "PSS called PKCS 1", BY_PSS, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIM,
      "signature wrong" },
    { "another curve's signature", BY_P384, ES, CLAIM, "signature wrong" },
    { "a stranger's signature", BY_STRANGER, ES, CLAIM, "signature wrong" },
    { "a stranger's, no kid", BY_STRANGER, "{\"alg\":\"ES256\"}", CLAIM, "signature wrong" },
    { "a stranger's key in the header", BY_STRANGER,
      "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\"}}", CLAIM,
      "signature wrong" },
    { "the address of a stranger's key", BY_STRANGER,
      "{\"alg\":\"ES256\",\"kid\":\"ec\",\"jku\":\"https://evil/jwks\"}", CLAIM,
      "signature wrong" },
    { "the address of a stranger's certificate", BY_STRANGER,
      "{\"alg\":\"ES256\",\"kid\":\"ec\",\"x5u\":\"https://evil/pem\",\"x5c\":[\"AA\"]}", CLAIM,
      "signature wrong" },
    { "kid unknown", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"new\"}", CLAIM, "unknown key" },
    { "kid empty", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"\"}", CLAIM, "unknown key" },
    { "kid a path", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"../../dev/null\"}", CLAIM, "unknown key" },
    { "kid for SQL", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"x' UNION SELECT 'k\"}", CLAIM,
      "unknown key" },
    { "kid with a NUL", BY_EC, "{\"alg\":\"ES256\",\"kid\":\"ec\\u0000\"}", CLAIM, "unknown key" },
    { "kid a number", BY_EC, "{\"alg\":\"ES256\",\"kid\":1}", CLAIM, "kid not a string" },
    { "kid null", BY_EC, "{\"alg\":\"ES256\",\"kid\":null}", CLAIM, "kid not a string" },
    { "crit", BY_EC, "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", CLAIM, EXTENSION },
    { "crit empty", BY_EC, "{\"alg\":\"ES256\",\"crit\":[]}", CLAIM, EXTENSION },
    { "crit null", BY_EC, "{\"alg\":\"ES256\",\"crit\":null}", CLAIM, EXTENSION },
    { "b64", BY_EC, "{\"alg\":\"ES256\",\"b64\":false}", CLAIM, EXTENSION },
    { "a proof of possession", BY_EC, "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}", CLAIM,
      "another type of token" },
    { "a logout token", BY_EC, "{\"alg\":\"ES256\",\"typ\":\"logout+jwt\"}", CLAIM,
      "another type of token" },
    { "typ a number", BY_EC, "{\"alg\":\"ES256\",\"typ\":1}", CLAIM, "another type of token" },
    { "alg twice", BY_EC, "{\"alg\":\"none\",\"alg\":\"ES256\"}", CLAIM, "not a token" },
    { "a header that is a list", BY_EC, "[\"ES256\"]", CLAIM, "not a token" },
    { "a header that is a string", BY_EC, "\"ES256\"", CLAIM, "not a token" },
    { "a header with more behind", BY_EC, "{\"alg\":\"ES256\"}{}", CLAIM, "not a token" },
    { "a header that is no JSON", BY_EC, "{alg:ES256}", CLAIM, "not a token" },
    { "an empty header", BY_EC, "", CLAIM, "not a token" },
    { "a byte order mark", BY_EC, "\xEF\xBB\xBF{\"alg\":\"ES256\"}", CLAIM, "not a token" },
    { "not UTF-8", BY_EC, "{\"alg\":\"ES256\",\"x\":\"\xFF\"}", CLAIM, "not a token" },
};

static void forged_headers_are_refused(void)
{
    check_rows(forged_headers, COUNT_OF(forged_headers), &rules);
}

#define ISSUER   "another issuer"
#define AUDIENCE "another audience"
#define NO_DATE  "exp not a date"

static const struct row wrong_claims[] = {
    { "no exp", BY_EC, ES, "{" ISS_AUD "}", "no exp" },
    { "exp null", BY_EC, ES, "{" ISS_AUD ",\"exp\":null}", NO_DATE },
    { "exp a string", BY_EC, ES, "{" ISS_AUD ",\"exp\":\"1800000300\"}", NO_DATE },
    { "exp a boolean", BY_EC, ES, "{" ISS_AUD ",\"exp\":true}", NO_DATE },
    { "exp a list", BY_EC, ES, "{" ISS_AUD ",\"exp\":[1800000300]}", NO_DATE },
    { "exp in milliseconds", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300000}", NO_DATE },
    { "exp huge", BY_EC, ES, "{" ISS_AUD ",\"exp\":1e300}", NO_DATE },
    { "exp infinite", BY_EC, ES, "{" ISS_AUD ",\"exp\":1e400}", NO_DATE },
    { "exp of 30 digits", BY_EC, ES, "{" ISS_AUD ",\"exp\":999999999999999999999999999999}",
      NO_DATE },
    { "exp 2^63", BY_EC, ES, "{" ISS_AUD ",\"exp\":9223372036854775808}", NO_DATE },
    { "exp 2^64 and some", BY_EC, ES, "{" ISS_AUD ",\"exp\":18446744075509551916}", NO_DATE },
    { "exp negative", BY_EC, ES, "{" ISS_AUD ",\"exp\":-1}", NO_DATE },
    { "exp 0", BY_EC, ES, "{" ISS_AUD ",\"exp\":0}", "expired" },
    { "exp a moment too old", BY_EC, ES, "{" ISS_AUD ",\"exp\":1799999940}", "expired" },
    { "exp a fraction, too old", BY_EC, ES, "{" ISS_AUD ",\"exp\":1799999939.999}", "expired" },
    { "exp twice", BY_EC, ES, "{" ISS_AUD ",\"exp\":1,\"exp\":1800000300}",
      "payload not an object" },
    { "nbf in the future", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,\"nbf\":1800000061}",
      "not valid yet" },
    { "nbf a string", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,\"nbf\":\"0\"}",
      "nbf not a date" },
    { "nbf huge", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,\"nbf\":1e308}", "nbf not a date" },
    { "iat a string", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,\"iat\":\"now\"}",
      "iat not a date" },
    { "no iss", BY_EC, ES, "{\"aud\":\"sluice\",\"exp\":1800000300}", ISSUER },
    { "iss of another", BY_EC, ES,
      "{\"iss\":\"https://evil\",\"aud\":\"sluice\",\"exp\":1800000300}", ISSUER },
    { "iss with a slash", BY_EC, ES,
      "{\"iss\":\"https://idp/\",\"aud\":\"sluice\",\"exp\":1800000300}", ISSUER },
    { "iss in upper case", BY_EC, ES,
      "{\"iss\":\"https://IDP\",\"aud\":\"sluice\",\"exp\":1800000300}", ISSUER },
    { "iss with a NUL", BY_EC, ES,
      "{\"iss\":\"https://idp\\u0000\",\"aud\":\"sluice\",\"exp\":1800000300}", ISSUER },
    { "iss a list", BY_EC, ES, "{\"iss\":[\"https://idp\"],\"aud\":\"sluice\",\"exp\":1800000300}",
      ISSUER },
    { "iss twice", BY_EC, ES, "{\"iss\":\"x\"," ISS_AUD ",\"exp\":1800000300}",
      "payload not an object" },
    { "no aud", BY_EC, ES, "{\"iss\":\"https://idp\",\"exp\":1800000300}", AUDIENCE },
    { "aud of another", BY_EC, ES, "{\"iss\":\"https://idp\",\"aud\":\"gate\",\"exp\":1800000300}",
      AUDIENCE },
    { "aud longer", BY_EC, ES, "{\"iss\":\"https://idp\",\"aud\":\"sluice2\",\"exp\":1800000300}",
      AUDIENCE },
    { "aud an empty list", BY_EC, ES, "{\"iss\":\"https://idp\",\"aud\":[],\"exp\":1800000300}",
      AUDIENCE },
    { "aud a list of others", BY_EC, ES,
      "{\"iss\":\"https://idp\",\"aud\":[\"a\",\"b\"],\"exp\":1800000300}", AUDIENCE },
    { "aud a list with a number", BY_EC, ES,
      "{\"iss\":\"https://idp\",\"aud\":[\"sluice\",1],\"exp\":1800000300}", AUDIENCE },
    { "aud a list in a list", BY_EC, ES,
      "{\"iss\":\"https://idp\",\"aud\":[[\"sluice\"]],\"exp\":1800000300}", AUDIENCE },
    { "aud an object", BY_EC, ES,
      "{\"iss\":\"https://idp\",\"aud\":{\"sluice\":1},\"exp\":1800000300}", AUDIENCE },
    { "aud null", BY_EC, ES, "{\"iss\":\"https://idp\",\"aud\":null,\"exp\":1800000300}",
      AUDIENCE },
    { "a payload that is a list", BY_EC, ES, "[" CLAIM "]", "payload not an object" },
    { "a payload that is a string", BY_EC, ES, "\"sluice\"", "payload not an object" },
    { "a payload that is no JSON", BY_EC, ES, "{" ISS_AUD ",\"exp\":1800000300,}",
      "payload not an object" },
    { "a payload with more behind", BY_EC, ES, CLAIM "{}", "payload not an object" },
};

static void wrong_claims_are_refused(void)
{
    check_rows(wrong_claims, COUNT_OF(wrong_claims), &rules);
}

static void without_an_audience_tokens_must_name_none(void)
{
    static const struct jwt_rules without_audience = { .issuer = STR_INIT("https://idp"),
                                                       .audience = STR_INIT("") };
    static const struct row rows[] = {
        { "none", BY_EC, ES, "{\"iss\":\"https://idp\",\"exp\":1800000300}", NULL },
        { "some", BY_EC, ES, CLAIM, "another audience" },
        { "an empty one", BY_EC, ES, "{\"iss\":\"https://idp\",\"aud\":\"\",\"exp\":1800000300}",
          "another audience" },
        { "an empty list", BY_EC, ES, "{\"iss\":\"https://idp\",\"aud\":[],\"exp\":1800000300}",
          "another audience" },
    };

    check_rows(rows, COUNT_OF(rows), &without_audience);
}

/* Header and payload, and the dot behind them. */
static void begin_token(struct buf *token, const char *header, const char *payload)
{
    buf_init(token, TOKEN_MAX);
    signer_encode(token, str_from_c(header));
    buf_add_char(token, '.');
    signer_encode(token, str_from_c(payload));
}

static void end_token(struct buf *token, struct str signature)
{
    buf_add_char(token, '.');
    signer_encode(token, signature);
}

/* A known attack: the public key as the shared secret of an HMAC. */
static void a_public_key_is_no_shared_secret(void)
{
    static const char *const headers[] = {
        "{\"alg\":\"HS256\",\"kid\":\"rsa\"}",
        "{\"alg\":\"RS256\",\"kid\":\"rsa\"}",
        "{\"alg\":\"ES256\",\"kid\":\"ec\"}",
    };
    struct buf pem;

    buf_init(&pem, 10000);
    signer_write_pem(signers[BY_RSA], &pem);
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct buf token;
        struct buf mac;

        TEST_CASE(headers[i]);
        buf_init(&mac, 100);
        begin_token(&token, headers[i], CLAIM);
        signer_hmac(buf_str(&pem), buf_str(&token), &mac);
        end_token(&token, buf_str(&mac));
        CHECK(!check_with(&rules, buf_str(&token)).valid);
        buf_done(&token);
        buf_done(&mac);
    }
    buf_done(&pem);
}

static void odd_signatures_are_refused(void)
{
    static const char zeros[64];
    const struct {
        const char *name;
        const char *header;
        struct str signature;
        const char *reason;
    } cases[] = {
        { "none at all", ES, STR_INIT(""), "not a token" },
        { "none, and alg none", "{\"alg\":\"none\"}", STR_INIT(""), "not a token" },
        { "r and s zero", ES, { zeros, 64 }, "signature wrong" },
        { "short", ES, { zeros, 63 }, "signature wrong" },
        { "one byte", ES, { zeros, 1 }, "signature wrong" },
        { "Ed25519, zero", ED, { zeros, 64 }, "signature wrong" },
        { "RSA, short", RS, { zeros, 64 }, "signature wrong" },
    };
    struct buf token;
    struct buf der;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        begin_token(&token, cases[i].header, CLAIM);
        end_token(&token, cases[i].signature);
        check_reason(check_with(&rules, buf_str(&token)), cases[i].reason);
        buf_done(&token);
    }
    TEST_CASE("ECDSA in DER");
    buf_init(&der, 100);
    begin_token(&token, ES, CLAIM);
    signer_sign_der(signers[BY_EC], buf_str(&token), &der);
    end_token(&token, buf_str(&der));
    check_reason(check_with(&rules, buf_str(&token)), "signature wrong");
    buf_done(&token);
    buf_done(&der);
}

/* A good token with `with` in the place of `count` bytes at `at` (from the end when negative). */
struct edit {
    const char *name;
    long at;
    size_t count;
    const char *with;
    const char *reason;
};

static void check_edit(struct str good, const struct edit *edit)
{
    size_t at = edit->at < 0 ? good.len - (size_t)-edit->at : (size_t)edit->at;
    struct buf token;

    buf_init(&token, TOKEN_MAX);
    buf_add(&token, (struct str){ good.ptr, at });
    buf_add(&token, str_from_c(edit->with));
    buf_add(&token, str_from(good, at + edit->count));
    check_reason(check_with(&rules, buf_str(&token)), edit->reason);
    buf_done(&token);
}

static void no_other_spelling_of_a_token_passes(void)
{
    static const char broken[] = "not a token";
    static const struct edit edits[] = {
        { "unchanged", 0, 0, "", NULL },
        { "padding behind", -1, 0, "=", broken },
        { "space before", 0, 0, " ", broken },
        { "tab before", 0, 0, "\t", broken },
        { "line end inside", 4, 0, "\n", broken },
        { "space inside", 4, 0, " ", broken },
        { "the other alphabet", 4, 1, "+", broken },
        { "and its slash", 4, 1, "/", broken },
        { "not ASCII", 4, 1, "\xC3\xA4", broken },
        { "a dot more", 4, 0, ".", broken },
        { "a dot before", 0, 0, ".", broken },
        { "quoted", 0, 0, "\"", broken },
        { "a character cut", -1, 1, "", broken },
        { "two cut", -2, 2, "", "signature wrong" },
        { "all but a piece cut", 10, 10000, "", broken },
        { "header without its first byte", 0, 1, "", broken },
    };
    struct buf token;

    buf_init(&token, TOKEN_MAX);
    signer_write_token(signers[BY_EC], ES, CLAIM, &token);
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        TEST_CASE(edits[i].name);
        check_edit(buf_str(&token), &edits[i]);
    }
    TEST_CASE("behind the end");
    buf_add_char(&token, '=');
    check_reason(check_with(&rules, buf_str(&token)), broken);
    token.ptr[token.len - 1] = '.';
    check_reason(check_with(&rules, buf_str(&token)), broken);
    token.ptr[token.len - 1] = ' ';
    check_reason(check_with(&rules, buf_str(&token)), broken);
    TEST_CASE("nothing");
    check_reason(check_with(&rules, STR("")), broken);
    check_reason(check_with(&rules, STR_NONE), broken);
    check_reason(check_with(&rules, STR("..")), broken);
    check_reason(check_with(&rules, STR("a.b.c")), broken);
    check_reason(check_with(&rules, STR("e30.e30.AA")), "algorithm not accepted");
    buf_done(&token);
}

/* Bits that do not count: the last character of 64 bytes has four of them. */
static void bits_left_over_must_be_zero(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct buf token;
    size_t good = 0;

    buf_init(&token, TOKEN_MAX);
    signer_write_token(signers[BY_EC], ES, CLAIM, &token);
    for (size_t i = 0; i < 64; i++) {
        token.ptr[token.len - 1] = alphabet[i];
        good += check_with(&rules, buf_str(&token)).valid;
    }
    CHECK(good == 1);
    buf_done(&token);
}

static void tokens_have_a_longest_length(void)
{
    struct arena *arena = arena_create();
    char *filler = arena_alloc(arena, TOKEN_MAX);
    struct str token;

    memset(filler, 'A', JWT_MAX);
    token = arena_printf(arena, "%.*s.A", JWT_MAX - 1, filler);
    check_reason(check_with(&rules, token), "too long");
    token.len--;
    check_reason(check_with(&rules, token), "not a token");
    memset(filler, '[', 6000);
    filler[3000] = '\0';
    for (int times = 1; times <= 10; times *= 10) { /* deep, too */
        struct buf deep;

        begin_token(&deep, times == 1 ? filler : "{\"alg\":[[[[[[[[[[[[[[[[[[[[[[", CLAIM);
        end_token(&deep, STR("x"));
        CHECK(!check_with(&rules, buf_str(&deep)).valid);
        buf_done(&deep);
    }
    arena_destroy(arena);
}

static void only_an_unknown_key_sets_the_flag(void)
{
    struct buf token;
    struct jwt_verdict verdict;

    buf_init(&token, TOKEN_MAX);
    signer_write_token(signers[BY_EC], "{\"alg\":\"ES256\",\"kid\":\"new\"}", CLAIM, &token);
    CHECK(check_with(&rules, buf_str(&token)).unknown_key);
    buf_clear(&token);
    signer_write_token(signers[BY_STRANGER], ES, CLAIM, &token);
    CHECK(!check_with(&rules, buf_str(&token)).unknown_key);
    buf_clear(&token);
    signer_write_token(signers[BY_EC], ES, CLAIM, &token);
    verdict = check_with(&rules, buf_str(&token));
    CHECK(verdict.valid && !verdict.unknown_key);
    CHECK_INT(verdict.expires_us, (1800000300 + 60) * INT64_C(1000000));
    buf_done(&token);
}

static void create_all(void)
{
    static const char *const more[] = { ",\"kid\":\"rsa\",\"use\":\"sig\"",
                                        ",\"kid\":\"pss\",\"alg\":\"PS256\"", ",\"kid\":\"ec\"",
                                        ",\"kid\":\"ed\"" };
    struct buf text;
    struct error err = { 0 };

    signers[BY_RSA] = signer_create(SIGNATURE_RS256, 2048);
    signers[BY_PSS] = signer_create(SIGNATURE_PS256, 2048);
    signers[BY_EC] = signer_create(SIGNATURE_ES256, 0);
    signers[BY_ED] = signer_create(SIGNATURE_EDDSA, 0);
    signers[BY_STRANGER] = signer_create(SIGNATURE_ES256, 0);
    signers[BY_P384] = signer_create_p384();
    buf_init(&text, 10000);
    for (int i = 0; i <= BY_ED; i++) {
        buf_add(&text, i == 0 ? STR("{\"keys\":[{") : STR("},{"));
        signer_write_jwk(signers[i], &text);
        buf_add(&text, str_from_c(more[i]));
    }
    buf_add(&text, STR("}]}"));
    CHECK(jwks_read(buf_str(&text), &jwks, &err));
    buf_done(&text);
}

int main(void)
{
    create_all();
    RUN(good_tokens_pass);
    RUN(clients_and_scopes_narrow_it);
    RUN(an_id_token_is_no_access_token);
    RUN(forged_headers_are_refused);
    RUN(wrong_claims_are_refused);
    RUN(without_an_audience_tokens_must_name_none);
    RUN(a_public_key_is_no_shared_secret);
    RUN(odd_signatures_are_refused);
    RUN(no_other_spelling_of_a_token_passes);
    RUN(bits_left_over_must_be_zero);
    RUN(tokens_have_a_longest_length);
    RUN(only_an_unknown_key_sets_the_flag);
    jwks_destroy(jwks);
    for (int i = 0; i < BY_COUNT; i++)
        signer_destroy(signers[i]);
    return test_end();
}
