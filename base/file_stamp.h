/*
 * file_stamp.h - find out whether a file has changed since it was read.
 *
 * Take the stamp before the file is read: a change during the reading is then seen the next time. A
 * file that is replaced, also through a symbolic link, has another inode; one that is written to
 * has another time or size; one whose permissions change has another status time. A file that does
 * not exist has a stamp of its own, so its removal is a change, too.
 *
 * Threads: pure functions.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct file_stamp {
    dev_t device;
    ino_t inode; /* all zero: the file does not exist */
    off_t size;
    struct timespec modified;
    struct timespec changed; /* its status, as permissions */
};

/** The stamp of the file at `path` now. */
static inline struct file_stamp file_stamp(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0)
        return (struct file_stamp){ 0 };
    return (struct file_stamp){ file.st_dev, file.st_ino, file.st_size, file.st_mtim,
                                file.st_ctim };
}

static inline bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}
