/*
 * secrets.c - see secrets.h.
 *
 * A secret that several keys name with different #KEYs is asked for once for each key: that is rare
 * and keeps the list simple.
 */
#include "server/secrets.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "aws/client.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/thread.h"
#include "base/vault.h"

enum {
    PERIOD_US = 300 * US_PER_S,
    RETRY_US = 30 * US_PER_S, /* after a failure */
    EARLY_US = 30 * US_PER_S, /* between two looks because of wrong credentials */
    TIMEOUT_US = 10 * US_PER_S,
    BODY_MAX = 4096,
};

struct secrets {
    struct arena *arena;
    struct aws_session *session;
    const char **names;
    struct aws_client **clients; /* one for each name */
    size_t count;
    _Atomic int64_t early_us; /* clock_monotonic_us() from which the next early look is possible */
    bool running;
    pthread_t thread;
    pthread_mutex_t mutex; /* over the two flags below */
    pthread_cond_t wake;
    bool stopping;
    bool early;
};

static bool is_known(const struct secrets *secrets, const char *name)
{
    for (size_t i = 0; i < secrets->count; i++)
        if (strcmp(secrets->names[i], name) == 0)
            return true;
    return false;
}

/* The fourth part of an ARN: arn:aws:secretsmanager:REGION:... */
static const char *region_of(struct arena *arena, const char *arn)
{
    enum { BEFORE_REGION = 3 };
    struct str rest = str_from_c(arn);

    for (int i = 0; i < BEFORE_REGION; i++)
        (void)take_until(&rest, ':');
    return arena_copy(arena, take_until(&rest, ':')).ptr;
}

static bool add_names(struct secrets *secrets, const struct config *config, struct error *err)
{
    const struct config_secrets named = config_secrets(config);

    secrets->names = arena_alloc(secrets->arena, (named.count + 1) * sizeof(*secrets->names));
    secrets->clients = arena_alloc(secrets->arena, (named.count + 1) * sizeof(void *));
    for (size_t i = 0; i < named.count; i++) {
        const char *place = named.list[i].place;
        const struct aws_client_options options = { .service = "secrets_manager",
                                                    .region = region_of(secrets->arena, place) };

        if (!str_starts_with(str_from_c(place), STR("arn:")) || is_known(secrets, place))
            continue;
        if (!aws_client_create(secrets->session, &options, &secrets->clients[secrets->count], err))
            return false;
        secrets->names[secrets->count++] = arena_copy(secrets->arena, str_from_c(place)).ptr;
    }
    return true;
}

static bool names_any(const struct config *config)
{
    const struct config_secrets named = config_secrets(config);

    for (size_t i = 0; i < named.count; i++)
        if (str_starts_with(str_from_c(named.list[i].place), STR("arn:")))
            return true;
    return false;
}

bool secrets_create(const struct config *config, struct secrets **out, struct error *err)
{
    const struct aws_session_options options = { .region = config->aws.region,
                                                 .profile = config->aws.profile };
    struct secrets *secrets;

    *out = NULL;
    if (!names_any(config))
        return true;
    secrets = mem_alloc(sizeof(*secrets));
    secrets->arena = arena_create();
    (void)pthread_mutex_init(&secrets->mutex, NULL);
    clock_init_condition(&secrets->wake);
    if (!aws_session_create(&options, &secrets->session, err) || !add_names(secrets, config, err)) {
        secrets_destroy(secrets);
        return false;
    }
    *out = secrets;
    return true;
}

static void stop_thread(struct secrets *secrets)
{
    if (!secrets->running)
        return;
    (void)pthread_mutex_lock(&secrets->mutex);
    secrets->stopping = true;
    (void)pthread_cond_signal(&secrets->wake);
    (void)pthread_mutex_unlock(&secrets->mutex);
    for (size_t i = 0; i < secrets->count; i++)
        aws_client_interrupt(secrets->clients[i]);
    (void)pthread_join(secrets->thread, NULL);
}

void secrets_destroy(struct secrets *secrets)
{
    if (!secrets)
        return;
    stop_thread(secrets);
    for (size_t i = 0; i < secrets->count; i++)
        aws_client_destroy(secrets->clients[i]);
    aws_session_destroy(secrets->session);
    (void)pthread_cond_destroy(&secrets->wake);
    (void)pthread_mutex_destroy(&secrets->mutex);
    arena_destroy(secrets->arena);
    mem_free(secrets);
}

