/*
 * head.c - see head.h.
 */
#include "server/http/head.h"

enum { CRLF = 2 };

/* Only pieces that lie as they should are looked at: the rest may be anywhere. */
static void expect(struct http_head *head, const char *piece)
{
    if (piece != head->next)
        head->is_broken = true;
}

void http_head_begin(struct http_head *head, const struct http_line *line)
{
    *head = (struct http_head){ .next = line->method.ptr + line->method.len + 1 };
    expect(head, line->path.ptr);
    head->next = line->path.ptr + line->target_len + 1;
    expect(head, line->version.ptr);
    head->next = line->version.ptr + line->version.len + CRLF;
}

void http_head_header(struct http_head *head, struct str name, struct str value)
{
    expect(head, name.ptr);
    if (head->is_broken)
        return;
    head->next += name.len + 1;
    while (head->next < value.ptr && (*head->next == ' ' || *head->next == '\t'))
        head->next++;
    expect(head, value.ptr);
    head->next += value.len + CRLF;
}

bool http_head_is_whole(const struct http_head *head, const struct http_line *line, size_t size)
{
    return !head->is_broken && head->next + CRLF == line->method.ptr + size;
}
