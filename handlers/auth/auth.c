/*
 * auth.c - see auth.h.
 *
 * Every credential is a header and its expected value. For Basic that is the Base64 of user and
 * password, so nothing in a request is decoded.
 */
#include "handlers/auth/auth.h"

#include <pthread.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    CHALLENGE_MAX = 256, /* bytes; every challenge is shorter */
    RETRY_AFTER_SECONDS = 1,
};

static const struct str basic_scheme = STR_INIT("Basic ");

struct credential {
    char *header;
    char *file;
    char *user;              /* Basic's; NULL for an API key */
    struct str value;        /* the header's expected value; for Basic, what follows the scheme */
    struct file_stamp stamp; /* of the file when it was last read, or tried */
};

struct auth {
    struct credential *credentials;
    size_t count;
    struct bearer *bearer; /* NULL: no tokens */
    char *challenge;       /* the WWW-Authenticate of a 401 */
    char *token_challenge; /* the same for a request with an invalid token */
    void (*on_wrong)(void *self);
    void *self;
    pthread_rwlock_t lock; /* over the credentials' values; not held while a file is read */
};

static bool has_control_character(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t') || text.ptr[i] == '\x7f')
            return true;
    return false;
}

/* A key is compared without the white space around it, which no header value has. */
static bool key_value(const struct credential *credential, struct str secret, struct str *out,
                      struct error *err)
{
    struct str key = str_trim(secret);

    if (key.len == 0)
        return fail(err, ERR_CONFIG, "%s: its first line is blank", credential->file);
    if (has_control_character(key))
        return fail(err, ERR_CONFIG, "%s: a key with control characters", credential->file);
    *out = (struct str){ mem_copy(key.ptr, key.len), key.len };
    return true;
}

static struct str basic_value(const struct credential *credential, struct str secret)
{
    size_t user_len = strlen(credential->user);
    struct str pair = { NULL, user_len + 1 + secret.len };
    char *text = mem_alloc(pair.len + 1);

    memcpy(text, credential->user, user_len);
    text[user_len] = ':';
    memcpy(text + user_len + 1, secret.ptr, secret.len);
    pair.ptr = text;

    struct str value = secret_base64(pair);

    secret_free(pair);
    return value;
}

/* Read the secret into the header's expected value, which the caller owns. */
static bool load_credential(struct credential *credential, struct str *out, struct error *err)
{
    struct str secret;

    credential->stamp = secret_stamp(credential->file);
    if (!secret_read_file(credential->file, &secret, err))
        return false;

    bool ok = true;

    if (credential->user)
        *out = basic_value(credential, secret);
    else
        ok = key_value(credential, secret, out, err);
    secret_free(secret);
    return ok;
}

static void add_credential(struct auth *auth, const char *header, const char *file,
                           const char *user)
{
    auth->credentials[auth->count++] = (struct credential){
        .header = mem_copy_string(header),
        .file = mem_copy_string(file),
        .user = user ? mem_copy_string(user) : NULL,
    };
}

/* The WWW-Authenticate of a 401 (RFC 9110, 11.6.1); `bearer` is the part of RFC 6750, 3. */
static char *challenge(const struct auth_options *options, const char *bearer)
{
    const struct {
        bool is_there;
        const char *text;
    } schemes[] = {
        { options->bearer != NULL, bearer },
        { options->basic_count > 0, "Basic realm=\"sluice\", charset=\"UTF-8\"" },
        { options->api_key_count > 0, "ApiKey realm=\"sluice\"" },
    };
    struct buf text;
    char *copy;

    buf_init(&text, CHALLENGE_MAX);
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].is_there)
            buf_printf(&text, "%s%s", text.len ? ", " : "", schemes[i].text);
    copy = mem_copy(text.ptr, text.len);
    buf_done(&text);
    return copy;
}

/* Read all files. */
static bool load_all(struct auth *auth, const struct auth_options *options, struct error *err)
{
    for (size_t i = 0; i < auth->count; i++)
        if (!load_credential(&auth->credentials[i], &auth->credentials[i].value, err))
            return false;
    return !options->bearer || bearer_create(options->bearer, &auth->bearer, err);
}

bool auth_create(const struct auth_options *options, struct auth **out, struct error *err)
{
    struct auth *auth = mem_alloc(sizeof(*auth));

    auth->credentials =
        mem_alloc_array(options->api_key_count + options->basic_count, sizeof(struct credential));
    auth->on_wrong = options->on_wrong;
    auth->self = options->self;
    auth->challenge = challenge(options, "Bearer realm=\"sluice\"");
    auth->token_challenge = challenge(options, "Bearer error=\"invalid_token\", realm=\"sluice\"");
    (void)pthread_rwlock_init(&auth->lock, NULL);
    for (size_t i = 0; i < options->api_key_count; i++)
        add_credential(auth, options->api_keys[i].header, options->api_keys[i].value_file, NULL);
    for (size_t i = 0; i < options->basic_count; i++)
        add_credential(auth, "Authorization", options->basic[i].password_file,
                       options->basic[i].user);
    if (!load_all(auth, options, err)) {
        auth_destroy(auth);
        err->code = ERR_CONFIG;
        return false;
    }
    *out = auth;
    return true;
}

