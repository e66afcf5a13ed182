/*
 * volume.h - the free space on the store's volume, and a ballast file that is removed when there is
 * none.
 *
 * The ballast is a file of zeros, of fixed size, beside the database. When the volume is full it is
 * removed, so that results of deliveries can be written, the log can be moved into the database,
 * and orders can be carried out; it is created again when there is room. As much free space again
 * is kept for the same purpose: new records do not get it.
 *
 * Threads: the committer's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

static inline int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct volume {
    int file;        /* a descriptor on the volume; borrowed */
    char *path;      /* of the ballast */
    int64_t reserve; /* the ballast's size; as much is kept free beside it */
    bool ballast;    /* it is there */
    bool impossible; /* it cannot be created, and the volume is not full */
    int64_t free;    /* bytes, as of volume_refresh() */
};

/**
 * The volume of the database at `path`; `file` is a descriptor of it. A ballast that the last
 * process left is removed if the volume is full. `max_size` is the store's.
 */
void volume_init(struct volume *volume, const char *path, int file, uint64_t max_size);

/** The ballast stays. Zeroes are allowed. */
void volume_done(struct volume *volume);

/** Set `free`. */
void volume_refresh(struct volume *volume);

/**
 * Create the ballast unless it is there. False: the volume has no room for it, half as much beside
 * it, and `need` more bytes.
 */
bool volume_make_ballast(struct volume *volume, int64_t need);

/** Remove the ballast. False: it was not there. */
bool volume_drop_ballast(struct volume *volume);

/**
 * Make the reserve smaller, so that the ballast fits into the free space beside `need` bytes: the
 * database itself fills the volume; it has free pages but does not shrink.
 */
void volume_shrink_reserve(struct volume *volume, int64_t need);
