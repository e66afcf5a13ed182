/*
 * shim_disk.c - what would be there after a power loss.
 *
 * For the watched file with inode N, $SHIM_DIR/N.image is what has been synced, $SHIM_DIR/N.state
 * has a byte for each sector, and both outlive the process, as a page cache does. A name that would
 * be lost is undone by a file $SHIM_DIR/TIME.name of three lines: what to do, and two paths.
 * shim.py puts it all into effect.
 *
 * After a failed sync Linux takes pages for clean that never reached the disk, so a later sync that
 * succeeds does not save them: such sectors are DOOMED until written again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/shim.h"

enum { SECTOR = 512, PIECE = 1 << 16 };
enum sector_state { CLEAN, DIRTY, DOOMED };

static char folder[PATH_MAX];

/* The shim must not come into its own hands. */
static int raw_open(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void raw_write(int fd, const void *from, size_t len, off_t offset)
{
    if (syscall(SYS_pwrite64, fd, from, len, offset) != (long)len)
        abort();
}

static void raw_resize(int fd, off_t size)
{
    if (syscall(SYS_ftruncate, fd, size) != 0)
        abort();
}

/* A file of our own; numbers are padded, so that names sort like them. */
static void place(char path[static PATH_MAX], unsigned long long number, const char *what)
{
    (void)snprintf(path, PATH_MAX, "%.4000s/%020llu.%s", folder, number, what);
}

static unsigned long long now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (unsigned long long)time.tv_sec * 1000000000 + (unsigned long long)time.tv_nsec;
}

void shim_disk_init(const char *path)
{
    (void)snprintf(folder, sizeof(folder), "%s", path);
}

static void copy(int from, int to, off_t begin, off_t end)
{
    static char piece[PIECE];

    while (begin < end) {
        size_t len = end - begin < PIECE ? (size_t)(end - begin) : PIECE;
        ssize_t count = pread(from, piece, len, begin);

        if (count <= 0)
            return;
        raw_write(to, piece, (size_t)count, begin);
        begin += count;
    }
}

void shim_disk_open(struct shim_file *file, int fd, bool fresh)
{
    char image[PATH_MAX];
    char state[PATH_MAX];
    struct stat info;

    if (fstat(fd, &info) != 0)
        abort();
    place(image, info.st_ino, "image");
    place(state, info.st_ino, "state");

    bool known = !fresh && access(state, F_OK) == 0;

    file->image = raw_open(image, O_RDWR | O_CREAT);
    if (!known)
        raw_resize(file->image, 0);
    if (!known && !fresh)
        copy(fd, file->image, 0, info.st_size);

    /* Last: without a state the image is not whole yet. */
    file->state = raw_open(state, O_RDWR | O_CREAT);
    if (file->image < 0 || file->state < 0)
        abort();
    if (!known)
        raw_resize(file->state, 0);
}

static void mark(const struct shim_file *file, off_t begin, off_t end)
{
    static char dirty[PIECE];

    memset(dirty, DIRTY, sizeof(dirty));
    begin /= SECTOR;
    end = (end + SECTOR - 1) / SECTOR;
    while (begin < end) {
        size_t len = end - begin < PIECE ? (size_t)(end - begin) : PIECE;

        raw_write(file->state, dirty, len, begin);
        begin += (off_t)len;
    }
}

void shim_disk_dirty(const struct shim_file *file, int fd, off_t offset, size_t len)
{
    struct stat info;
    off_t begin = offset;

    if (file->image < 0)
        return;
    if (fstat(fd, &info) == 0 && info.st_size < begin)
        begin = info.st_size; /* the hole is new, too */
    mark(file, begin, offset + (off_t)len);
}

void shim_disk_resized(const struct shim_file *file, off_t before, off_t after)
{
    if (file->image < 0)
        return;
    if (after > before)
        mark(file, before, after);
    else
        raw_resize(file->state, (after + SECTOR - 1) / SECTOR);
}

/* Sectors of `state` from `first` on: what was dirty is on the disk now, or never will be. */
static void settle(const struct shim_file *file, int fd, char *state, ssize_t count, off_t first)
{
    for (ssize_t i = 0; i < count; i++) {
        ssize_t begin = i;

        while (i < count && state[i] == DIRTY)
            i++;
        if (i > begin)
            copy(fd, file->image, (first + begin) * SECTOR, (first + i) * SECTOR);
        memset(state + begin, CLEAN, (size_t)(i - begin));
    }
}

static void doom(char *state, ssize_t count)
{
    for (ssize_t i = 0; i < count; i++)
        if (state[i] == DIRTY)
            state[i] = DOOMED;
}

void shim_disk_synced(const struct shim_file *file, int fd, bool success)
{
    static char state[PIECE];
    struct stat info;
    off_t first = 0;
    ssize_t count;

    if (file->image < 0 || fstat(fd, &info) != 0)
        return;
    while ((count = pread(file->state, state, sizeof(state), first)) > 0) {
        if (success)
            settle(file, fd, state, count, first);
        else
            doom(state, count);
        raw_write(file->state, state, (size_t)count, first);
        first += count;
    }
    if (success)
        raw_resize(file->image, info.st_size);
}

/* How to undo a change of names. */
static void note(const char *what, const char *one, const char *other)
{
    char path[PATH_MAX];
    char text[3 * PATH_MAX];

    place(path, now(), "name");

    int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n", what, one, other);
    int fd = raw_open(path, O_WRONLY | O_CREAT | O_EXCL);

    if (fd < 0)
        abort();
    raw_write(fd, text, (size_t)len, 0);
    (void)syscall(SYS_close, fd);
}

void shim_disk_name_made(const char *path)
{
    note("remove", path, "");
}

void shim_disk_name_gone(const char *path)
{
    char saved[PATH_MAX];

    place(saved, now(), "saved");
    if (link(path, saved) == 0)
        note("rename", saved, path);
}

void shim_disk_name_moved(const char *from, const char *to)
{
    note("rename", to, from);
}

/* Does the note speak of a name in this folder? */
static bool is_about(const char *path, const char *parent)
{
    static char text[3 * PATH_MAX];
    int fd = raw_open(path, O_RDONLY);
    ssize_t count = pread(fd, text, sizeof(text) - 1, 0);
    size_t len = strlen(parent);

    (void)syscall(SYS_close, fd);
    text[count < 0 ? 0 : count] = '\0';
    for (const char *line = strchr(text, '\n'); line; line = strchr(line + 1, '\n')) {
        const char *rest = line + 1;

        if (strncmp(rest, parent, len) == 0 && rest[len] == '/' &&
            strcspn(rest + len + 1, "/") > strcspn(rest + len + 1, "\n"))
            return true;
    }
    return false;
}

void shim_disk_folder_synced(const char *parent)
{
    DIR *list = opendir(folder);
    const struct dirent *entry;

    if (!list)
        abort();
    while ((entry = readdir(list))) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        char path[PATH_MAX * 2];

        if (!strstr(entry->d_name, ".name"))
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (is_about(path, parent))
            (void)syscall(SYS_unlink, path);
    }
    (void)closedir(list);
}