void auth_destroy(struct auth *auth)
{
    if (!auth)
        return;
    for (size_t i = 0; i < auth->count; i++) {
        mem_free(auth->credentials[i].header);
        mem_free(auth->credentials[i].file);
        mem_free(auth->credentials[i].user);
        secret_free(auth->credentials[i].value);
    }
    mem_free(auth->credentials);
    mem_free(auth->challenge);
    mem_free(auth->token_challenge);
    bearer_destroy(auth->bearer);
    (void)pthread_rwlock_destroy(&auth->lock);
    mem_free(auth);
}

bool auth_start(struct auth *auth, struct auth *predecessor, struct error *err)
{
    if (!auth->bearer)
        return true;
    return bearer_start(auth->bearer, predecessor ? predecessor->bearer : NULL, err);
}

static void refresh_credential(struct auth *auth, struct credential *credential)
{
    const struct file_stamp now = secret_stamp(credential->file);
    struct error err = { 0 };
    struct str value;
    struct str old;

    if (file_stamp_equal(&now, &credential->stamp))
        return;
    if (!load_credential(credential, &value, &err)) {
        LOG_EVENT(LOG_WARN, "credential_unreadable", LOG_STR("error", str_from_c(err.text)));
        return;
    }
    (void)pthread_rwlock_wrlock(&auth->lock);
    old = credential->value;
    credential->value = value;
    (void)pthread_rwlock_unlock(&auth->lock);
    secret_free(old);
    LOG_EVENT(LOG_INFO, "credential_reloaded", LOG_STR("file", str_from_c(credential->file)));
}

void auth_refresh(struct auth *auth)
{
    for (size_t i = 0; i < auth->count; i++)
        refresh_credential(auth, &auth->credentials[i]);
}

/* What a request carries. */
enum holding {
    HOLDS_NONE,
    HOLDS_WRONG, /* a credential that is not accepted */
    HOLDS_RIGHT,
};

static enum holding holds(const struct credential *credential, const struct request *request)
{
    struct str value = request->header(request->connection, credential->header);

    if (!value.ptr)
        return HOLDS_NONE;
    if (credential->user) {
        struct str scheme = { value.ptr, basic_scheme.len };

        if (value.len < basic_scheme.len || !str_equal_ignore_case(scheme, basic_scheme))
            return HOLDS_NONE;
        value = str_trim(str_from(value, basic_scheme.len));
    }
    return secret_equal(value, credential->value) ? HOLDS_RIGHT : HOLDS_WRONG;
}

static enum holding holds_secret(struct auth *auth, const struct request *request)
{
    enum holding best = HOLDS_NONE;

    (void)pthread_rwlock_rdlock(&auth->lock);
    for (size_t i = 0; i < auth->count; i++) { /* compare all: the time must not tell which one */
        enum holding holding = holds(&auth->credentials[i], request);

        if (holding > best)
            best = holding;
    }
    (void)pthread_rwlock_unlock(&auth->lock);
    return best;
}

/* A 401; for a token that was not checked, a 429. */
static void refuse_request(const struct auth *auth, const struct request *request,
                           enum bearer_verdict token, struct response *response)
{
    if (token == BEARER_UNCHECKED) {
        response_refuse(response, request->arena, 429, NULL);
        response->retry_after_seconds = RETRY_AFTER_SECONDS;
        return;
    }
    response_refuse(response, request->arena, 401, NULL);
    response->www_authenticate = token == BEARER_BAD ? auth->token_challenge : auth->challenge;
}

bool auth_admit(struct auth *auth, const struct request *request, struct response *response)
{
    enum holding secret = holds_secret(auth, request);
    enum bearer_verdict token = BEARER_ABSENT;
    const char *reason = secret == HOLDS_WRONG ? "credential wrong" : "credential absent";

    if (secret == HOLDS_RIGHT)
        return true;
    if (secret == HOLDS_WRONG && auth->on_wrong)
        auth->on_wrong(auth->self);
    if (auth->bearer)
        token = bearer_check(auth->bearer, request, &reason);
    if (token == BEARER_GOOD)
        return true;
    refuse_request(auth, request, token, response);
    response->note.reason = str_from_c(reason);
    return false;
}
