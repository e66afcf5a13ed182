/*
 * place.h - where a store lies: a folder, a local file system, one process at a time.
 *
 * For delivery/outbox*.c alone. Threads: any.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/**
 * Refuse what is no place for a store: what is not a file, and a network or FUSE file system, whose
 * locks and fsync cannot be trusted. Looks at the nearest folder that is there. ERR_SYSTEM.
 */
NODISCARD bool location_check(const char *path, struct error *err);

/**
 * Refuse a database that is missing or empty while its write-ahead log holds something: a new
 * database would delete that log. ERR_SYSTEM.
 */
NODISCARD bool location_check_log(const char *path, struct error *err);

/** The locks of a store; -1: not taken. */
struct location {
    int beside;          /* on the file <path>.lock */
    int own;             /* on the database itself */
    char path[PATH_MAX]; /* of the database, links followed */
};

/**
 * Make the folders and the database file if they are missing (0700 and 0600, to stay after a
 * crash), and lock the store for this process, waiting at most `patience_us` for another process
 * to release it. The lock lasts until location_unlock() or the end of the process. ERR_SYSTEM;
 * also as location_check_log().
 */
NODISCARD bool location_lock(const char *path, int64_t patience_us, struct location *out,
                             struct error *err);

/** Release the locks, after every connection of this process to the database is closed. */
void location_unlock(struct location *place);
