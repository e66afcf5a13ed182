/*
 * outbox_place.c - see outbox_place.h.
 *
 * The lock is taken on a file of its own beside the database: closing any descriptor of the
 * database itself would drop SQLite's POSIX locks on it. Links are followed first, so that all
 * names of a database have one lock.
 */
#include "delivery/outbox_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { LOCK_POLL_US = 20000 };

/* From statfs(2) and linux/magic.h. */
static const struct {
    uint32_t magic;
    const char *name;
} refused[] = {
    { 0x6969, "NFS" },        { 0x517b, "SMB" },          { 0xfe534d42, "SMB" },
    { 0xff534d42, "CIFS" },   { 0x65735546, "FUSE" },     { 0x01021997, "9p" },
    { 0x5346414f, "AFS" },    { 0x6b414653, "AFS" },      { 0x00c36400, "Ceph" },
    { 0x73757245, "Coda" },   { 0x0bd00bd0, "Lustre" },   { 0x01161970, "GFS2" },
    { 0x7461636f, "OCFS2" },  { 0x47504653, "GPFS" },     { 0xaad7aaea, "PanFS" },
    { 0x61636673, "ACFS" },   { 0x19830326, "FhGFS" },    { 0x786f4256, "vboxsf" },
    { 0xbacbacbc, "vmhgfs" }, { 0x20030528, "OrangeFS" },
};

/* The folder of `path` in `folder`; the longest part of it that is there. */
static bool find_folder(const char *path, char folder[static PATH_MAX], struct error *err)
{
    int len = snprintf(folder, PATH_MAX, "%s", path);
    struct stat status;

    if (len >= PATH_MAX)
        return fail(err, ERR_SYSTEM, "%.100s...: the path is too long", path);
    do {
        char *slash = strrchr(folder, '/');

        if (!slash)
            (void)snprintf(folder, PATH_MAX, ".");
        else
            slash[slash == folder] = '\0';
    } while (stat(folder, &status) != 0 && errno == ENOENT && strcmp(folder, ".") != 0 &&
             strcmp(folder, "/") != 0);
    return true;
}

bool outbox_place_check(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    struct statfs status;
    struct stat file;

    if (stat(path, &file) == 0 && !S_ISREG(file.st_mode))
        return fail(err, ERR_SYSTEM, "%s: not a regular file", path);
    if (!find_folder(path, folder, err))
        return false;
    if (statfs(folder, &status) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", folder);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if ((uint32_t)status.f_type == refused[i].magic)
            return fail(err, ERR_SYSTEM,
                        "%s: a store must be on a local file system, and this is %s", path,
                        refused[i].name);
    if (access(folder, W_OK | X_OK) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", folder);
    return true;
}

bool outbox_place_make(const char *path, struct error *err)
{
    if (!file_make_parents(path, err))
        return false;

    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    (void)close(fd);
    return file_sync_parent(path, err);
}

static void pause_us(int64_t us)
{
    struct timespec left = clock_timespec(us);

    while (nanosleep(&left, &left) != 0)
        continue;
}

static bool await_lock(int fd, int64_t patience_us)
{
    int64_t until_us = clock_monotonic_us() + patience_us;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_monotonic_us() >= until_us)
            return false;
        pause_us(LOCK_POLL_US);
    }
    return true;
}

bool outbox_place_lock(const char *path, int64_t patience_us, int *fd, struct error *err)
{
    char real[PATH_MAX];
    char name[PATH_MAX];

    if (!realpath(path, real))
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);

    int len = snprintf(name, sizeof(name), "%s.lock", real);

    if (len < 0 || (size_t)len >= sizeof(name))
        return fail(err, ERR_SYSTEM, "%.100s...: the path is too long", path);

    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (lock < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", name);
    if (!await_lock(lock, patience_us)) {
        bool taken = errno == EWOULDBLOCK;
        int problem = errno;

        (void)close(lock);
        return taken ? fail(err, ERR_SYSTEM, "%s: the store is in use by another process", path)
                     : fail_errno(err, ERR_SYSTEM, problem, "%s", name);
    }
    *fd = lock;
    return true;
}