/* The secret in an answer: all of it, or the member of its JSON that `key` names. */
static bool take_value(struct arena *arena, struct json_object *answer, struct str key,
                       struct str *out, struct error *err)
{
    struct str text = json_find_str(answer, "SecretString");
    struct json_object *root;

    if (text.len == 0)
        return fail(err, ERR_CONFIG, "the secret has no text");
    if (key.len == 0) {
        *out = text;
        return true;
    }
    if (!json_read(text, NULL, &root, err))
        return fail(err, ERR_CONFIG, "the secret is not JSON, and #%.*s names a member of it",
                    STR_ARG(key));

    struct str value =
        json_is_object(root) ? json_find_str(root, arena_copy(arena, key).ptr) : STR("");

    *out = arena_copy(arena, value);
    json_release(root);
    return value.len > 0 ||
           fail(err, ERR_CONFIG, "the secret has no text in its member %.*s", STR_ARG(key));
}

/* Ask for one secret and put it into the vault. */
static bool secrets_ask_at(struct secrets *secrets, size_t index, struct error *err)
{
    struct str key = str_from_c(secrets->names[index]);
    struct str arn = take_until(&key, '#');
    struct arena *arena = arena_create();
    struct buf *body = arena_buf(arena, BODY_MAX);
    struct json_object *answer;
    struct aws_failure failure = { 0 };
    struct str value = STR_NONE;

    buf_add_char(body, '{');
    member_text(body, "SecretId", arn);
    buf_add_char(body, '}');

    const struct aws_call call = { .operation = "GetSecretValue",
                                   .body = buf_str(body),
                                   .deadline_us = clock_monotonic_us() + TIMEOUT_US };
    bool ok = aws_client_call(secrets->clients[index], &call, arena, &answer, &failure);

    if (!ok)
        (void)fail(err, ERR_CONFIG, "%s", failure.error.text);
    ok = ok && take_value(arena, answer, key, &value, err);
    if (ok)
        vault_put(secrets->names[index], value);
    else
        (void)fail_within(err, secrets->names[index]);
    arena_destroy(arena);
    return ok;
}

bool secrets_ask(struct secrets *secrets, const char *name, struct error *err)
{
    size_t index = 0;

    while (strcmp(secrets->names[index], name) != 0)
        index++;
    return secrets_ask_at(secrets, index, err);
}

bool secrets_load(struct secrets *secrets, struct error *err)
{
    bool all = true;

    for (size_t i = 0; i < secrets->count; i++) {
        struct error reason = { 0 };

        if (secrets_ask_at(secrets, i, &reason))
            continue;
        if (all)
            *err = reason;
        all = false;
    }
    return all;
}

/* The thread. */

static bool wait_or_stop(struct secrets *secrets, int64_t us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + us);

    while (!secrets->stopping && !secrets->early)
        if (pthread_cond_timedwait(&secrets->wake, &secrets->mutex, &at) == ETIMEDOUT)
            break;
    secrets->early = false;
    return secrets->stopping;
}

static void *ask_until_stopped(void *self)
{
    struct secrets *secrets = self;
    int64_t pause_us = PERIOD_US;

    (void)pthread_mutex_lock(&secrets->mutex);
    while (!wait_or_stop(secrets, pause_us)) {
        struct error err = { 0 };

        (void)pthread_mutex_unlock(&secrets->mutex);
        pause_us = secrets_load(secrets, &err) ? PERIOD_US : RETRY_US;
        if (pause_us == RETRY_US)
            LOG_EVENT(LOG_WARN, "secret_lookup_failed", LOG_STR("error", str_from_c(err.text)));
        (void)pthread_mutex_lock(&secrets->mutex);
    }
    (void)pthread_mutex_unlock(&secrets->mutex);
    return NULL;
}

bool secrets_start(struct secrets *secrets, struct error *err)
{
    if (!secrets)
        return true;
    secrets->running = true;
    if (thread_start(&secrets->thread, "secrets", ask_until_stopped, secrets, err))
        return true;
    secrets->running = false;
    return false;
}

void secrets_ask_soon(struct secrets *secrets)
{
    int64_t now_us = clock_monotonic_us();
    int64_t from_us = atomic_load(&secrets->early_us);

    if (now_us < from_us ||
        !atomic_compare_exchange_strong(&secrets->early_us, &from_us, now_us + EARLY_US))
        return;
    (void)pthread_mutex_lock(&secrets->mutex);
    secrets->early = true;
    (void)pthread_cond_signal(&secrets->wake);
    (void)pthread_mutex_unlock(&secrets->mutex);
}
