/*
 * reader.h - which other process reads in a store, and so holds its write-ahead log.
 *
 * For delivery/outbox*.c alone. Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct outbox_reader {
    int64_t pid;      /* 0: unknown */
    char command[32]; /* its name */
};

/**
 * A process, other than this one, that reads in the database at `path`, without links. False: there
 * is none, or it cannot be seen (it runs in another process namespace).
 */
bool outbox_reader_find(const char *path, struct outbox_reader *out);
