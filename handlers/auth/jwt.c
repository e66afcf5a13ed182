/*
 * jwt.c - see jwt.h.
 *
 * Signature first: claims are read only from a payload that the issuer wrote.
 */
#include "handlers/auth/jwt.h"

#include "base/base64url.h"
#include "base/clock.h"
#include "base/json.h"

enum {
    READ_MAX = 256 * 1024, /* bytes of the tree of a header or a payload */
    DEPTH_MAX = 16,
    KID_MAX = 256, /* bytes */
};

/* 9999-12-31 in seconds; anything later is not taken for a date. */
static const double latest = 253402300799.0;

/* The parts of a token; slices of its text. */
struct token {
    struct str header;
    struct str payload;
    struct str signature;
    struct str message; /* the signed part: header, dot, payload */
};

static struct jwt_verdict invalid(const char *reason)
{
    return (struct jwt_verdict){ .reason = reason };
}

/* A token has three parts, none of them empty. */
static bool split_token(struct str text, struct token *out)
{
    const char *first = memchr(text.ptr, '.', text.len);
    const char *end = text.ptr + text.len;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    out->header = (struct str){ text.ptr, (size_t)(first - text.ptr) };
    out->payload = (struct str){ first + 1, (size_t)(second - first - 1) };
    out->signature = (struct str){ second + 1, (size_t)(end - second - 1) };
    out->message = (struct str){ text.ptr, (size_t)(second - text.ptr) };
    return out->header.len > 0 && out->payload.len > 0 && out->signature.len > 0;
}

static bool decode(struct arena *arena, struct str text, struct str *out)
{
    size_t size = base64url_decoded_size(text.len);
    uint8_t *bytes = arena_alloc(arena, size + 1);

    *out = (struct str){ (const char *)bytes, size };
    return base64url_decode(text, bytes);
}

/* A Base64url part that is a strict JSON object, without a duplicate member. */
static bool read_object(struct arena *arena, struct str part, struct json_object **out)
{
    const struct json_read_options options = { .max_depth = DEPTH_MAX, .max_memory = READ_MAX };
    struct error err;
    struct str text;

    return decode(arena, part, &text) && json_read_in(arena, text, &options, out, &err) &&
           json_is_object(*out);
}

/* The header. */

/* Media types ignore case, and application/ may be left out (RFC 7515, 4.1.9). */
static bool is_token_type(struct json_object *header)
{
    static const struct str known[] = {
        STR_INIT("JWT"),
        STR_INIT("at+jwt"),
        STR_INIT("application/jwt"),
        STR_INIT("application/at+jwt"),
    };
    struct json_object *type = NULL;

    if (!json_find(header, "typ", &type))
        return true;
    for (size_t i = 0; json_is_string(type) && i < COUNT_OF(known); i++)
        if (str_equal_ignore_case(json_str(type), known[i]))
            return true;
    return false;
}

static bool read_header_kid(struct json_object *header, struct str *out)
{
    struct json_object *kid = NULL;

    if (!json_find(header, "kid", &kid))
        return true;
    if (!json_is_string(kid) || json_str(kid).len > KID_MAX)
        return false;
    *out = json_str(kid);
    return true;
}

/* Read the header into `claim`. Returns NULL, or why the header is refused. */
static const char *read_header(struct json_object *header, struct jwks_claim *claim)
{
    struct json_object *extension = NULL;

    if (!jwks_algorithm(json_find_str(header, "alg"), &claim->algorithm))
        return "algorithm not accepted";
    if (json_find(header, "crit", &extension) || json_find(header, "b64", &extension))
        return "extension not understood";
    if (!is_token_type(header))
        return "another type of token";
    return read_header_kid(header, &claim->kid) ? NULL : "kid not a string";
}

/* Claims. */

/* A NumericDate (RFC 7519, section 2), which may have a fraction, as microseconds. */
static bool read_date(struct json_object *value, int64_t *us)
{
    enum json_kind kind = json_kind(value);

    if (kind != JSON_INTEGER && kind != JSON_NUMBER)
        return false;

    double seconds = json_double(value);

    if (!(seconds >= 0 && seconds <= latest)) /* written so that NaN is refused */
        return false;
    *us = (int64_t)(seconds * US_PER_S);
    return true;
}

static bool is_in(struct json_object *list, struct str wanted)
{
    bool found = false;

    for (size_t i = 0; i < json_count(list); i++) {
        struct json_object *element = json_at(list, i);

        if (!json_is_string(element))
            return false;
        found |= str_equal(json_str(element), wanted);
    }
    return found;
}

static bool is_for(struct json_object *payload, struct str audience)
{
    struct json_object *value = NULL;

    if (!json_find(payload, "aud", &value))
        return audience.len == 0;
    if (audience.len == 0) /* it is meant for another service (RFC 7519, 4.1.3) */
        return false;
    if (json_is_array(value))
        return is_in(value, audience);
    return json_is_string(value) && str_equal(json_str(value), audience);
}

