/*
 * outbox_place.h - where a store lies: a folder, a local file system, one process at a time.
 *
 * For delivery/outbox*.c alone. Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/**
 * Refuse what is no place for a store: what is not a file, and a network or FUSE file system, whose
 * locks and fsync cannot be trusted. Looks at the nearest folder that is there. ERR_SYSTEM.
 */
NODISCARD bool outbox_place_check(const char *path, struct error *err);

/** Make the folders on the way and the file, 0700 and 0600, to stay after a crash. ERR_SYSTEM. */
NODISCARD bool outbox_place_make(const char *path, struct error *err);

/**
 * Lock the store, which must be there, for this process, waiting at most `patience_us` for another
 * to let go; the lock lasts until the descriptor is closed, or the process ends in whatever way.
 * ERR_SYSTEM.
 */
NODISCARD bool outbox_place_lock(const char *path, int64_t patience_us, int *fd, struct error *err);
