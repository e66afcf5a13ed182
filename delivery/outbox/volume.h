/*
 * volume.h - the free space on the store's volume, and a ballast file that is removed when there is
 * none.
 *
 * The ballast is a file beside the database that holds nothing. When the volume is full it is
 * removed, so that deliveries can be noted, the log moved into the database, and orders carried
 * out; it is made again when there is room. A part of the free space as large as the ballast is
 * kept for the same purpose: new records do not get it.
 *
 * For delivery/outbox*.c alone. Threads: the committer's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct volume {
    int file;        /* a descriptor on the volume; borrowed */
    char *path;      /* of the ballast */
    int64_t reserve; /* the ballast's size; as much is kept free beside it */
    bool ballast;    /* it is there */
    bool impossible; /* it cannot be made, for another reason than a full volume */
    int64_t free;    /* bytes on the volume, as of the last look */
};

/**
 * Look at the volume of the database at `path`, which `file` is a descriptor of. A ballast that the
 * last process left is removed when the volume is full. `max_size` is the store's.
 */
void volume_init(struct volume *volume, const char *path, int file, uint64_t max_size);

/** Fine for zeroes. The ballast stays. */
void volume_done(struct volume *volume);

/** Look how much is free now. */
void volume_refresh(struct volume *volume);

/**
 * Make the ballast, unless it is there. False: the volume has no room for it, half as much beside
 * it, and `need` bytes more.
 */
bool volume_make_ballast(struct volume *volume, int64_t need);

/** Remove the ballast. False: it was not there. */
bool volume_drop_ballast(struct volume *volume);

/**
 * Make the reserve smaller, so that the ballast fits into what is free beside `need` bytes: the
 * volume is full of the database itself, which has room in it but does not shrink.
 */
void volume_shrink_reserve(struct volume *volume, int64_t need);
