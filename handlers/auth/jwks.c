/*
 * jwks.c - see jwks.h.
 */
#include "handlers/auth/jwks.h"

#include "base/base64url.h"
#include "base/json.h"
#include "base/memory.h"

enum {
    READ_MAX = 8 * 1024 * 1024, /* bytes of the tree */
    PART_MAX = 8 * 1024,        /* bytes of a number in a key; checked again by its size */
};

struct key {
    struct str kid; /* owned; ptr NULL: none */
    struct signature_key *key;
    bool is_bound; /* `alg` restricts it to one algorithm */
    enum signature_algorithm algorithm;
};

struct jwks {
    size_t count;
    struct key keys[JWKS_KEYS_MAX];
};

bool jwks_algorithm(struct str name, enum signature_algorithm *out)
{
    static const struct {
        struct str name;
        enum signature_algorithm algorithm;
    } names[] = {
        { STR_INIT("RS256"), SIGNATURE_RS256 },   { STR_INIT("PS256"), SIGNATURE_PS256 },
        { STR_INIT("ES256"), SIGNATURE_ES256 },   { STR_INIT("EdDSA"), SIGNATURE_EDDSA },
        { STR_INIT("Ed25519"), SIGNATURE_EDDSA }, /* RFC 9864's name for it */
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(name, names[i].name)) {
            *out = names[i].algorithm;
            return true;
        }
    return false;
}

/* One key. */

/* The bytes of a member that is a Base64url string. */
static bool get_bytes(struct arena *arena, struct json_object *jwk, const char *name,
                      struct str *out, struct error *err)
{
    struct str text = json_find_str(jwk, name);
    size_t size = base64url_decoded_size(text.len);

    if (text.len == 0 || text.len > PART_MAX)
        return fail(err, ERR_MALFORMED, "%s is not there", name);

    uint8_t *bytes = arena_alloc(arena, size);

    if (!base64url_decode(text, bytes))
        return fail(err, ERR_MALFORMED, "%s is not base64url", name);
    *out = (struct str){ (const char *)bytes, size };
    return true;
}

static bool read_rsa(struct arena *arena, struct json_object *jwk, struct signature_key **out,
                     struct error *err)
{
    struct str n = STR_NONE;
    struct str e = STR_NONE;

    return get_bytes(arena, jwk, "n", &n, err) && get_bytes(arena, jwk, "e", &e, err) &&
           signature_key_rsa(n, e, out, err);
}

static bool read_ec(struct arena *arena, struct json_object *jwk, struct signature_key **out,
                    struct error *err)
{
    struct str x = STR_NONE;
    struct str y = STR_NONE;

    if (!str_equal(json_find_str(jwk, "crv"), STR("P-256")))
        return fail(err, ERR_MALFORMED, "another curve than P-256");
    return get_bytes(arena, jwk, "x", &x, err) && get_bytes(arena, jwk, "y", &y, err) &&
           signature_key_p256(x, y, out, err);
}

static bool read_okp(struct arena *arena, struct json_object *jwk, struct signature_key **out,
                     struct error *err)
{
    struct str x = STR_NONE;

    if (!str_equal(json_find_str(jwk, "crv"), STR("Ed25519")))
        return fail(err, ERR_MALFORMED, "another curve than Ed25519");
    return get_bytes(arena, jwk, "x", &x, err) && signature_key_ed25519(x, out, err);
}

static bool read_material(struct arena *arena, struct json_object *jwk, struct signature_key **out,
                          struct error *err)
{
    static const struct {
        struct str type;
        bool (*read)(struct arena *arena, struct json_object *jwk, struct signature_key **out,
                     struct error *err);
    } types[] = {
        { STR_INIT("RSA"), read_rsa },
        { STR_INIT("EC"), read_ec },
        { STR_INIT("OKP"), read_okp },
    };
    struct str type = json_find_str(jwk, "kty");

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_equal(type, types[i].type))
            return types[i].read(arena, jwk, out, err);
    return fail(err, ERR_MALFORMED, "a type of key that signs nothing here");
}

/* Is the member absent, or the string `wanted`? */
static bool is_absent_or(struct json_object *jwk, const char *name, struct str wanted)
{
    struct json_object *value = NULL;

    if (!json_find(jwk, name, &value))
        return true;
    return json_is_string(value) && str_equal(json_str(value), wanted);
}

/* Do `use` and `key_ops` allow checking signatures? */
static bool is_for_signatures(struct json_object *jwk)
{
    struct json_object *operations = NULL;

    if (!is_absent_or(jwk, "use", STR("sig")))
        return false;
    if (!json_find(jwk, "key_ops", &operations))
        return true;
    if (!json_is_array(operations))
        return false;
    for (size_t i = 0; i < json_count(operations); i++) {
        struct json_object *operation = json_at(operations, i);

        if (json_is_string(operation) && str_equal(json_str(operation), STR("verify")))
            return true;
    }
    return false;
}

