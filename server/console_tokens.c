/*
 * console_tokens.c - see console_tokens.h.
 */
#include "server/console_tokens.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"

enum { TOKEN_BYTES = CONSOLE_TOKEN_LEN / 2, NAME_BYTES = 4 };

static const int64_t lifetime_us = CONSOLE_TOKEN_HOURS * INT64_C(3600) * US_PER_S;

struct console_token {
    uint8_t digest[SECRET_DIGEST_SIZE];
    int64_t end_us; /* 0: there is none */
};

struct console_tokens {
    char cookie[CONSOLE_COOKIE_SIZE];
    pthread_mutex_t mutex; /* guards what follows */
    struct console_token list[CONSOLE_TOKENS_MAX];
    size_t next; /* the place of the next one */
};

/* At most 256 bytes come complete and without interruption, getrandom(2). */
static void draw_hex(size_t count, char *text)
{
    uint8_t bytes[TOKEN_BYTES];
    bool whole = getrandom(bytes, count, 0) == (ssize_t)count;

    assert(whole);
    (void)whole;
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    secret_wipe(bytes, sizeof(bytes));
}

struct console_tokens *console_tokens_create(void)
{
    struct console_tokens *tokens = mem_alloc(sizeof(*tokens));
    char name[2 * NAME_BYTES + 1];

    (void)pthread_mutex_init(&tokens->mutex, NULL);
    draw_hex(NAME_BYTES, name);
    (void)snprintf(tokens->cookie, sizeof(tokens->cookie), "sluice_console_%s", name);
    return tokens;
}

void console_tokens_destroy(struct console_tokens *tokens)
{
    if (!tokens)
        return;
    (void)pthread_mutex_destroy(&tokens->mutex);
    mem_free(tokens);
}

void console_tokens_add(struct console_tokens *tokens, int64_t now_us,
                        char text[static CONSOLE_TOKEN_LEN + 1])
{
    struct console_token token = { .end_us = now_us + lifetime_us };

    draw_hex(TOKEN_BYTES, text);
    secret_digest((struct str){ text, CONSOLE_TOKEN_LEN }, token.digest);
    (void)pthread_mutex_lock(&tokens->mutex);
    tokens->list[tokens->next] = token;
    tokens->next = (tokens->next + 1) % CONSOLE_TOKENS_MAX;
    (void)pthread_mutex_unlock(&tokens->mutex);
}

/* Digests are compared, so the time of a comparison does not depend on how much of a token is
 * right. */
bool console_tokens_accept(struct console_tokens *tokens, int64_t now_us, struct str text)
{
    uint8_t digest[SECRET_DIGEST_SIZE];
    bool accepted = false;

    if (text.len != CONSOLE_TOKEN_LEN)
        return false;
    secret_digest(text, digest);
    (void)pthread_mutex_lock(&tokens->mutex);
    for (size_t i = 0; i < CONSOLE_TOKENS_MAX; i++)
        accepted = accepted || (tokens->list[i].end_us > now_us &&
                                memcmp(tokens->list[i].digest, digest, sizeof(digest)) == 0);
    (void)pthread_mutex_unlock(&tokens->mutex);
    return accepted;
}

const char *console_tokens_cookie(const struct console_tokens *tokens)
{
    return tokens->cookie;
}
