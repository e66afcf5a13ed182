/*
 * msk_token.c - see msk_token.h.
 *
 * The parameter User-Agent is added after signing: brokers refuse a token without it, and one in
 * which it is signed.
 */
#include "aws/msk_token.h"

#include "aws/endpoint.h"
#include "aws/session_internal.h"
#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"

enum { LIFETIME_S = 15 * 60 }; /* the longest that MSK accepts */

/* Base64 with the URL's alphabet, without padding, in the arena. */
static struct str encode(struct str text, struct arena *arena)
{
    struct str standard = secret_base64(text);
    char *out = arena_alloc(arena, standard.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < standard.len && standard.ptr[i] != '='; i++) {
        char c = standard.ptr[i];

        if (c == '+')
            c = '-';
        else if (c == '/')
            c = '_';
        out[len++] = c;
    }
    secret_free(standard);
    return (struct str){ out, len };
}

struct str aws_msk_token_text(const struct aws_credentials *credentials, const char *region,
                              int64_t now_us, struct arena *arena)
{
    const struct aws_endpoint_choice choice = { .service = "kafka", .region = region };
    struct str url = str_from_c(aws_endpoint_default(&choice, arena));
    struct str host = str_from(url, STR("https://").len);
    const struct fetch_header headers[] = { { "Host", host } };
    const struct sigv4_request request = { .method = "GET",
                                           .path = STR("/"),
                                           .query = STR("Action=kafka-cluster%3AConnect"),
                                           .headers = headers,
                                           .header_count = COUNT_OF(headers) };
    const struct sigv4_credentials key = { credentials->key_id, credentials->secret,
                                           credentials->token };
    const struct sigv4_scope scope = { .region = str_from_c(region),
                                       .service = STR("kafka-cluster"),
                                       .time_us = now_us };
    struct str query = sigv4_presign(&request, &key, &scope, LIFETIME_S, arena);

    return encode(arena_printf(arena, "%.*s/?%.*s&User-Agent=sluice", STR_ARG(url), STR_ARG(query)),
                  arena);
}

bool aws_msk_token(struct aws_session *session, const struct aws_msk_options *options,
                   struct arena *arena, struct aws_msk_token *out, struct error *err)
{
    static const atomic_bool never = false;
    const struct aws_wait wait = { options->deadline_us, &never };
    const char *region =
        options->region && *options->region ? options->region : aws_session_region(session);
    struct aws_key key;

    if (!*region)
        return fail(err, ERR_CONFIG, "no AWS region: set aws.region or AWS_REGION");
    if (!aws_endpoint_is_region(str_from_c(region)))
        return fail(err, ERR_CONFIG, "region: \"%s\" is none", region);
    if (!aws_session_acquire(session, &wait, &key, err))
        return false;

    int64_t now_us = clock_now_us();
    int64_t end_us = now_us + LIFETIME_S * US_PER_S;
    int64_t key_end_us = key.credentials.expires_us;
    bool is_alive = key_end_us == 0 || key_end_us > now_us;

    if (is_alive)
        *out = (struct aws_msk_token){
            .text = aws_msk_token_text(&key.credentials, region, now_us, arena),
            .expires_us = key_end_us > 0 && key_end_us < end_us ? key_end_us : end_us,
            .number = key.number,
        };
    aws_credentials_done(&key.credentials);
    return is_alive || fail(err, ERR_UNREACHABLE, "the AWS credentials have expired");
}

void aws_msk_token_reject(struct aws_session *session, const struct aws_msk_token *token)
{
    aws_session_reject(session, token->number);
}
