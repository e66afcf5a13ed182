/*
 * http_client.c - see http_client.h.
 */
#include "tests/unit/http_client.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

int http_client_open(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    bool connected = fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
                     connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    assert(connected);
    return connected ? fd : -1;
}

void http_client_close(int fd)
{
    (void)close(fd);
}

void http_client_reset(int fd, struct str bytes)
{
    const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

    (void)http_client_send(fd, bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    (void)close(fd);
}

bool http_client_send(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (sent < 0)
            return false;
        bytes = str_from(bytes, (size_t)sent);
    }
    return true;
}

bool http_client_send_last(int fd, struct str bytes)
{
    int cork = 1; /* so that the last bytes and the FIN leave in one packet */

    return setsockopt(fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof(cork)) == 0 &&
           http_client_send(fd, bytes) && shutdown(fd, SHUT_WR) == 0;
}

static bool readable(int fd, int patience_ms)
{
    struct pollfd event = { .fd = fd, .events = POLLIN };

    return poll(&event, 1, patience_ms) == 1;
}

static bool read_bytes(int fd, char *to, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = readable(fd, PATIENCE_MS) ? recv(fd, to + got, len - got, 0) : -1;

        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* Read byte by byte, so that the body stays in the socket. */
static bool read_head(int fd, struct http_answer *answer)
{
    size_t len = 0;

    *answer = (struct http_answer){ 0 };
    while (len < sizeof(answer->head) - 1) {
        if (!read_bytes(fd, answer->head + len, 1))
            return false;
        len++;
        if (str_ends_with((struct str){ answer->head, len }, STR("\r\n\r\n")))
            break;
    }

    struct str head = { answer->head, len };

    if (!str_starts_with(head, STR("HTTP/1.1 ")) && !str_starts_with(head, STR("HTTP/1.0 ")))
        return false;
    for (size_t i = 9; i < 12; i++)
        answer->status = answer->status * 10 + (answer->head[i] - '0');
    return true;
}

bool http_client_read_head(int fd, struct http_answer *answer)
{
    return read_head(fd, answer);
}

bool http_client_read(int fd, struct http_answer *answer)
{
    if (!read_head(fd, answer))
        return false;

    struct str length = http_answer_header(answer, "Content-Length");

    for (size_t i = 0; i < length.len; i++)
        answer->body_len = answer->body_len * 10 + (size_t)(length.ptr[i] - '0');
    if (answer->body_len > sizeof(answer->body))
        return false;
    return read_bytes(fd, answer->body, answer->body_len);
}

bool http_client_is_closed(int fd)
{
    char byte;

    return readable(fd, PATIENCE_MS) && recv(fd, &byte, 1, 0) <= 0;
}

bool http_client_is_quiet(int fd)
{
    return !readable(fd, 0);
}

struct str http_answer_header(const struct http_answer *answer, const char *name)
{
    struct str wanted = str_from_c(name);
    struct str rest = str_from_c(answer->head);

    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\r', rest.len);
        struct str line = { rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len };

        rest = str_from(rest, line.len + 2);
        if (line.len > wanted.len && line.ptr[wanted.len] == ':' &&
            str_equal_ignore_case((struct str){ line.ptr, wanted.len }, wanted))
            return str_trim(str_from(line, wanted.len + 1));
    }
    return (struct str){ NULL, 0 };
}
