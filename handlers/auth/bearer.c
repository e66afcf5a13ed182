/*
 * bearer.c - see bearer.h.
 *
 * Checking a signature is costly, and the sender is unknown until it is checked. So each sender has
 * a rate of failed checks; senders whose keyed hashes are equal share one.
 */
#include "handlers/auth/bearer.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rate.h"
#include "handlers/auth/jwks_source.h"
#include "handlers/auth/jwt.h"
#include "handlers/auth/token_cache.h"

enum {
    FAILURE_RATES = 1024,
    FAILURES_PER_SECOND = 100,       /* of one sender */
    FAILURE_KEPT_US = US_PER_MINUTE, /* in the cache */
};

static const struct str bearer_scheme = STR_INIT("Bearer ");

struct bearer {
    char *issuer;
    char *audience;
    struct str *texts;      /* client ids, then scopes; owned */
    struct jwt_rules rules; /* slices of these */
    struct jwks_source *source;
    struct token_cache *cache;
    uint64_t failures_key; /* of the hash that picks a sender's rate */
    struct rate failures[FAILURE_RATES];
};

static void copy_texts(struct bearer *bearer, const struct bearer_options *options)
{
    size_t clients = options->client_id_count;
    size_t count = clients + options->scope_count;

    bearer->texts = mem_alloc_array(count, sizeof(bearer->texts[0]));
    for (size_t i = 0; i < count; i++)
        bearer->texts[i] = str_from_c(
            mem_copy_string(i < clients ? options->client_ids[i] : options->scopes[i - clients]));
    bearer->rules.client_ids = (struct jwt_texts){ bearer->texts, clients };
    bearer->rules.scopes = (struct jwt_texts){ bearer->texts + clients, options->scope_count };
}

bool bearer_create(const struct bearer_options *options, struct bearer **out, struct error *err)
{
    struct bearer *bearer = mem_alloc(sizeof(*bearer));

    bearer->issuer = mem_copy_string(options->issuer);
    bearer->audience = mem_copy_string(options->audience);
    bearer->rules.issuer = str_from_c(bearer->issuer);
    bearer->rules.audience = str_from_c(bearer->audience);
    copy_texts(bearer, options);
    bearer->source = jwks_source_create(
        &(struct jwks_source_options){ .url = options->jwks_url, .file = options->jwks_file });
    bearer->cache = token_cache_create();
    bearer->failures_key = hash_key();
    for (size_t i = 0; i < FAILURE_RATES; i++)
        rate_init(&bearer->failures[i], FAILURES_PER_SECOND);
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
    for (size_t i = 0; i < bearer->rules.client_ids.count + bearer->rules.scopes.count; i++)
        mem_free((void *)bearer->texts[i].ptr);
    mem_free(bearer->texts);
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

/* The token after the scheme; ptr NULL: none. */
static struct str find_token(const struct request *request)
{
    struct str value = request->header(request->connection, "Authorization");
    struct str scheme = { value.ptr, bearer_scheme.len };

    if (value.len < bearer_scheme.len || !str_equal_ignore_case(scheme, bearer_scheme))
        return STR_NONE;
    return str_trim(str_from(value, bearer_scheme.len));
}

static struct rate *failures_of(struct bearer *bearer, uint64_t sender)
{
    return &bearer->failures[hash_keyed(bearer->failures_key, sender) % FAILURE_RATES];
}

/* May a signature be checked for this sender now? If not, `*reason` says why. */
static bool may_check(struct bearer *bearer, const struct request *request, const char **reason)
{
    if (request->is_over_limit)
        *reason = "token not checked: the server is over its limits";
    else if (!rate_has(failures_of(bearer, request->sender), clock_monotonic_us()))
        *reason = "token not checked: too many bad ones from this address";
    else
        return true;
    return false;
}

/* Check the signature and the claims, and add the result to the cache. */
static struct jwt_verdict check_token(struct bearer *bearer, const struct request *request,
                                      const struct jwks *jwks, struct token_entry *entry)
{
    int64_t now_us = clock_now_us();
    struct jwt_verdict verdict =
        jwt_check(request->arena, jwks, &bearer->rules, find_token(request), now_us);

    entry->reason = verdict.reason;
    entry->forged = verdict.forged;
    entry->expires_us = verdict.valid ? verdict.expires_us : now_us + FAILURE_KEPT_US;
    if (verdict.verified)
        token_cache_add(bearer->cache, entry);
    if (verdict.verified && !verdict.valid)
        (void)!rate_take(failures_of(bearer, request->sender), clock_monotonic_us());
    if (verdict.unknown_key)
        jwks_source_refresh_unknown(bearer->source);
    return verdict;
}

/* From the cache, else by the signature. `jwks` stays valid during the call. */
static enum bearer_verdict check(struct bearer *bearer, const struct request *request,
                                 const struct jwks *jwks, struct token_entry *entry)
{
    if (!jwks) {
        entry->reason = "no keys yet";
        jwks_source_refresh_unknown(bearer->source);
        return BEARER_BAD;
    }
    secret_digest(find_token(request), entry->digest);
    if (token_cache_find(bearer->cache, entry, clock_now_us()))
        return entry->reason ? BEARER_BAD : BEARER_GOOD;
    if (!may_check(bearer, request, &entry->reason))
        return BEARER_UNCHECKED;
    return check_token(bearer, request, jwks, entry).valid ? BEARER_GOOD : BEARER_BAD;
}

enum bearer_verdict bearer_check(struct bearer *bearer, const struct request *request,
                                 const char **reason)
{
    struct token_entry entry = { 0 };

    if (!find_token(request).ptr)
        return BEARER_ABSENT;

    const struct jwks *jwks = jwks_source_enter(bearer->source, &entry.generation);
    enum bearer_verdict verdict = check(bearer, request, jwks, &entry);

    jwks_source_leave();
    if (verdict == BEARER_BAD && entry.forged)
        jwks_source_refresh_forged(bearer->source);
    if (verdict != BEARER_GOOD)
        *reason = entry.reason;
    return verdict;
}
