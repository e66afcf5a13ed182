/*
 * location.c - see location.h.
 *
 * There are two locks. The one on the database's own inode is the safe one: it cannot be removed,
 * and each commit checks that the database still has its name. Closing any descriptor of the
 * database drops SQLite's POSIX locks on it, so this descriptor stays open as long as the store.
 * The lock on a file beside it is taken first: a process that finds it taken never opens the
 * database, and a database that was removed under a running server is not replaced by a new one.
 * Links are followed first, so that all names of a database have the same locks.
 */
#include "delivery/outbox/location.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { LOCK_POLL_US = 20 * US_PER_MS };

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

/* They keep files, but not for long. */
static const struct {
    uint32_t magic;
    const char *loss;
} fleeting[] = {
    { 0x01021994, "tmpfs, which is empty after a restart of the machine" },
    { 0x858458f6, "ramfs, which is empty after a restart of the machine" },
    { 0x794c7630, "overlay, the layer of a container, which is removed with it" },
};

/* Copy to `folder` the longest part of `path` that is an existing folder. */
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

bool location_check(const char *path, struct error *err)
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

const char *location_loss(const char *path)
{
    char folder[PATH_MAX];
    struct statfs status;
    struct error err;

    if (!find_folder(path, folder, &err) || statfs(folder, &status) != 0)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(fleeting); i++)
        if ((uint32_t)status.f_type == fleeting[i].magic)
            return fleeting[i].loss;
    return NULL;
}

/* Lock an open file, waiting until `until_us`; the descriptor is closed on failure. */
static bool lock_file(const char *path, int fd, int64_t until_us, struct error *err)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int problem = errno;

        if ((problem == EWOULDBLOCK || problem == EINTR) && clock_monotonic_us() < until_us) {
            clock_sleep(LOCK_POLL_US);
            continue;
        }
        (void)close(fd);
        return problem == EWOULDBLOCK
                   ? fail(err, ERR_SYSTEM, "%s: the store is in use by another process", path)
                   : fail_errno(err, ERR_SYSTEM, problem, "%s", path);
    }
    return true;
}

static bool open_locked(const char *path, int64_t until_us, int *out, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    if (!lock_file(path, fd, until_us, err))
        return false;
    *out = fd;
    return true;
}

/* `path` and what follows it. */
static bool append(const char *path, const char *rest, char out[static PATH_MAX], struct error *err)
{
    int len = snprintf(out, PATH_MAX, "%s%s", path, rest);

    return (len > 0 && len < PATH_MAX) ||
           fail(err, ERR_SYSTEM, "%.100s...: the path is too long", path);
}

/* The database's path without links; if there is no database, its folder's path without links. */
static bool find_real(const char *path, char real[static PATH_MAX], struct error *err)
{
    char folder[PATH_MAX];
    char real_folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (realpath(path, real))
        return true;
    if (errno != ENOENT)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    if (snprintf(folder, sizeof(folder), "%.*s/.", (int)(name - path), path) >= PATH_MAX ||
        !realpath(slash ? folder : ".", real_folder))
        return append(path, "", real, err);
    return append(real_folder, "/", folder, err) && append(folder, name, real, err);
}

static int64_t file_size(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

bool location_check_log(const char *path, struct error *err)
{
    char log[PATH_MAX];
    char real[PATH_MAX];

    if (!find_real(path, real, err) || !append(real, "-wal", log, err))
        return false;
    return file_size(real) > 0 || file_size(log) == 0 ||
           fail(err, ERR_SYSTEM,
                "%s: the database is missing or empty, but its write-ahead log %s may hold "
                "acknowledged events: put the database back beside it; or, to begin with an empty "
                "store, move the log away",
                path, log);
}

/* Is the locked file still at `path`? */
static bool is_same_file(const char *path, int fd, struct error *err)
{
    struct stat named;
    struct stat locked;

    if (stat(path, &named) != 0 || fstat(fd, &locked) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    return (named.st_dev == locked.st_dev && named.st_ino == locked.st_ino) ||
           fail(err, ERR_SYSTEM, "%s: replaced by another file while it was opened", path);
}

/* A lock that is free is taken for a moment; a server that starts then waits for it. */
static bool is_file_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;

    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    (void)close(fd);
    return locked;
}

bool location_is_locked(const char *path)
{
    char real[PATH_MAX];
    char lock[PATH_MAX];
    struct error err;

    return find_real(path, real, &err) && append(real, ".lock", lock, &err) &&
           (is_file_locked(lock) || is_file_locked(real));
}

static bool take_locks(const char *path, int64_t until_us, struct location *place,
                       struct error *err)
{
    char *real = place->path;
    char lock[PATH_MAX];

    return file_make_parents(path, err) && find_real(path, real, err) &&
           append(real, ".lock", lock, err) && open_locked(lock, until_us, &place->beside, err) &&
           location_check_log(path, err) && open_locked(real, until_us, &place->own, err) &&
           is_same_file(path, place->own, err) && file_sync_parent(real, err);
}

bool location_lock(const char *path, int64_t patience_us, struct location *out, struct error *err)
{
    struct location place = { .beside = -1, .own = -1 };

    if (!take_locks(path, clock_monotonic_us() + patience_us, &place, err)) {
        location_unlock(&place);
        return false;
    }
    *out = place;
    return true;
}

void location_unlock(struct location *place)
{
    if (place->own >= 0)
        (void)close(place->own);
    if (place->beside >= 0)
        (void)close(place->beside);
    *place = (struct location){ .beside = -1, .own = -1 };
}
