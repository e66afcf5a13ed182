/*
 * bearer.c - see bearer.h.
 */
#include "handlers/bearer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "handlers/jwks_source.h"
#include "handlers/jwt.h"
#include "handlers/token_cache.h"

static const struct str bearer_scheme = STR_INIT("Bearer ");

struct bearer {
    char *issuer;
    char *audience;
    struct jwt_rules rules; /* slices of the two */
    struct jwks_source *source;
    struct token_cache *cache;
};

bool bearer_create(const struct bearer_options *options, struct bearer **out, struct error *err)
{
    struct bearer *bearer = mem_alloc(sizeof(*bearer));

    bearer->issuer = mem_copy_string(options->issuer);
    bearer->audience = mem_copy_string(options->audience);
    bearer->rules.issuer = str_from_c(bearer->issuer);
    bearer->rules.audience = str_from_c(bearer->audience);
    bearer->source = jwks_source_create(
        &(struct jwks_source_options){ .url = options->jwks_url, .file = options->jwks_file });
    bearer->cache = token_cache_create();
    if (!*options->jwks_url && !jwks_source_load(bearer->source, err)) {
        bearer_destroy(bearer);
        return false;
    }
    *out = bearer;
    return true;
}

void bearer_destroy(struct bearer *bearer)
{
    if (!bearer)
        return;
    jwks_source_destroy(bearer->source);
    token_cache_destroy(bearer->cache);
    mem_free(bearer->issuer);
    mem_free(bearer->audience);
    mem_free(bearer);
}

bool bearer_start(struct bearer *bearer, struct bearer *predecessor, struct error *err)
{
    if (predecessor)
        (void)jwks_source_inherit(bearer->source, predecessor->source);
    return jwks_source_start(bearer->source, err);
}

/* The token behind the scheme; ptr NULL: there is none. */
static struct str find_token(const struct request *request)
{
    struct str value = request->header(request->connection, "Authorization");
    struct str scheme = { value.ptr, bearer_scheme.len };

    if (value.len < bearer_scheme.len || !str_equal_ignore_case(scheme, bearer_scheme))
        return STR_NONE;
    return str_trim(str_from(value, bearer_scheme.len));
}

/* With the keys held: from the cache, else by the signature. */
static struct jwt_verdict check(struct bearer *bearer, const struct request *request,
                                const struct jwks *jwks, struct token_fact *fact)
{
    struct str token = find_token(request);
    int64_t now_us = clock_now_us();

    if (!jwks)
        return (struct jwt_verdict){ .unknown_key = true, .reason = "no keys yet" };
    secret_digest(token, fact->digest);
    if (token_cache_knows(bearer->cache, fact, now_us))
        return (struct jwt_verdict){ .valid = true };

    struct jwt_verdict verdict = jwt_check(request->arena, jwks, &bearer->rules, token, now_us);

    if (verdict.valid) {
        fact->expires_us = verdict.expires_us;
        token_cache_add(bearer->cache, fact);
    }
    return verdict;
}

enum bearer_verdict bearer_check(struct bearer *bearer, const struct request *request,
                                 const char **reason)
{
    struct token_fact fact = { 0 };

    if (!find_token(request).ptr)
        return BEARER_ABSENT;

    const struct jwks *jwks = jwks_source_enter(bearer->source, &fact.generation);
    struct jwt_verdict verdict = check(bearer, request, jwks, &fact);

    jwks_source_leave();
    if (verdict.unknown_key)
        jwks_source_want(bearer->source);
    *reason = verdict.reason;
    return verdict.valid ? BEARER_GOOD : BEARER_BAD;
}
