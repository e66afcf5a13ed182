/*
 * admin_guard.c - see admin_guard.h.
 */
#include "server/admin_guard.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"

enum { HOST_MAX = 256 };

static const char challenge[] = "Bearer realm=\"sluice\"";

struct admin_guard {
    struct admin_guard_options options;
};

struct admin_guard *admin_guard_create(const struct admin_guard_options *options)
{
    struct admin_guard *guard = mem_alloc(sizeof(*guard));

    guard->options = *options;
    return guard;
}

void admin_guard_destroy(struct admin_guard *guard)
{
    mem_free(guard);
}

static struct str header_of(const struct request *request, const char *name)
{
    return request->header(request->connection, name);
}

/* Host. */

/* Without the port, and without the brackets of an IPv6 address. */
static struct str name_of(struct str host)
{
    const char *end = host.len ? memrchr(host.ptr, ':', host.len) : NULL;
    const char *bracket = host.len ? memrchr(host.ptr, ']', host.len) : NULL;

    if (end && (!bracket || end > bracket))
        host.len = (size_t)(end - host.ptr);
    if (str_starts_with(host, STR("[")) && str_ends_with(host, STR("]")))
        host = (struct str){ host.ptr + 1, host.len - 2 };
    return host;
}

static bool is_address(struct str name)
{
    char text[HOST_MAX];
    struct in6_addr address;

    if (name.len >= sizeof(text))
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* Listening on all addresses, any of them is ours; a page can be given a name, not an address. */
static bool is_own_host(const struct admin_guard *guard, struct str host)
{
    static const struct str loopback[] = { STR_INIT("localhost"), STR_INIT("127.0.0.1"),
                                           STR_INIT("::1") };
    const struct admin_guard_options *options = &guard->options;
    struct str own = str_from_c(options->host);
    struct str name = name_of(host);

    if (name.len == 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(loopback); i++)
        if (str_equal_ignore_case(name, loopback[i]))
            return true;
    for (size_t i = 0; i < options->host_count; i++)
        if (str_equal_ignore_case(name, name_of(str_from_c(options->hosts[i]))))
            return true;
    if (str_equal(own, STR("0.0.0.0")) || str_equal(own, STR("::")))
        return is_address(name);
    return str_equal_ignore_case(name, own);
}

/* Origin. */

static bool is_same_origin(struct str origin, struct str host)
{
    static const struct str schemes[] = { STR_INIT("http://"), STR_INIT("https://") };

    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (str_starts_with(origin, schemes[i]) &&
            str_equal_ignore_case(str_from(origin, schemes[i].len), host))
            return true;
    return false;
}

static bool is_foreign(const struct request *request, enum admin_guard_act act)
{
    struct str origin = header_of(request, "Origin");
    struct str site = header_of(request, "Sec-Fetch-Site");
    bool opens =
        act == ADMIN_OPENS && str_equal(header_of(request, "Sec-Fetch-Mode"), STR("navigate"));

    if (origin.ptr && !is_same_origin(origin, header_of(request, "Host")))
        return true;
    return site.ptr && !opens && !str_equal(site, STR("same-origin")) &&
           !str_equal(site, STR("none"));
}

/* Tokens: in the link's query, in the cookie that it sets, or as a bearer token. */

static bool is_token(const struct admin_guard *guard, struct str text)
{
    return console_tokens_accept(guard->options.tokens, clock_monotonic_us(), text);
}

struct str admin_guard_token(const struct admin_guard *guard, const struct request *request)
{
    static const struct str name = STR_INIT("token=");
    struct str token = str_from(request->query, name.len);

    return str_starts_with(request->query, name) && is_token(guard, token) ? token : STR_NONE;
}

static struct str cookie_of(const struct admin_guard *guard, struct str cookies)
{
    struct str name = str_from_c(console_tokens_cookie(guard->options.tokens));

    while (cookies.len > 0) {
        struct str cookie = str_trim(take_until(&cookies, ';'));

        if (str_starts_with(cookie, name) && cookie.len > name.len && cookie.ptr[name.len] == '=')
            return str_from(cookie, name.len + 1);
    }
    return STR_NONE;
}

static bool has_token(const struct admin_guard *guard, const struct request *request)
{
    static const struct str scheme = STR_INIT("Bearer ");
    struct str header = header_of(request, "Authorization");

    return is_token(guard, cookie_of(guard, header_of(request, "Cookie"))) ||
           (header.len > scheme.len &&
            str_equal_ignore_case((struct str){ header.ptr, scheme.len }, scheme) &&
            is_token(guard, str_trim(str_from(header, scheme.len))));
}

struct str admin_guard_proof(const struct admin_guard *guard, const struct request *request)
{
    return has_token(guard, request) ? STR("token") : STR("credential");
}

static bool has_proof(const struct admin_guard *guard, const struct request *request,
                      enum admin_guard_act act, struct response *response)
{
    if (has_token(guard, request) || (act == ADMIN_OPENS && admin_guard_token(guard, request).ptr))
        return true;
    if (guard->options.auth)
        return auth_admit(guard->options.auth, request, response);
    response_refuse(response, request->arena, 401, NULL);
    response->www_authenticate = challenge;
    response->note.reason = STR("credential absent");
    return false;
}

static bool forbid(const struct request *request, int status, const char *reason,
                   struct response *response)
{
    response_refuse(response, request->arena, status, reason);
    response->note.reason = str_from_c(reason);
    return false;
}

static bool has_body(const struct request *request)
{
    struct str length = header_of(request, "Content-Length");

    return header_of(request, "Transfer-Encoding").ptr ||
           (length.ptr && !str_equal(length, STR("0")));
}

bool admin_guard_admit(const struct admin_guard *guard, const struct request *request,
                       enum admin_guard_act act, struct response *response)
{
    if (!is_own_host(guard, header_of(request, "Host")))
        return forbid(request, 403, "Host names another server: see admin.hosts", response);
    if (is_foreign(request, act))
        return forbid(request, 403, "a request of another origin", response);
    if (!has_proof(guard, request, act, response))
        return false;
    if (act == ADMIN_CHANGES && !str_equal(header_of(request, "X-Sluice-Console"), STR("1")))
        return forbid(request, 403, "the header X-Sluice-Console: 1 is missing", response);
    if (!str_equal(request->method, STR("POST")) && has_body(request))
        return forbid(request, 400, "a body where none belongs", response);
    return true;
}