/* `alg` restricts the key to one algorithm. */
static bool read_algorithm(struct json_object *jwk, struct key *key, struct error *err)
{
    struct json_object *value = NULL;

    key->is_bound = json_find(jwk, "alg", &value);
    if (!key->is_bound)
        return true;
    if (!json_is_string(value) || !jwks_algorithm(json_str(value), &key->algorithm))
        return fail(err, ERR_MALFORMED, "for another algorithm");
    if (!signature_key_fits(key->key, key->algorithm))
        return fail(err, ERR_MALFORMED, "alg and kty do not fit");
    return true;
}

static bool read_key_name(struct json_object *jwk, struct key *key, struct error *err)
{
    struct json_object *value = NULL;

    if (!json_find(jwk, "kid", &value))
        return true;
    if (!json_is_string(value))
        return fail(err, ERR_MALFORMED, "kid is not a string");
    key->kid = json_str(value);
    key->kid.ptr = mem_copy(key->kid.ptr, key->kid.len);
    return true;
}

static void key_done(struct key *key)
{
    mem_free((void *)key->kid.ptr);
    signature_key_destroy(key->key);
}

static bool read_key(struct arena *arena, struct json_object *jwk, struct key *out,
                     struct error *err)
{
    struct json_object *secret = NULL;
    struct key key = { 0 };

    if (!json_is_object(jwk))
        return fail(err, ERR_MALFORMED, "not an object");
    if (!is_for_signatures(jwk))
        return fail(err, ERR_MALFORMED, "not for checking signatures");
    if (json_find(jwk, "d", &secret) || json_find(jwk, "k", &secret))
        return fail(err, ERR_MALFORMED, "its private part is published");
    if (!read_material(arena, jwk, &key.key, err))
        return false;
    if (!read_algorithm(jwk, &key, err) || !read_key_name(jwk, &key, err)) {
        key_done(&key);
        return false;
    }
    *out = key;
    return true;
}

/* The set. */

static void free_arena(struct arena **arena)
{
    arena_destroy(*arena);
}

bool jwks_read(struct str text, struct jwks **out, struct error *err)
{
    CLEANUP(free_arena) struct arena *arena = arena_create();
    struct json_object *root = NULL;
    struct json_object *list = NULL;
    struct error why = { 0 }; /* of the last unusable key */

    if (text.len > JWKS_TEXT_MAX)
        return fail(err, ERR_MALFORMED, "key set: more than %d bytes", JWKS_TEXT_MAX);
    if (!json_read_in(arena, text, &(struct json_read_options){ .max_memory = READ_MAX }, &root,
                      err))
        return fail_within(err, "key set");
    if (!json_is_object(root) || !json_find(root, "keys", &list) || !json_is_array(list))
        return fail(err, ERR_MALFORMED, "key set: no list of keys");
    if (json_count(list) > JWKS_KEYS_MAX)
        return fail(err, ERR_MALFORMED, "key set: more than %d keys", JWKS_KEYS_MAX);

    struct jwks *jwks = mem_alloc(sizeof(*jwks));

    for (size_t i = 0; i < json_count(list); i++)
        if (read_key(arena, json_at(list, i), &jwks->keys[jwks->count], &why))
            jwks->count++;
    if (jwks->count == 0) {
        jwks_destroy(jwks);
        return fail(err, ERR_MALFORMED, "key set: no usable key%s%s", *why.text ? ": " : "",
                    why.text);
    }
    *out = jwks;
    return true;
}

void jwks_destroy(struct jwks *jwks)
{
    if (!jwks)
        return;
    for (size_t i = 0; i < jwks->count; i++)
        key_done(&jwks->keys[i]);
    mem_free(jwks);
}

size_t jwks_count(const struct jwks *jwks)
{
    return jwks->count;
}

/* A token with a `kid` is checked with the keys of that name only. */
static bool is_named(const struct key *key, const struct jwks_claim *claim)
{
    return !claim->kid.ptr || (key->kid.ptr && str_equal(key->kid, claim->kid));
}

static bool may_sign(const struct key *key, enum signature_algorithm algorithm)
{
    return (!key->is_bound || key->algorithm == algorithm) &&
           signature_key_fits(key->key, algorithm);
}

enum jwks_verdict jwks_verify(const struct jwks *jwks, const struct jwks_claim *claim)
{
    size_t tries = 0;
    bool known = false;

    for (size_t i = 0; i < jwks->count && tries < JWKS_TRIES_MAX; i++) {
        const struct key *key = &jwks->keys[i];

        if (!is_named(key, claim))
            continue;
        known |= claim->kid.ptr != NULL;
        if (!may_sign(key, claim->algorithm))
            continue;
        tries++;
        if (signature_verify(key->key, claim->algorithm, claim->message, claim->signature))
            return JWKS_SIGNED;
    }
    return tries || known ? JWKS_FORGED : JWKS_UNKNOWN_KEY;
}
