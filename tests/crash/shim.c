/*
 * shim.c - see shim.h. The C library's calls, seen from the server and from libsqlite3.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/shim.h"

enum { FILES = 4096, SECTOR = 512 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shim_file files[FILES]; /* by descriptor */
static struct shim_control *control;
static const char *store;
static const char *sink;

/* Before main(), when there is one thread. */
__attribute__((constructor)) static void begin(void)
{
    const char *block = getenv("SHIM_CONTROL"); /* NOLINT(concurrency-mt-unsafe) */
    const char *folder = getenv("SHIM_DIR");    /* NOLINT(concurrency-mt-unsafe) */
    int fd = block ? (int)syscall(SYS_openat, AT_FDCWD, block, O_RDWR | O_CLOEXEC, 0) : -1;

    store = getenv("SHIM_STORE"); /* NOLINT(concurrency-mt-unsafe) */
    sink = getenv("SHIM_SINK");   /* NOLINT(concurrency-mt-unsafe) */
    if (fd < 0 || !folder || !store || !sink)
        abort();
    control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED)
        abort();
    (void)syscall(SYS_close, fd);
    shim_disk_init(folder);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Is it the folder that holds `path`? */
static bool holds(const char *folder, const char *path)
{
    size_t len = strlen(folder);

    return strncmp(folder, path, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static enum shim_kind kind_of(const char *path)
{
    if (!control)
        return SHIM_NONE;
    if (strncmp(path, sink, strlen(sink)) == 0)
        return SHIM_SINK;
    if (strncmp(path, store, strlen(store)) == 0) {
        if (ends_with(path, "-wal"))
            return SHIM_LOG;
        if (ends_with(path, "-shm"))
            return SHIM_INDEX;
        return ends_with(path, ".lock") || ends_with(path, ".ballast") ? SHIM_NONE : SHIM_DATABASE;
    }
    return holds(path, store) || holds(path, sink) ? SHIM_FOLDER : SHIM_NONE;
}

static bool keeps_image(enum shim_kind kind)
{
    return kind == SHIM_DATABASE || kind == SHIM_LOG || kind == SHIM_SINK;
}

/* Locked: the watched file behind a descriptor, or NULL. */
static struct shim_file *find(int fd)
{
    return fd >= 0 && fd < FILES && files[fd].kind != SHIM_NONE ? &files[fd] : NULL;
}

/* Locked: is this call to fail, and how? */
static int fault(enum shim_kind kind, enum shim_call call)
{
    struct shim_fault *fault = &control->faults[kind][call];

    if (fault->error == 0 || fault->count == 0)
        return 0;
    if (fault->skip > 0) {
        fault->skip--;
        return 0;
    }
    if (fault->count > 0)
        fault->count--;
    fault->hits++;
    return fault->error;
}

static void die(void)
{
    (void)syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

static ssize_t put(int fd, const void *from, size_t len, off_t offset)
{
    ssize_t count = syscall(SYS_pwrite64, fd, from, len, offset);

    return count;
}

/* A random number of whole sectors, fewer than `len` bytes. */
static size_t part_of(size_t len)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (size_t)now.tv_nsec / 64 % (len / SECTOR + 1) * SECTOR;
}

/* Locked. pwrite(2) does append to a file opened with O_APPEND, which is what is wanted. */
static ssize_t write_watched(const struct shim_file *file, int fd, const void *from, size_t len,
                             off_t offset)
{
    int error = fault(file->kind, SHIM_WRITE);

    if (error == SHIM_DIE) {
        len = part_of(len);
        shim_disk_dirty(file, fd, offset, len);
        (void)put(fd, from, len, offset);
        die();
    }
    if (error == ENOSPC && len >= 2 * (size_t)SECTOR) {
        error = 0; /* what still fits is written */
        len = len / 2 / SECTOR * SECTOR;
    }
    if (error > 0) {
        errno = error;
        return -1;
    }
    shim_disk_dirty(file, fd, offset, len);
    return put(fd, from, len, offset);
}

static int sync_watched(const struct shim_file *file, int fd)
{
    int error = fault(file->kind, SHIM_SYNC);

    if (error == SHIM_LIE)
        return 0;
    if (error == SHIM_DIE)
        die();
    if (file->kind == SHIM_FOLDER && error == 0)
        shim_disk_folder_synced(file->path);
    else
        shim_disk_synced(file, fd, error == 0);
    if (error == 0)
        return 0; /* the images are all that counts: no real sync is needed */
    errno = error;
    return -1;
}

static int open_watched(enum shim_kind kind, const char *path, int flags, mode_t mode)
{
    bool fresh = (flags & O_CREAT) && access(path, F_OK) != 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);

    if (fd < 0 || fd >= FILES)
        return fd;

    struct shim_file *file = &files[fd];

    *file = (struct shim_file){ .kind = kind, .image = -1, .state = -1 };
    (void)snprintf(file->path, sizeof(file->path), "%s", path);
    if (keeps_image(kind))
        shim_disk_open(file, fd, fresh);
    if (fresh && keeps_image(kind))
        shim_disk_name_made(path);
    return fd;
}

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    enum shim_kind kind = path[0] == '/' ? kind_of(path) : SHIM_NONE;
    int fd;

    if (kind == SHIM_NONE)
        return (int)syscall(SYS_openat, at, path, flags, mode);
    (void)pthread_mutex_lock(&lock);
    fd = open_watched(kind, path, flags, mode);
    (void)pthread_mutex_unlock(&lock);
    return fd;
}

