/*
 * console_tokens.h - the tokens of links to the console: `sluice console` gets one over the control
 * socket, a browser shows it to the admin address.
 *
 * Only digests are kept, in memory. The oldest token is forgotten when there are too many.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct console_tokens;

enum {
    CONSOLE_TOKEN_HOURS = 12,
    CONSOLE_TOKEN_LEN = 64, /* characters */
    CONSOLE_TOKENS_MAX = 32,
    CONSOLE_COOKIE_SIZE = 32,
};

/** The caller owns it. */
struct console_tokens *console_tokens_create(void);

/** NULL is fine. */
void console_tokens_destroy(struct console_tokens *tokens);

/** Make a token; `now_us` is clock_monotonic_us(). */
void console_tokens_add(struct console_tokens *tokens, int64_t now_us,
                        char text[static CONSOLE_TOKEN_LEN + 1]);

/** Is it one of the tokens, and not too old? */
bool console_tokens_accept(struct console_tokens *tokens, int64_t now_us, struct str text);

/**
 * The name of the cookie that keeps a token in a browser. It is another one for each server,
 * because browsers send cookies to all ports of a host.
 */
const char *console_tokens_cookie(const struct console_tokens *tokens);
