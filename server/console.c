/*
 * console.c - see console.h.
 */
#include "server/console.h"

#include "base/embed.h"
#include "base/memory.h"

EMBED(console_index, "server/console/index.html");
EMBED(console_style, "server/console/style.css");
EMBED(console_app, "server/console/app.js");
EMBED(console_pages, "server/console/pages.js");
EMBED(console_refused, "server/console/refused.js");
EMBED(console_event, "server/console/event.js");
EMBED(console_diff, "server/console/diff.js");
EMBED(console_plot, "server/console/plot.js");
EMBED(console_dom, "server/console/dom.js");
EMBED(console_api, "server/console/api.js");

enum { HEADERS_MAX = 20 };

static const char html[] = "text/html; charset=utf-8";
static const char css[] = "text/css; charset=utf-8";
static const char script[] = "text/javascript; charset=utf-8";

/* The page loads nothing from elsewhere, has no script and no style of its own, and is in no frame.
 */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char *const headers[] = {
    "Content-Security-Policy",
    policy,
    "X-Content-Type-Options",
    "nosniff",
    "X-Frame-Options",
    "DENY",
    "Referrer-Policy",
    "no-referrer",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    "Cache-Control",
    "no-store",
    NULL,
};

struct file {
    const char *path;
    const char *type;
    struct str text;
};

struct served_file {
    const struct console *console;
    struct file file;
};

struct console {
    const struct admin_guard *guard;
    const struct console_tokens *tokens;
    struct served_file files[CONSOLE_HANDLERS];
};

static bool admit_file(void *self, const struct request *request, struct response *response)
{
    const struct served_file *served = self;

    response->headers = headers;
    return admin_guard_admit(served->console->guard, request, ADMIN_OPENS, response);
}

/* All headers, and the cookie for the token in the request's query. */
static const char *const *headers_with_cookie(const struct console *console,
                                              const struct request *request, struct str token)
{
    const char **list = arena_alloc(request->arena, HEADERS_MAX * sizeof(*list));
    size_t count = 0;

    while (headers[count]) {
        list[count] = headers[count];
        count++;
    }
    list[count++] = "Set-Cookie";
    list[count++] =
        arena_printf(request->arena, "%s=%.*s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d",
                     console_tokens_cookie(console->tokens), STR_ARG(token),
                     CONSOLE_TOKEN_HOURS * 3600)
            .ptr;
    list[count] = NULL;
    return list;
}

static enum handler_step answer_file(void *self, struct request *request, struct response *response)
{
    const struct served_file *served = self;
    const struct console *console = served->console;
    struct str token = admin_guard_token(console->guard, request);

    response->status = 200;
    response->body = served->file.text;
    response->content_type = served->file.type;
    response->headers = token.ptr ? headers_with_cookie(console, request, token) : headers;
    return HANDLER_DONE;
}

struct console *console_create(const struct admin_guard *guard, const struct console_tokens *tokens)
{
    const struct file files[CONSOLE_HANDLERS] = {
        { "/console", html, EMBEDDED(console_index) },
        { "/console/style.css", css, EMBEDDED(console_style) },
        { "/console/app.js", script, EMBEDDED(console_app) },
        { "/console/pages.js", script, EMBEDDED(console_pages) },
        { "/console/refused.js", script, EMBEDDED(console_refused) },
        { "/console/event.js", script, EMBEDDED(console_event) },
        { "/console/diff.js", script, EMBEDDED(console_diff) },
        { "/console/plot.js", script, EMBEDDED(console_plot) },
        { "/console/dom.js", script, EMBEDDED(console_dom) },
        { "/console/api.js", script, EMBEDDED(console_api) },
    };
    struct console *console = mem_alloc(sizeof(*console));

    console->guard = guard;
    console->tokens = tokens;
    for (size_t i = 0; i < CONSOLE_HANDLERS; i++)
        console->files[i] = (struct served_file){ console, files[i] };
    return console;
}

void console_destroy(struct console *console)
{
    mem_free(console);
}

void console_handlers(struct console *console, struct handler out[static CONSOLE_HANDLERS])
{
    for (size_t i = 0; i < CONSOLE_HANDLERS; i++)
        out[i] = (struct handler){
            .path = console->files[i].file.path,
            .method = HANDLER_GET,
            .takes_query = true,
            .is_quiet = true,
            .admit = admit_file,
            .handle = answer_file,
            .self = &console->files[i],
        };
}
