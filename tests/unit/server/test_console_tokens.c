/*
 * test_console_tokens.c - claims about server/console_tokens.h.
 */
#include "server/console_tokens.h"

#include <string.h>

#include "base/clock.h"
#include "tests/unit/test.h"

static const int64_t hour_us = INT64_C(3600) * US_PER_S;

static void a_token_is_accepted_for_twelve_hours(void)
{
    struct console_tokens *tokens = console_tokens_create();
    char text[CONSOLE_TOKEN_LEN + 1];
    struct str token = { text, CONSOLE_TOKEN_LEN };

    console_tokens_add(tokens, hour_us, text);
    CHECK_INT((int64_t)strlen(text), CONSOLE_TOKEN_LEN);
    CHECK(console_tokens_accept(tokens, hour_us, token));
    CHECK(console_tokens_accept(tokens, 13 * hour_us - 1, token));
    CHECK(!console_tokens_accept(tokens, 13 * hour_us, token));
    text[0] = text[0] == '0' ? '1' : '0';
    CHECK(!console_tokens_accept(tokens, hour_us, token));
    token.len--;
    CHECK(!console_tokens_accept(tokens, hour_us, token));
    CHECK(!console_tokens_accept(tokens, hour_us, STR_NONE));
    console_tokens_destroy(tokens);
}

static void the_oldest_token_is_forgotten(void)
{
    struct console_tokens *tokens = console_tokens_create();
    char first[CONSOLE_TOKEN_LEN + 1];
    char second[CONSOLE_TOKEN_LEN + 1];
    char more[CONSOLE_TOKEN_LEN + 1];

    console_tokens_add(tokens, 1, first);
    console_tokens_add(tokens, 1, second);
    for (size_t i = 0; i < CONSOLE_TOKENS_MAX - 1; i++)
        console_tokens_add(tokens, 1, more);
    CHECK(!console_tokens_accept(tokens, 2, str_from_c(first)));
    CHECK(console_tokens_accept(tokens, 2, str_from_c(second)));
    CHECK(console_tokens_accept(tokens, 2, str_from_c(more)));
    console_tokens_destroy(tokens);
    console_tokens_destroy(NULL);
}

static void each_server_has_a_cookie_of_its_own(void)
{
    struct console_tokens *a = console_tokens_create();
    struct console_tokens *b = console_tokens_create();

    CHECK(strcmp(console_tokens_cookie(a), console_tokens_cookie(b)) != 0);
    CHECK(str_starts_with(str_from_c(console_tokens_cookie(a)), STR("sluice_console_")));
    console_tokens_destroy(a);
    console_tokens_destroy(b);
}

int main(void)
{
    RUN(a_token_is_accepted_for_twelve_hours);
    RUN(the_oldest_token_is_forgotten);
    RUN(each_server_has_a_cookie_of_its_own);
    return test_end();
}
