/*
 * control_socket.c - see control_socket.h.
 */
#include "server/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

enum { BACKLOG = 8, FOLDER_MAX = 4096 };

/* Open the store's folder, and write the socket's address in it. False: errno is set. */
static bool locate(const char *store_path, int *folder, struct sockaddr_un *address)
{
    const char *slash = strrchr(store_path, '/');
    const char *name = slash ? slash + 1 : store_path;
    char path[FOLDER_MAX];
    int len = slash ? snprintf(path, sizeof(path), "%.*s/", (int)(slash - store_path), store_path)
                    : snprintf(path, sizeof(path), ".");

    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    *folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return false;
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    len = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s.control",
                   *folder, name);
    if (len > 0 && (size_t)len < sizeof(address->sun_path))
        return true;
    (void)close(*folder);
    errno = ENAMETOOLONG;
    return false;
}

static bool bind_in(int fd, const struct sockaddr_un *address)
{
    (void)unlink(address->sun_path);

    /* No client can connect before listen(), so chmod() comes in time. */
    return bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
           chmod(address->sun_path, S_IRUSR | S_IWUSR) == 0 && listen(fd, BACKLOG) == 0;
}

bool control_socket_listen(const char *store_path, int *out, struct error *err)
{
    struct sockaddr_un address;
    CLEANUP(file_close) int folder = -1;

    if (!locate(store_path, &folder, &address))
        return fail_errno(err, ERR_SYSTEM, errno, "%s.control", store_path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "socket");
    if (!bind_in(fd, &address)) {
        (void)fail_errno(err, ERR_SYSTEM, errno, "%s.control", store_path);
        (void)close(fd);
        return false;
    }
    *out = fd;
    return true;
}

void control_socket_remove(const char *store_path)
{
    struct sockaddr_un address;
    CLEANUP(file_close) int folder = -1;

    if (locate(store_path, &folder, &address))
        (void)unlink(address.sun_path);
}

bool control_socket_connect(const char *store_path, int *out)
{
    struct sockaddr_un address;
    CLEANUP(file_close) int folder = -1;

    if (!locate(store_path, &folder, &address))
        return false;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return false;
    }
    *out = fd;
    return true;
}

int64_t control_socket_user(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? (int64_t)peer.uid : -1;
}

bool control_socket_trusts(int fd)
{
    int64_t user = control_socket_user(fd);

    return user == 0 || user == (int64_t)geteuid();
}
