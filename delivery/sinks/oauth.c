/*
 * oauth.c - see oauth.h.
 */
#include "delivery/sinks/oauth.h"

#include <pthread.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    ANSWER_MAX = 64 * 1024,
    TOKEN_MAX = 16 * 1024,
    UNKNOWN_LIFETIME_S = 300, /* when the server does not say */
    LONGEST_LIFETIME_S = 7 * 86400,
    MARGIN_S = 60,                /* fetch the next one so long before the end, */
    MARGIN_PART = 4,              /* but only in the last quarter */
    AGAIN_US = 5 * (int)US_PER_S, /* when a token that is still valid cannot be renewed */
    ERROR_CODE_MAX = 40,          /* of an `error` that is worth showing */
    FORM_NAMES = 128,             /* bytes of the form beside its values */
};

struct token {
    struct str authorization; /* ptr NULL: none yet */
    uint64_t number;
    int64_t renew_us; /* clock_monotonic_us() */
    int64_t end_us;
};

struct oauth {
    struct oauth_options options;
    struct fetch_client *client; /* belongs to the caller that fetches */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool is_fetching;
    uint64_t fetches;     /* that have ended */
    struct error failure; /* of the last one; ERR_NONE: it succeeded */
    struct token token;
};

struct oauth *oauth_create(const struct oauth_options *options)
{
    struct oauth *oauth = mem_alloc(sizeof(*oauth));

    oauth->options = *options;
    oauth->client = fetch_client_create();
    (void)pthread_mutex_init(&oauth->mutex, NULL);
    (void)pthread_cond_init(&oauth->changed, NULL);
    return oauth;
}

void oauth_destroy(struct oauth *oauth)
{
    if (!oauth)
        return;
    fetch_client_destroy(oauth->client);
    secret_free(oauth->token.authorization);
    (void)pthread_cond_destroy(&oauth->changed);
    (void)pthread_mutex_destroy(&oauth->mutex);
    mem_free(oauth);
}

void oauth_interrupt(struct oauth *oauth)
{
    fetch_client_interrupt(oauth->client);
}

