/*
 * shim.h - a disk that fails, loses power and lies, between the server and its files; and a clock
 * that is set.
 *
 * shim.c stands in for the C library's calls (LD_PRELOAD) on the files that are watched: those
 * whose path begins with $SHIM_STORE or $SHIM_SINK, and the folders they are in. It knows what a
 * disk would still have after a power loss (shim_disk.c) and fails calls as the test asks for in
 * the control block that both map. All of it happens under one lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum shim_kind {
    SHIM_NONE,
    SHIM_DATABASE, /* and its rollback journal */
    SHIM_LOG,      /* SQLite's write-ahead log */
    SHIM_INDEX,    /* the log's index, shared memory: it fails, but its bytes are not relied on */
    SHIM_SINK,
    SHIM_FOLDER,
    SHIM_KINDS
};

enum shim_call { SHIM_WRITE, SHIM_SYNC, SHIM_CALLS };

/** What a fault does, beside the numbers of <errno.h>. */
enum { SHIM_DIE = -1, SHIM_LIE = -2 };

/** The next `skip` calls are fine, then `count` fail (-1: all). */
struct shim_fault {
    int32_t
        error; /* errno; SHIM_DIE: the process is killed in the midst; SHIM_LIE: no sync is done */
    int32_t skip;
    int32_t count;
    int32_t hits; /* how many have failed */
};

struct shim_control {
    struct shim_fault faults[SHIM_KINDS][SHIM_CALLS];
    _Atomic int64_t ahead_s; /* so many seconds the time of day is ahead, or behind */
};

/** A watched descriptor. */
struct shim_file {
    enum shim_kind kind;
    int image; /* what is on the disk; -1: not kept for this kind */
    int state; /* a byte for each sector: see shim_disk.c */
    char path[256];
};

/** Where images and names are kept: $SHIM_DIR. */
void shim_disk_init(const char *path);

/** Begin to watch `fd`; `fresh`: it was made just now, so the disk has nothing of it. */
void shim_disk_open(struct shim_file *file, int fd, bool fresh);

/** Bytes are about to be written. */
void shim_disk_dirty(const struct shim_file *file, int fd, off_t offset, size_t len);

/** It was cut or made longer. */
void shim_disk_resized(const struct shim_file *file, off_t before, off_t after);

/** A sync succeeded (failed): what was written is on the disk (will never be, unless again). */
void shim_disk_synced(const struct shim_file *file, int fd, bool success);

/** A name was made, or is about to be removed; or moved. It lasts once its folder is synced. */
void shim_disk_name_made(const char *path);
void shim_disk_name_gone(const char *path);
void shim_disk_name_moved(const char *from, const char *to);

/** Names in this folder last now. */
void shim_disk_folder_synced(const char *parent);