/* `exp` is required, `nbf` and `iat` are optional; `iat` must be a date (RFC 7519, 4.1.6). */
static const char *check_dates(struct json_object *payload, int64_t now_us, int64_t *expires_us)
{
    struct json_object *value = NULL;
    int64_t date_us;

    if (!json_find(payload, "exp", &value))
        return "no exp";
    if (!read_date(value, &date_us))
        return "exp not a date";
    *expires_us = date_us + JWT_LEEWAY_US;
    if (now_us >= *expires_us)
        return "expired";
    if (json_find(payload, "nbf", &value)) {
        if (!read_date(value, &date_us))
            return "nbf not a date";
        if (now_us < date_us - JWT_LEEWAY_US)
            return "not valid yet";
    }
    if (json_find(payload, "iat", &value) && !read_date(value, &date_us))
        return "iat not a date";
    return NULL;
}

/* The client of the token: `client_id` (RFC 9068, Amazon Cognito) or `azp` (OpenID Connect). */
static bool is_of_client(struct json_object *payload, const struct jwt_texts *client_ids)
{
    struct json_object *client = NULL;

    if (client_ids->count == 0)
        return true;
    if (!json_find(payload, "client_id", &client) && !json_find(payload, "azp", &client))
        return false;
    for (size_t i = 0; json_is_string(client) && i < client_ids->count; i++)
        if (str_equal(json_str(client), client_ids->list[i]))
            return true;
    return false;
}

/* Is `wanted` one of the words in `text`, which single spaces separate (RFC 6749, 3.3)? */
static bool has_word(struct str text, struct str wanted)
{
    while (text.len > 0) {
        const char *space = memchr(text.ptr, ' ', text.len);
        struct str word = { text.ptr, space ? (size_t)(space - text.ptr) : text.len };

        if (str_equal(word, wanted))
            return true;
        text = str_from(text, word.len + 1);
    }
    return false;
}

/* Scopes are a string (RFC 8693, 4.2); some issuers write a list. */
static bool has_scopes(struct json_object *payload, const struct jwt_texts *scopes)
{
    struct json_object *value = NULL;

    if (scopes->count == 0)
        return true;
    if (!json_find(payload, "scope", &value) && !json_find(payload, "scp", &value))
        return false;
    for (size_t i = 0; i < scopes->count; i++)
        if (json_is_array(value)
                ? !is_in(value, scopes->list[i])
                : !json_is_string(value) || !has_word(json_str(value), scopes->list[i]))
            return false;
    return true;
}

static bool is_text(struct json_object *payload, const char *name, struct str wanted)
{
    struct json_object *value = NULL;

    return json_find(payload, name, &value) && json_is_string(value) &&
           str_equal(json_str(value), wanted);
}

static struct jwt_verdict check_claims(struct json_object *payload, const struct jwt_rules *rules,
                                       int64_t now_us)
{
    struct json_object *use = NULL;
    struct jwt_verdict verdict = { .valid = true };

    if (!is_text(payload, "iss", rules->issuer))
        return invalid("another issuer");
    if (!is_for(payload, rules->audience))
        return invalid("another audience");
    if (json_find(payload, "token_use", &use) && !is_text(payload, "token_use", STR("access")))
        return invalid("not an access token");
    if (!is_of_client(payload, &rules->client_ids))
        return invalid("another client");
    if (!has_scopes(payload, &rules->scopes))
        return invalid("a scope is missing");

    const char *reason = check_dates(payload, now_us, &verdict.expires_us);

    return reason ? invalid(reason) : verdict;
}

struct jwt_verdict jwt_check(struct arena *arena, const struct jwks *jwks,
                             const struct jwt_rules *rules, struct str token, int64_t now_us)
{
    struct json_object *header = NULL;
    struct json_object *payload = NULL;
    struct jwks_claim claim = { 0 };
    struct token parts;

    if (token.len > JWT_MAX)
        return invalid("too long");
    if (token.len == 0 || !split_token(token, &parts) ||
        !read_object(arena, parts.header, &header) ||
        !decode(arena, parts.signature, &claim.signature))
        return invalid("not a token");
    claim.message = parts.message;

    const char *reason = read_header(header, &claim);

    if (reason)
        return invalid(reason);
    switch (jwks_verify(jwks, &claim)) {
    case JWKS_UNKNOWN_KEY:
        return (struct jwt_verdict){ .unknown_key = true, .reason = "unknown key" };
    case JWKS_FORGED:
        return (
            struct jwt_verdict){ .verified = true, .forged = true, .reason = "signature wrong" };
    case JWKS_SIGNED:
        break;
    }

    struct jwt_verdict verdict = read_object(arena, parts.payload, &payload)
                                     ? check_claims(payload, rules, now_us)
                                     : invalid("payload not an object");

    verdict.verified = true;
    return verdict;
}
