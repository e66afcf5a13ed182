/*
 * scratch.c - see scratch.h.
 *
 * Memory behind a descriptor, reached by its name under /proc: nothing to clean up on any disk.
 */
#include "tests/unit/scratch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1;

const char *scratch_file(const char *text)
{
    static char path[64];
    size_t len = strlen(text);

    scratch_close();
    file = memfd_create("scratch", MFD_CLOEXEC);
    assert(file >= 0);

    ssize_t written = write(file, text, len);

    assert(written == (ssize_t)len);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return path;
}

void scratch_close(void)
{
    if (file >= 0)
        (void)close(file);
    file = -1;
}
