/*
 * location.h - the store's place in the file system: its folder, and the lock of one process.
 *
 * Threads: any.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/**
 * Refuse a path that is not a file, or on a network or FUSE file system, whose locks and fsync
 * cannot be trusted. If the folder does not exist, checks the nearest one above it. ERR_SYSTEM.
 */
NODISCARD bool location_check(const char *path, struct error *err);

/**
 * Refuse a database that is missing or empty while its write-ahead log is not empty: a new database
 * would delete that log. ERR_SYSTEM.
 */
NODISCARD bool location_check_log(const char *path, struct error *err);

/** Does another process hold a lock of the store at `path`? */
bool location_is_locked(const char *path);

/** What is lost when on the file system of `path`, for people; NULL: it keeps files. */
const char *location_loss(const char *path);

/** The locks of a store; -1: not taken. */
struct location {
    int beside;          /* on the file <path>.lock */
    int own;             /* on the database itself */
    char path[PATH_MAX]; /* of the database, links followed */
};

/**
 * Create the folders (0700) and the database file (0600) if they are missing, durably, and lock the
 * store for this process; wait at most `patience_us` for another process to unlock it. The lock
 * lasts until location_unlock() or the end of the process. ERR_SYSTEM; also as
 * location_check_log().
 */
NODISCARD bool location_lock(const char *path, int64_t patience_us, struct location *out,
                             struct error *err);

/** Unlock, after all connections of this process to the database are closed. */
void location_unlock(struct location *place);
