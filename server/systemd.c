/*
 * systemd.c - see systemd.h.
 */
#include "server/systemd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/str.h"

enum { FIRST_SOCKET = 3, MAX_SOCKETS = 16, NAME_SIZE = 64, STATE_SIZE = 128 };

struct systemd {
    struct sockaddr_un address; /* of the manager; sun_family 0: none */
    socklen_t address_len;
    int64_t watchdog_us;
    size_t socket_count;
    struct {
        int fd; /* -1: taken */
        char name[NAME_SIZE];
    } sockets[MAX_SOCKETS];
};

/* A whole number from the environment; 0: there is none. */
static int64_t number_of(const char *name)
{
    int64_t value;

    return whole_number(str_from_c(secure_getenv(name)), INT64_MAX, &value) ? value : 0;
}

/* A path that begins with '@' is in the abstract namespace. */
static void find_manager(struct systemd *systemd)
{
    const char *path = secure_getenv("NOTIFY_SOCKET");
    struct str name = path ? str_from_c(path) : STR_NONE;

    if (name.len < 2 || name.len >= sizeof(systemd->address.sun_path) ||
        (name.ptr[0] != '/' && name.ptr[0] != '@'))
        return;
    systemd->address.sun_family = AF_UNIX;
    memcpy(systemd->address.sun_path, name.ptr, name.len);
    if (name.ptr[0] == '@')
        systemd->address.sun_path[0] = '\0';
    systemd->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len);
}

static void find_watchdog(struct systemd *systemd)
{
    int64_t pid = number_of("WATCHDOG_PID");

    if (pid == 0 || pid == getpid())
        systemd->watchdog_us = number_of("WATCHDOG_USEC");
}

/* LISTEN_FDNAMES has the names in the order of the sockets, separated by colons. */
static void find_sockets(struct systemd *systemd)
{
    const char *text = secure_getenv("LISTEN_FDNAMES");
    struct str names = text ? str_from_c(text) : STR_NONE;
    int64_t count = number_of("LISTEN_FDS");

    if (number_of("LISTEN_PID") != getpid())
        return;
    for (int i = 0; i < count && i < MAX_SOCKETS; i++) {
        const char *end = names.len > 0 ? memchr(names.ptr, ':', names.len) : NULL;
        struct str name = { names.ptr, end ? (size_t)(end - names.ptr) : names.len };

        names = str_from(names, name.len + 1);
        systemd->sockets[i].fd = FIRST_SOCKET + i;
        (void)snprintf(systemd->sockets[i].name, NAME_SIZE, "%.*s", STR_ARG(name));
        (void)fcntl(FIRST_SOCKET + i, F_SETFD, FD_CLOEXEC);
        (void)fcntl(FIRST_SOCKET + i, F_SETFL, O_NONBLOCK);
        systemd->socket_count++;
    }
}

struct systemd *systemd_create(void)
{
    static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
                                         "LISTEN_PID",    "LISTEN_FDS",   "LISTEN_FDNAMES" };
    struct systemd *systemd = mem_alloc(sizeof(*systemd));

    find_manager(systemd);
    find_watchdog(systemd);
    find_sockets(systemd);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        /* Hide them from child processes. NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
        (void)unsetenv(names[i]);
    return systemd;
}

void systemd_destroy(struct systemd *systemd)
{
    if (!systemd)
        return;
    for (size_t i = 0; i < systemd->socket_count; i++)
        if (systemd->sockets[i].fd >= 0)
            (void)close(systemd->sockets[i].fd);
    mem_free(systemd);
}

/* Errors are ignored: the server runs on without its manager, and never waits for it. */
void systemd_notify(const struct systemd *systemd, const char *state)
{
    struct str text = str_from_c(state);

    if (!systemd->address.sun_family)
        return;

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    (void)sendto(fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&systemd->address, systemd->address_len);
    (void)close(fd);
}

void systemd_notify_reloading(const struct systemd *systemd)
{
    char state[STATE_SIZE];

    (void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   clock_monotonic_us());
    systemd_notify(systemd, state);
}

int64_t systemd_watchdog_us(const struct systemd *systemd)
{
    return systemd->watchdog_us;
}

static int socket_option(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

static bool listens(int fd)
{
    int domain = socket_option(fd, SO_DOMAIN);

    return (domain == AF_INET || domain == AF_INET6) && socket_option(fd, SO_TYPE) == SOCK_STREAM &&
           socket_option(fd, SO_ACCEPTCONN) == 1;
}

/* Has one of the same name been taken? */
static bool is_second(const struct systemd *systemd, size_t index)
{
    for (size_t i = 0; i < systemd->socket_count; i++)
        if (systemd->sockets[i].fd < 0 && *systemd->sockets[i].name &&
            strcmp(systemd->sockets[i].name, systemd->sockets[index].name) == 0)
            return true;
    return false;
}

static bool matches(const struct systemd *systemd, size_t index, const char *name)
{
    return name ? strcmp(systemd->sockets[index].name, name) == 0 : !is_second(systemd, index);
}

bool systemd_take_socket(struct systemd *systemd, const char *name, int *out, struct error *err)
{
    for (size_t i = 0; i < systemd->socket_count; i++) {
        int fd = systemd->sockets[i].fd;

        if (fd < 0 || !matches(systemd, i, name))
            continue;
        if (!listens(fd))
            return fail(err, ERR_CONFIG,
                        "socket %d of the service manager is no listening TCP socket", fd);
        systemd->sockets[i].fd = -1;
        *out = fd;
        return true;
    }
    *out = -1;
    return true;
}

bool systemd_check_taken(const struct systemd *systemd, struct error *err)
{
    for (size_t i = 0; i < systemd->socket_count; i++)
        if (systemd->sockets[i].fd >= 0)
            return fail(err, ERR_CONFIG,
                        "socket %d of the service manager is one too many: it needs one, and one "
                        "named metrics for /metrics",
                        systemd->sockets[i].fd);
    return true;
}
