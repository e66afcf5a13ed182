/*
 * handler.c - see handler.h.
 */
#include "handlers/handler.h"

#include "base/attr.h"
#include "base/flat.h"
#include "base/member.h"

enum { BODY_MAX = 64 * 1024 };

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    { 200, "OK" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 411, "Length Required" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
};

const char *response_reason(int status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

void response_refuse(struct response *response, struct arena *arena, int status,
                     const char *details)
{
    struct buf *body = arena_buf(arena, BODY_MAX);

    buf_add_char(body, '{');
    member_text(body, "error", str_from_c(response_reason(status)));
    if (details)
        member_text(body, "details", str_from_c(details));
    buf_add_char(body, '}');
    response->status = status;
    response->body = buf_str(body);
}
