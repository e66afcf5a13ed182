/*
 * scratch.c - see scratch.h.
 *
 * The file is a memfd with a path under /proc/self/fd, so no file on disk must be removed.
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
