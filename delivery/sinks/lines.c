/*
 * lines.c - see lines.h.
 *
 * After fdatasync(2) failed, the kernel may mark pages as clean that are not on the disk, so a
 * second fdatasync(2) proves nothing. Truncating the file and writing again makes them dirty again.
 */
#include "delivery/sinks/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { PIECE = 64 * 1024 };

void sink_lines_close(struct sink_lines *lines)
{
    if (lines->fd >= 0)
        (void)close(lines->fd);
    lines->fd = -1;
}

/*
 * O_NONBLOCK: do not wait for the reader of a pipe; only a regular file is accepted later. A file
 * that exists may be from a process that was killed before it could sync the folder.
 */
static bool open_or_create(const char *path, mode_t mode, int *fd, struct error *err)
{
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

    *fd = open(path, flags);
    if (*fd >= 0)
        return file_sync_parent(path, err);
    if (errno != ENOENT)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    if (!file_make_parents(path, err))
        return false;
    *fd = open(path, flags | O_CREAT, S_IRUSR | S_IWUSR);
    if (*fd < 0 || fchmod(*fd, mode) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    return file_sync_parent(path, err);
}

/* The end of the last whole line; 0: there is none. */
static bool find_end(int fd, uint64_t size, uint64_t *end)
{
    char piece[PIECE];

    while (size > 0) {
        size_t len = size < PIECE ? (size_t)size : PIECE;
        ssize_t count = pread(fd, piece, len, (off_t)(size - len));

        if (count < 0 && errno == EINTR)
            continue;
        if (count != (ssize_t)len)
            return false;

        const char *last = memrchr(piece, '\n', len);

        if (last) {
            *end = size - len + (uint64_t)(last - piece) + 1;
            return true;
        }
        size -= len;
    }
    *end = 0;
    return true;
}

static bool cut(int fd, uint64_t size)
{
    return ftruncate(fd, (off_t)size) == 0 && fdatasync(fd) == 0;
}

/* Check and lock the open file, and cut a torn last line. */
static bool settle(struct sink_lines *lines, const char *path, struct error *err)
{
    struct stat info;

    if (fstat(lines->fd, &info) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    if (!S_ISREG(info.st_mode))
        return fail(err, ERR_SYSTEM, "%s: not a regular file", path);
    if (flock(lines->fd, LOCK_EX | LOCK_NB) != 0)
        return fail(err, ERR_SYSTEM, "%s: another process writes to it", path);
    lines->device = info.st_dev;
    lines->inode = info.st_ino;
    lines->changed_us = (int64_t)info.st_mtim.tv_sec * US_PER_S;
    if (!find_end(lines->fd, (uint64_t)info.st_size, &lines->size))
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    lines->torn = (uint64_t)info.st_size - lines->size;
    if (lines->torn > 0 && ftruncate(lines->fd, (off_t)lines->size) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s: cannot cut its torn last line", path);

    /* Sync what a killed process left: the file may be renamed next and is not opened again. */
    return fdatasync(lines->fd) == 0 ||
           fail_errno(err, ERR_SYSTEM, errno, "%s: cannot be synced", path);
}

bool sink_lines_open(struct sink_lines *lines, const char *path, mode_t mode, struct error *err)
{
    struct sink_lines opened = { .fd = -1 };

    if (open_or_create(path, mode, &opened.fd, err) && settle(&opened, path, err)) {
        *lines = opened;
        return true;
    }
    sink_lines_close(&opened);
    return false;
}

static bool write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t count = write(fd, text.ptr, text.len);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        text = str_from(text, (size_t)count);
    }
    return true;
}

bool sink_lines_append(struct sink_lines *lines, const char *path, struct str text,
                       struct error *err)
{
    struct stat info;

    if (fstat(lines->fd, &info) != 0)
        info.st_size = (off_t)lines->size; /* the write below fails too and reports why */
    lines->size = (uint64_t)info.st_size;  /* another program may have truncated it */
    if (write_all(lines->fd, text) && fdatasync(lines->fd) == 0) {
        lines->size += text.len;
        lines->changed_us = clock_now_us();
        return true;
    }
    (void)fail_errno(err, ERR_SYSTEM, errno, "%s: cannot append", path);
    (void)cut(lines->fd, lines->size); /* if it fails, whole lines may stay: lines.h */
    sink_lines_close(lines);
    return false;
}

bool sink_lines_is_at(const struct sink_lines *lines, const char *path)
{
    struct stat info;

    return lines->fd >= 0 && stat(path, &info) == 0 && info.st_dev == lines->device &&
           info.st_ino == lines->inode;
}
