/*
 * space.c - see space.h.
 */
#include "delivery/outbox/space.h"

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

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void outbox_space_look(struct outbox_space *space)
{
    struct statvfs status;

    /* What is not known is no reason to refuse anything; a write that fails is. */
    space->free = fstatvfs(space->file, &status) == 0 ? (int64_t)(status.f_bavail * status.f_frsize)
                                                      : INT64_MAX / 4;
}

static int64_t bytes_of_volume(int file)
{
    struct statvfs status;

    return fstatvfs(file, &status) == 0 ? (int64_t)(status.f_blocks * status.f_frsize)
                                        : INT64_MAX / 4;
}

/* Bytes that the ballast holds already, left by the last process. */
static int64_t bytes_there(const struct outbox_space *space)
{
    struct stat status;

    return lstat(space->path, &status) == 0 ? (int64_t)status.st_blocks * STAT_BLOCK : 0;
}

static int64_t reserve_of(int64_t volume, int64_t max_size)
{
    int64_t usual = lesser(lesser(volume / VOLUME_PART, max_size / SIZE_PART), MOST);
    int64_t bearable = greater(volume / SMALL_VOLUME_PART, LEAST_OF_ALL);

    return lesser(greater(usual, LEAST), bearable);
}

void outbox_space_init(struct outbox_space *space, const char *path, int file, uint64_t max_size)
{
    static const char ending[] = ".ballast";
    size_t len = strlen(path);

    *space = (struct outbox_space){
        .file = file,
        .path = mem_alloc(len + sizeof(ending)),
        .reserve = reserve_of(bytes_of_volume(file), (int64_t)max_size),
    };
    memcpy(space->path, path, len);
    memcpy(space->path + len, ending, sizeof(ending));
    space->ballast = bytes_there(space) >= space->reserve;
    outbox_space_look(space);
    if (space->free < space->reserve / 4)
        (void)outbox_space_drop_ballast(space);
}

void outbox_space_done(struct outbox_space *space)
{
    mem_free(space->path);
    space->path = NULL;
}

/* The errno of a failure, or 0. */
static int allocate(const struct outbox_space *space)
{
    int fd = open(space->path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return errno;

    int problem = ftruncate(fd, space->reserve) == 0 ? 0 : errno;

    if (problem == 0)
        problem = posix_fallocate(fd, 0, space->reserve);
    (void)close(fd);
    return problem;
}

/* The store works without one. */
static void give_up(struct outbox_space *space, int problem)
{
    struct error why = { 0 };

    (void)fail_errno(&why, ERR_SYSTEM, problem, "%s", space->path);
    LOG_EVENT(LOG_WARN, "store_without_ballast", LOG_STR("reason", str_from_c(why.text)));
    space->impossible = true;
}

bool outbox_space_make_ballast(struct outbox_space *space, int64_t need)
{
    if (space->ballast || space->impossible)
        return true;
    outbox_space_look(space);
    if (space->free + bytes_there(space) < space->reserve + space->reserve / 2 + need)
        return false;

    int problem = allocate(space);
    bool is_full = problem == ENOSPC || problem == EDQUOT;

    space->ballast = problem == 0;
    if (problem != 0)
        (void)unlink(space->path);
    if (problem != 0 && !is_full)
        give_up(space, problem);
    outbox_space_look(space);
    return !is_full;
}

bool outbox_space_drop_ballast(struct outbox_space *space)
{
    bool was_there = unlink(space->path) == 0;

    space->ballast = false;
    outbox_space_look(space);
    return was_there;
}

void outbox_space_shrink_reserve(struct outbox_space *space, int64_t need)
{
    int64_t half = greater((space->free - need) / 2, LEAST_OF_ALL);

    if (!space->ballast && half < space->reserve)
        space->reserve = half;
}
