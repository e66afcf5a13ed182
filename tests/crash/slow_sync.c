/*
 * slow_sync.c - a disk that is slow, or hangs: every sync takes as long as a test says.
 *
 * Stands in for fsync() and fdatasync() of the C library (LD_PRELOAD). The file $SLOW_SYNC holds
 * the milliseconds that each call takes, as a 32-bit number; the test may change it at any time,
 * and a call under way ends when it has taken as long as the file says now.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 5, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static const volatile int32_t *wanted_ms;

/* Before main(), when there is one thread. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SLOW_SYNC"); /* NOLINT(concurrency-mt-unsafe) */
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        abort();
    wanted_ms = mmap(NULL, sizeof(*wanted_ms), PROT_READ, MAP_SHARED, fd, 0);
    if (wanted_ms == MAP_FAILED)
        abort();
    (void)close(fd);
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

static void take_long(void)
{
    const struct timespec slice = { .tv_nsec = (long)SLICE_MS * NS_PER_MS };
    int64_t begun_ms = now_ms();

    while (now_ms() - begun_ms < *wanted_ms)
        (void)nanosleep(&slice, NULL);
}

/* The C library's own names for parameters are not for us. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
    take_long();
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    take_long();
    return (int)syscall(SYS_fsync, fd);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
