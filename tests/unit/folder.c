/*
 * folder.c - see folder.h.
 */
#include "tests/unit/folder.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 8 };

void folder_init(struct folder *folder)
{
    *folder = (struct folder){ "/tmp/sluice-unit-XXXXXX" };
    assert(mkdtemp(folder->path));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void folder_done(struct folder *folder)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): unsafe only with FTW_CHDIR */
    (void)nftw(folder->path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

void folder_path(const struct folder *folder, const char *name, char path[static FOLDER_PATH_SIZE])
{
    int len = snprintf(path, FOLDER_PATH_SIZE, "%s/%s", folder->path, name);

    assert(len > 0 && len < FOLDER_PATH_SIZE);
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
}

void folder_write(const struct folder *folder, const char *name, struct str bytes)
{
    char path[FOLDER_PATH_SIZE];
    char draft[FOLDER_PATH_SIZE];

    folder_path(folder, name, path);
    folder_path(folder, ".draft", draft);
    make_parents(path);

    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert(fd >= 0);
    for (size_t done = 0; done < bytes.len;) {
        ssize_t count = write(fd, bytes.ptr + done, bytes.len - done);

        assert(count > 0);
        done += (size_t)count;
    }
    assert(close(fd) == 0);
    assert(rename(draft, path) == 0);
}

void folder_set_time(const struct folder *folder, const char *name, int64_t seconds)
{
    const struct timespec times[] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
    char path[FOLDER_PATH_SIZE];

    folder_path(folder, name, path);
    assert(utimensat(AT_FDCWD, path, times, 0) == 0);
}

void folder_remove(const struct folder *folder, const char *name)
{
    char path[FOLDER_PATH_SIZE];

    folder_path(folder, name, path);
    assert(unlink(path) == 0);
}
