/*
 * volume.c - see volume.h.
 */
#include "delivery/outbox/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

enum {
    VOLUME_PART = 32,          /* of the volume, */
    SMALL_VOLUME_PART = 8,     /* or of a small one, */
    SIZE_PART = 16,            /* or of max_size, whichever is less; */
    LEAST = 1024 * 1024,       /* from here */
    MOST = 16 * 1024 * 1024,   /* up to here */
    LEAST_OF_ALL = 256 * 1024, /* on a volume that is full of the database itself */
    STAT_BLOCK = 512,          /* the unit of st_blocks */
};

void volume_refresh(struct volume *volume)
{
    struct statvfs status;

    /* If it is not known, refuse nothing until a write fails. */
    volume->free = fstatvfs(volume->file, &status) == 0
                       ? (int64_t)(status.f_bavail * status.f_frsize)
                       : INT64_MAX / 4;
}

static int64_t bytes_of_volume(int file)
{
    struct statvfs status;

    return fstatvfs(file, &status) == 0 ? (int64_t)(status.f_blocks * status.f_frsize)
                                        : INT64_MAX / 4;
}

/* The size of a ballast that the last process left. */
static int64_t bytes_there(const struct volume *volume)
{
    struct stat status;

    return lstat(volume->path, &status) == 0 ? (int64_t)status.st_blocks * STAT_BLOCK : 0;
}

static int64_t reserve_of(int64_t volume, int64_t max_size)
{
    int64_t usual = lesser(lesser(volume / VOLUME_PART, max_size / SIZE_PART), MOST);
    int64_t bearable = greater(volume / SMALL_VOLUME_PART, LEAST_OF_ALL);

    return lesser(greater(usual, LEAST), bearable);
}

void volume_init(struct volume *volume, const char *path, int file, uint64_t max_size)
{
    static const char ending[] = ".ballast";
    size_t len = strlen(path);

    *volume = (struct volume){
        .file = file,
        .path = mem_alloc(len + sizeof(ending)),
        .reserve = reserve_of(bytes_of_volume(file), (int64_t)max_size),
    };
    memcpy(volume->path, path, len);
    memcpy(volume->path + len, ending, sizeof(ending));
    volume->ballast = bytes_there(volume) >= volume->reserve;
    volume_refresh(volume);
    if (volume->free < volume->reserve / 4)
        (void)volume_drop_ballast(volume);
}

void volume_done(struct volume *volume)
{
    mem_free(volume->path);
    volume->path = NULL;
}

/* The errno of a failure, or 0. */
static int allocate(const struct volume *volume)
{
    int fd = open(volume->path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return errno;

    int problem = ftruncate(fd, volume->reserve) == 0 ? 0 : errno;

    if (problem == 0)
        problem = posix_fallocate(fd, 0, volume->reserve);
    (void)close(fd);
    return problem;
}

/* The store works without a ballast. */
static void volume_go_without(struct volume *volume, int problem)
{
    struct error why = { 0 };

    (void)fail_errno(&why, ERR_SYSTEM, problem, "%s", volume->path);
    LOG_EVENT(LOG_WARN, "store_without_ballast", LOG_STR("reason", str_from_c(why.text)));
    volume->impossible = true;
}

bool volume_make_ballast(struct volume *volume, int64_t need)
{
    if (volume->ballast || volume->impossible)
        return true;
    volume_refresh(volume);
    if (volume->free + bytes_there(volume) < volume->reserve + volume->reserve / 2 + need)
        return false;

    int problem = allocate(volume);
    bool is_full = problem == ENOSPC || problem == EDQUOT;

    volume->ballast = problem == 0;
    if (problem != 0)
        (void)unlink(volume->path);
    if (problem != 0 && !is_full)
        volume_go_without(volume, problem);
    volume_refresh(volume);
    return !is_full;
}

bool volume_drop_ballast(struct volume *volume)
{
    bool was_there = unlink(volume->path) == 0;

    volume->ballast = false;
    volume_refresh(volume);
    return was_there;
}

void volume_shrink_reserve(struct volume *volume, int64_t need)
{
    int64_t half = greater((volume->free - need) / 2, LEAST_OF_ALL);

    if (!volume->ballast && half < volume->reserve)
        volume->reserve = half;
}
