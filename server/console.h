/*
 * console.h - the files of the console, a page of the admin address; they are part of the program.
 *
 * The page is opened with a credential of `admin`, or with the link of `sluice console`, whose
 * token becomes a cookie. It uses the API (api.h) and nothing else.
 *
 * Threads: created and destroyed by one thread; the handlers run on the admin address's loop.
 */
#pragma once

#include "handlers/handler.h"
#include "server/admin_guard.h"
#include "server/console_tokens.h"

struct console;

/** Both are borrowed. The caller owns it. */
struct console *console_create(const struct admin_guard *guard,
                               const struct console_tokens *tokens);

/** NULL is fine. */
void console_destroy(struct console *console);

enum { CONSOLE_HANDLERS = 10 };

void console_handlers(struct console *console, struct handler out[static CONSOLE_HANDLERS]);