/* As application/x-www-form-urlencoded writes it. */
static void add_encoded(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (char_is_alnum(c) || char_is_one_of(c, "-._~"))
            buf_add_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

static void add_field(struct buf *form, const char *name, struct str value)
{
    buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    add_encoded(form, value);
}

/* RFC 6749 section 2.3.1: both parts are encoded as in a form, so that a colon cannot mislead. */
static void add_basic(const struct oauth *oauth, struct str secret, struct buf *out)
{
    struct buf pair;

    buf_init(&pair, SIZE_MAX);
    (void)buf_reserve(&pair, 3 * (strlen(oauth->options.client_id) + secret.len) + 2);
    add_encoded(&pair, str_from_c(oauth->options.client_id));
    buf_add_char(&pair, ':');
    add_encoded(&pair, secret);

    struct str text = secret_base64(buf_str(&pair));

    (void)buf_reserve(out, text.len + sizeof("Basic "));
    buf_add(out, STR("Basic "));
    buf_add(out, text);
    secret_free(text);
    secret_wipe(pair.ptr, pair.len);
    buf_done(&pair);
}

/* The form, and the header if the client's credential is not in the form. */
static bool write_request(const struct oauth *oauth, struct buf *form, struct buf *basic,
                          struct error *err)
{
    const struct oauth_options *options = &oauth->options;
    struct str secret;

    if (!secret_read_file(options->client_secret_file, &secret, err))
        return false;
    (void)buf_reserve(form, 3 * (strlen(options->scope) + strlen(options->client_id) + secret.len) +
                                FORM_NAMES);
    add_field(form, "grant_type", STR("client_credentials"));
    if (*options->scope)
        add_field(form, "scope", str_from_c(options->scope));
    if (options->in_form) {
        add_field(form, "client_id", str_from_c(options->client_id));
        add_field(form, "client_secret", secret);
    } else {
        add_basic(oauth, secret, basic);
    }
    secret_free(secret);
    return true;
}

static bool ask(struct oauth *oauth, struct str form, struct str basic, struct fetch_answer *answer,
                struct error *err)
{
    const struct fetch_header headers[] = {
        { "Content-Type", STR("application/x-www-form-urlencoded") },
        { "Accept", STR("application/json") },
        { "Authorization", basic },
    };

    if (fetch_client_run(oauth->client,
                         &(struct fetch_request){
                             .method = "POST",
                             .url = oauth->options.token_url,
                             .headers = headers,
                             .header_count = COUNT_OF(headers) - (basic.len == 0),
                             .body = form,
                             .timeout_us = oauth->options.timeout_us,
                             .proxy = FETCH_PROXY_ENVIRONMENT,
                             .ca_file = oauth->options.ca_file,
                         },
                         answer, err))
        return true;
    if (answer->failure == FETCH_CERTIFICATE)
        err->code = ERR_CONFIG;
    return false;
}

static bool is_code_char(char c)
{
    return char_is_alnum(c) || c == '_';
}

/* The server's word for what is wrong, RFC 6749 section 5.2. */
static struct str error_code(struct json_object *root)
{
    struct str code = json_is_object(root) ? json_find_str(root, "error") : STR_NONE;

    return code.len <= ERROR_CODE_MAX && all_are(code, is_code_char) ? code : STR("no token");
}

/* Overload and faults of the server pass; anything else does not mend by itself. */
static bool is_temporary(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static bool is_visible(char c)
{
    return c > ' ' && c < 0x7f;
}

/* How long the token is valid; a number is often sent as a text. */
static int64_t lifetime_s(struct json_object *root)
{
    struct json_object *value = NULL;
    int64_t seconds = UNKNOWN_LIFETIME_S;

    if (!json_find(root, "expires_in", &value))
        return seconds;
    if (json_is_string(value)) {
        struct str text = json_str(value);

        for (seconds = 0;
             text.len > 0 && char_is_digit(text.ptr[0]) && seconds < LONGEST_LIFETIME_S;
             text = str_from(text, 1))
            seconds = seconds * 10 + (text.ptr[0] - '0');
    } else if (value) {
        double number = json_double(value);

        seconds = number < 0                    ? 0
                  : number > LONGEST_LIFETIME_S ? LONGEST_LIFETIME_S
                                                : (int64_t)number;
    }
    return seconds > LONGEST_LIFETIME_S ? LONGEST_LIFETIME_S : seconds;
}

static bool take_token(struct json_object *root, struct token *out, struct error *err)
{
    struct str token = json_is_object(root) ? json_find_str(root, "access_token") : STR_NONE;
    struct str type = json_is_object(root) ? json_find_str(root, "token_type") : STR_NONE;

    if (!all_are(token, is_visible) || token.len > TOKEN_MAX)
        return fail(err, ERR_CONFIG, "the answer has no access_token that a header can carry");
    if (type.len > 0 && !str_equal_ignore_case(type, STR("bearer")))
        return fail(err, ERR_CONFIG, "the token_type is not Bearer");

    int64_t left_us = lifetime_s(root) * (int64_t)US_PER_S;
    int64_t margin_us = MARGIN_S * (int64_t)US_PER_S;
    size_t size = sizeof("Bearer ") + token.len;
    char *text = mem_alloc(size);

    memcpy(text, "Bearer ", sizeof("Bearer ") - 1);
    memcpy(text + sizeof("Bearer ") - 1, token.ptr, token.len);
    if (margin_us > left_us / MARGIN_PART)
        margin_us = left_us / MARGIN_PART;
    out->authorization = (struct str){ text, size - 1 };
    out->end_us = clock_monotonic_us() + left_us;
    out->renew_us = out->end_us - margin_us;
    return true;
}

static bool read_answer(const struct fetch_answer *answer, struct token *out, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *root = NULL;
    struct error malformed;

    if (!json_read(buf_str(&answer->body), NULL, &root, &malformed))
        root = NULL;
    if (answer->status == 200)
        return take_token(root, out, err);
    return fail(err, is_temporary(answer->status) ? ERR_UNREACHABLE : ERR_CONFIG,
                "answered %d: %.*s", answer->status, STR_ARG(error_code(root)));
}

static bool fetch_token(struct oauth *oauth, struct token *out, struct error *err)
{
    struct fetch_answer answer;
    struct buf basic;
    struct buf form;
    bool ok;

    buf_init(&basic, SIZE_MAX);
    buf_init(&form, SIZE_MAX);
    fetch_answer_init(&answer, ANSWER_MAX);
    ok = write_request(oauth, &form, &basic, err) &&
         ((ask(oauth, buf_str(&form), buf_str(&basic), &answer, err) &&
           read_answer(&answer, out, err)) ||
          fail_within(err, "token_url"));
    secret_wipe(answer.body.ptr, answer.body.len);
    fetch_answer_done(&answer);
    secret_wipe(basic.ptr, basic.len);
    secret_wipe(form.ptr, form.len);
    buf_done(&basic);
    buf_done(&form);
    return ok;
}

/* Fetch, with the mutex unlocked meanwhile. */
static void renew(struct oauth *oauth)
{
    struct token token = { .number = oauth->token.number + 1 };
    struct error err = { 0 };

    oauth->is_fetching = true;
    (void)pthread_mutex_unlock(&oauth->mutex);

    bool ok = fetch_token(oauth, &token, &err);

    (void)pthread_mutex_lock(&oauth->mutex);
    if (ok) {
        secret_free(oauth->token.authorization);
        oauth->token = token;
    } else {
        oauth->token.renew_us = clock_monotonic_us() + AGAIN_US;
    }
    oauth->failure = err;
    oauth->is_fetching = false;
    oauth->fetches++;
    (void)pthread_cond_broadcast(&oauth->changed);
}

static bool is_usable(const struct oauth *oauth)
{
    const struct token *token = &oauth->token;

    return token->authorization.ptr && clock_monotonic_us() < token->end_us;
}

static bool needs_renewal(const struct oauth *oauth)
{
    return !is_usable(oauth) || clock_monotonic_us() >= oauth->token.renew_us;
}

/* Fetch a token, or wait for the caller that does. A caller with a usable token does not wait. */
static void await(struct oauth *oauth)
{
    uint64_t before = oauth->fetches;

    if (!needs_renewal(oauth))
        return;
    if (!oauth->is_fetching) {
        renew(oauth);
        return;
    }
    while (oauth->fetches == before && !is_usable(oauth))
        (void)pthread_cond_wait(&oauth->changed, &oauth->mutex);
}

bool oauth_authorize(struct oauth *oauth, struct oauth_grant *out, struct error *err)
{
    (void)pthread_mutex_lock(&oauth->mutex);
    await(oauth);

    bool ok = is_usable(oauth);

    if (ok) {
        struct str text = oauth->token.authorization;

        out->authorization = (struct str){ mem_copy(text.ptr, text.len), text.len };
        out->number = oauth->token.number;
    } else if (oauth->failure.code != ERR_NONE) {
        *err = oauth->failure;
    } else {
        (void)fail(err, ERR_UNREACHABLE, "token_url: the token has expired");
    }
    (void)pthread_mutex_unlock(&oauth->mutex);
    return ok;
}

void oauth_refuse(struct oauth *oauth, uint64_t number)
{
    (void)pthread_mutex_lock(&oauth->mutex);
    if (oauth->token.number == number) {
        secret_free(oauth->token.authorization);
        oauth->token.authorization = STR_NONE;
    }
    (void)pthread_mutex_unlock(&oauth->mutex);
}
