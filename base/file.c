/*
 * file.c - see file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"

enum { PIECE = 64 * 1024, SMALLEST_READ = 4 * 1024 };

void file_close(const int *fd)
{
    if (*fd > STDIN_FILENO)
        (void)close(*fd);
}

static bool open_with(const char *path, int flags, int *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

    if (fd < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    *out = fd;
    return true;
}

bool file_open(const char *path, int *out, struct error *err)
{
    return open_with(path, 0, out, err);
}

/*
 * One read(2) into `text`, repeated after EINTR. Room that is left is used first, so that the bytes
 * of a small file, which may be a secret, are never moved, which would leave a copy.
 */
static ssize_t read_piece(int fd, struct buf *text)
{
    size_t left = text->capacity - text->len;
    size_t room = left < SMALLEST_READ ? PIECE : left;
    char *to = buf_reserve(text, room);

    if (!to)
        return -1;
    for (;;) {
        ssize_t count = read(fd, to, room);

        if (count >= 0 || errno != EINTR)
            return count;
    }
}

static bool read_all(int fd, const char *path, size_t max, struct str *out, struct error *err)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, max + PIECE + 1);
    for (;;) {
        ssize_t count = read_piece(fd, &text);

        if (count < 0)
            return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
        if (count == 0)
            break;
        text.len += (size_t)count;
        if (text.len > max)
            return fail(err, ERR_CONFIG, "%s: more than %zu bytes", path, max);
    }
    buf_add_char(&text, '\0');
    *out = (struct str){ text.ptr, text.len - 1 };
    text = (struct buf){ 0 }; /* the caller owns the bytes */
    return true;
}

bool file_read(const char *path, size_t max, struct str *out, struct error *err)
{
    CLEANUP(file_close) int fd = STDIN_FILENO;

    return (strcmp(path, "-") == 0 || file_open(path, &fd, err)) &&
           read_all(fd, path, max, out, err);
}

bool file_read_regular(const char *path, size_t max, struct str *out, struct error *err)
{
    CLEANUP(file_close) int fd = -1;
    struct stat status;

    if (strcmp(path, "-") == 0)
        return file_read(path, max, out, err);
    if (!open_with(path, O_NONBLOCK | O_NOCTTY, &fd,
                   err)) /* O_NONBLOCK: open a pipe without waiting */
        return false;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return fail(err, ERR_CONFIG, "%s: not a regular file", path);
    return read_all(fd, path, max, out, err);
}

/* Copy the first `len` bytes of `path`. */
static bool take_prefix(const char *path, size_t len, char prefix[static PATH_MAX],
                        struct error *err)
{
    if (len >= PATH_MAX)
        return fail(err, ERR_SYSTEM, "%.100s...: the path is too long", path);
    memcpy(prefix, path, len);
    prefix[len] = '\0';
    return true;
}

bool file_make_parents(const char *path, struct error *err)
{
    const char *slash = path[0] ? strchr(path + 1, '/') : NULL;

    for (; slash; slash = strchr(slash + 1, '/')) {
        char folder[PATH_MAX];

        if (!take_prefix(path, (size_t)(slash - path), folder, err))
            return false;
        if (mkdir(folder, S_IRWXU) == 0) {
            if (!file_sync_parent(folder, err))
                return false;
        } else if (errno != EEXIST) {
            return fail_errno(err, ERR_SYSTEM, errno, "%s", folder);
        }
    }
    return true;
}

/* The folder of `path`, or the nearest one above it that exists. */
static bool nearest_folder(const char *path, char folder[static PATH_MAX], struct error *err)
{
    struct stat info;
    size_t len = strlen(path);

    do {
        while (len > 0 && path[len - 1] != '/')
            len--;
        while (len > 1 && path[len - 1] == '/')
            len--;
        if (len == 0)
            (void)snprintf(folder, PATH_MAX, ".");
        else if (!take_prefix(path, len, folder, err))
            return false;
    } while (stat(folder, &info) != 0 && errno == ENOENT && len > 1);
    return true;
}

bool file_can_make(const char *path, struct error *err)
{
    char folder[PATH_MAX];

    if (!nearest_folder(path, folder, err))
        return false;
    return access(folder, W_OK | X_OK) == 0 || fail_errno(err, ERR_SYSTEM, errno, "%s", folder);
}

bool file_free_bytes(const char *path, uint64_t *bytes, struct error *err)
{
    char folder[PATH_MAX];
    struct statvfs status;

    if (!nearest_folder(path, folder, err))
        return false;
    if (statvfs(folder, &status) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", folder);
    *bytes = (uint64_t)status.f_bavail * status.f_frsize;
    if (status.f_files > 0 && status.f_favail == 0)
        *bytes = 0;
    return true;
}

bool file_sync_parent(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    CLEANUP(file_close) int fd = -1;

    if (slash && !take_prefix(path, slash == path ? 1 : (size_t)(slash - path), folder, err))
        return false;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", folder);
    return true;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t count = write(fd, bytes.ptr, bytes.len);

        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            bytes = (struct str){ bytes.ptr + count, bytes.len - (size_t)count };
    }
    return true;
}

static bool write_synced(const char *path, struct str bytes)
{
    CLEANUP(file_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);

    return fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;
}

bool file_replace(const char *path, struct str bytes, struct error *err)
{
    char draft[PATH_MAX];
    int len = snprintf(draft, sizeof(draft), "%s.new", path);

    if (len < 0 || (size_t)len >= sizeof(draft))
        return fail(err, ERR_SYSTEM, "%.100s...: the path is too long", path);
    if (!write_synced(draft, bytes) || rename(draft, path) != 0) {
        (void)fail_errno(err, ERR_SYSTEM, errno, "%s", path);
        (void)unlink(draft);
        return false;
    }
    return file_sync_parent(path, err);
}
