/*
 * capture.c - see capture.h.
 */
#include "tests/unit/capture.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

void capture_begin(struct capture *capture, int fd)
{
    (void)fflush(NULL);
    capture->fd = fd;
    capture->saved = dup(fd);
    capture->file = memfd_create("capture", MFD_CLOEXEC);
    assert(capture->saved >= 0 && capture->file >= 0);
    assert(dup2(capture->file, fd) == fd);
}

struct str capture_end(struct capture *capture)
{
    struct stat info;
    size_t done = 0;

    (void)fflush(NULL);
    assert(dup2(capture->saved, capture->fd) == capture->fd);
    assert(fstat(capture->file, &info) == 0);

    size_t len = (size_t)info.st_size;
    char *text = mem_alloc(len + 1);

    while (done < len) {
        ssize_t count = pread(capture->file, text + done, len - done, (off_t)done);

        assert(count > 0);
        done += (size_t)count;
    }
    assert(close(capture->file) == 0 && close(capture->saved) == 0);
    return (struct str){ text, len };
}
