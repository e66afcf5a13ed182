/*
 * file_stamp.h - tells whether a file has changed since it was read.
 *
 * A file that is replaced, also through a symbolic link, has another inode. A file that is not
 * there has a stamp of its own, so its removal is a change, too.
 *
 * Threads: pure functions.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct file_stamp {
    ino_t inode; /* all zero: not there */
    off_t size;
    struct timespec modified;
};

/** The stamp of the file at `path` now. */
static inline struct file_stamp file_stamp(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0)
        return (struct file_stamp){ 0 };
    return (struct file_stamp){ file.st_ino, file.st_size, file.st_mtim };
}

static inline bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->inode == b->inode && a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}
