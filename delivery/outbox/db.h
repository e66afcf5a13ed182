/*
 * db.h - one connection to a store's database, and its prepared statements.
 *
 * A statement is prepared at its first use and kept. Values are bound
 * by a string of types: `i` int64_t, `s` struct str as text (ptr NULL: NULL), `b` struct str as a
 * blob. They are not copied, so they must live until the statement is reset.
 *
 * Threads: a connection belongs to one thread at a time.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/outbox/sql.h"

enum db_access {
    DB_CHECK, /* read-only; a store of an older version too */
    DB_READ,
    DB_WRITE, /* the one connection that writes; it creates the tables in an empty file */
};

/** The file that had a name, and its size. */
struct db_file {
    dev_t device;
    ino_t inode;
    int64_t size;
};

struct db {
    sqlite3 *handle; /* NULL: closed */
    sqlite3_stmt *statements[SQL_COUNT];
    int frames; /* in the log, as of the last commit or checkpoint; 0: all are in the database */
    int last_frame;      /* of the log, as of the last commit */
    bool log_restarted;  /* the log has begun again since the last checkpoint */
    int64_t pages;       /* of the database, the log included; see db_count_pages() */
    int64_t free_pages;  /* those of them that are not in use */
    int64_t log_length;  /* of the log's file, with its unused part */
    struct db_file file; /* for DB_WRITE: the database, */
    struct db_file log;  /* and its write-ahead log */
};

/**
 * Open and bring up to this version. ERR_CONFIG: no store, or a newer one; ERR_SYSTEM otherwise.
 * On failure it is closed.
 */
NODISCARD bool db_open(struct db *db, const char *path, enum db_access access, struct error *err);

/** Does nothing if it is closed. */
void db_close(struct db *db);

/**
 * For DB_WRITE: do the database and its log still have their names, and has neither become shorter?
 * What is written to a file that was removed, replaced or cut is lost. ERR_SYSTEM. True if it is
 * closed.
 */
NODISCARD bool db_is_in_place(struct db *db, struct error *err);

/** The same of the database alone. */
bool db_has_name(const struct db *db);

/** Set `err` to SQLite's last message, ERR_SYSTEM; returns false. */
bool db_fail(const struct db *db, const char *what, struct error *err);

/** Run a statement without rows. False: db_fail() returns why. */
NODISCARD bool db_run(struct db *db, enum sql statement, const char *types, ...);

/** A value of a statement. */
struct db_value {
    bool is_blob;
    int64_t number;
    struct str blob; /* not NULL */
};

static inline struct db_value db_value_int(int64_t number)
{
    return (struct db_value){ .number = number };
}

static inline struct db_value db_value_blob(const void *bytes, size_t len)
{
    return (struct db_value){ .is_blob = true, .blob = { bytes, len } };
}

/** The same with `count` values, of which there may be many. */
NODISCARD bool db_run_values(struct db *db, enum sql statement, const struct db_value *values,
                             size_t count);

enum db_found { DB_FOUND, DB_NONE, DB_BROKEN };

/** Run a statement to its first row. Call db_reset() in any case. */
enum db_found db_find(struct db *db, enum sql statement, const char *types, ...);

/** Run a statement and copy all columns, numbers, of its first row; zeroes unless DB_FOUND. */
enum db_found db_numbers(struct db *db, enum sql statement, int64_t *out, const char *types, ...);

/** The next row. */
enum db_found db_next(struct db *db, enum sql statement);

/** End the statement. Does nothing if it was never used. */
void db_reset(struct db *db, enum sql statement);

/** A value of the row, columns counted from 0. Texts last until the next row or the reset. */
int64_t db_int(struct db *db, enum sql statement, int column);
struct str db_text(struct db *db, enum sql statement, int column);

/** Did the last call fail because the disk, or the user's quota, is full? */
bool db_is_full(const struct db *db);

/** Did the last call fail because the file is not a database? */
bool db_is_none(const struct db *db);

/** How many rows the last db_run() changed. */
int64_t db_changes(const struct db *db);

enum db_checkpoint {
    DB_CHECKPOINT_PASSIVE, /* as much as readers allow, without waiting for them */
    DB_CHECKPOINT_RESET,   /* all of it, and the log begins again */
};

/**
 * Move the write-ahead log into the database. True also if readers hold a part of it: then
 * `frames` is not 0.
 */
NODISCARD bool db_checkpoint(struct db *db, enum db_checkpoint how, struct error *err);

/** In a transaction: set `pages` and `free_pages`. False: db_fail() returns why. */
NODISCARD bool db_count_pages(struct db *db);

/** Bytes that the database's file will grow by when the log is moved into it. */
int64_t db_growth(const struct db *db);

/** Bytes of free pages in the database. */
int64_t db_free_bytes(const struct db *db);

/** Bytes of the write-ahead log that are in use. */
int64_t db_log_bytes(const struct db *db);