/* The C library's own names for parameters are not for us. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && clock == CLOCK_REALTIME && control)
        now->tv_sec += control->ahead_s;
    return result;
}

#define MODE_OF(flags, mode)                                                                       \
    do {                                                                                           \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        (mode) = (flags) & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                       \
        va_end(rest);                                                                              \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode;

    MODE_OF(flags, mode);
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode;

    MODE_OF(flags, mode);
    return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    mode_t mode;

    MODE_OF(flags, mode);
    return open_any(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    mode_t mode;

    MODE_OF(flags, mode);
    return open_any(at, path, flags, mode);
}

/* What calls with _FORTIFY_SOURCE become. */
/* NOLINTBEGIN(readability-identifier-naming) */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

/* NOLINTEND(readability-identifier-naming) */

int close(int fd)
{
    (void)pthread_mutex_lock(&lock);

    struct shim_file *file = find(fd);

    if (file && file->image >= 0) {
        (void)syscall(SYS_close, file->image);
        (void)syscall(SYS_close, file->state);
    }
    if (file)
        file->kind = SHIM_NONE;

    int result = (int)syscall(SYS_close, fd);

    (void)pthread_mutex_unlock(&lock);
    return result;
}

ssize_t write(int fd, const void *from, size_t len)
{
    (void)pthread_mutex_lock(&lock);

    const struct shim_file *file = find(fd);

    if (!file) { /* a pipe may be full: not under the lock */
        (void)pthread_mutex_unlock(&lock);
        return syscall(SYS_write, fd, from, len);
    }

    bool appends = fcntl(fd, F_GETFL) & O_APPEND;
    struct stat info;
    off_t offset = appends && fstat(fd, &info) == 0 ? info.st_size : lseek(fd, 0, SEEK_CUR);
    ssize_t count = write_watched(file, fd, from, len, offset);

    if (count > 0 && !appends)
        (void)lseek(fd, offset + count, SEEK_SET);
    (void)pthread_mutex_unlock(&lock);
    return count;
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t offset)
{
    ssize_t count;

    (void)pthread_mutex_lock(&lock);

    const struct shim_file *file = find(fd);

    count = file ? write_watched(file, fd, from, len, offset) : put(fd, from, len, offset);
    (void)pthread_mutex_unlock(&lock);
    return count;
}

ssize_t pwrite64(int fd, const void *from, size_t len, off_t offset)
{
    return pwrite(fd, from, len, offset);
}

int fdatasync(int fd)
{
    (void)pthread_mutex_lock(&lock);

    const struct shim_file *file = find(fd);
    int result = file ? sync_watched(file, fd) : (int)syscall(SYS_fdatasync, fd);

    (void)pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd)
{
    return fdatasync(fd);
}

int ftruncate(int fd, off_t size)
{
    struct stat info;

    (void)pthread_mutex_lock(&lock);

    const struct shim_file *file = find(fd);
    int result;

    if (file && fault(file->kind, SHIM_WRITE) > 0) {
        errno = EIO;
        result = -1;
    } else {
        int known = fstat(fd, &info);

        result = (int)syscall(SYS_ftruncate, fd, size);
        if (file && known == 0 && result == 0)
            shim_disk_resized(file, info.st_size, size);
    }
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int unlink(const char *path)
{
    (void)pthread_mutex_lock(&lock);
    if (keeps_image(kind_of(path)))
        shim_disk_name_gone(path);

    int result = (int)syscall(SYS_unlink, path);

    (void)pthread_mutex_unlock(&lock);
    return result;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are the system's choice */
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    (void)pthread_mutex_lock(&lock);

    int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);

    if (result == 0 && keeps_image(kind_of(from)))
        shim_disk_name_moved(from, to);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
