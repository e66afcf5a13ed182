/*
 * db.h - one connection to a store's database, and its prepared statements.
 *
 * For delivery/outbox*.c alone. A statement is prepared at its first use and kept. Values are bound
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

enum outbox_access {
    OUTBOX_LOOK, /* read-only, and of an older version, too */
    OUTBOX_READ_ONLY,
    OUTBOX_WRITE, /* the one connection that writes; makes tables where the file is empty */
};

/** Which file a name stood for, and how long that file was. */
struct outbox_file {
    dev_t device;
    ino_t inode;
    int64_t size;
};

struct outbox_db {
    sqlite3 *handle; /* NULL: closed */
    sqlite3_stmt *statements[SQL_COUNT];
    int frames; /* in the log, as of the last commit or checkpoint; 0: all are in the database */
    int last_frame;          /* of the log, as of the last commit */
    bool begun_anew;         /* the log has, since the last checkpoint */
    int64_t pages;           /* that the database has, the log included, */
    int64_t free_pages;      /* and those of them that hold nothing; see outbox_db_count_pages() */
    int64_t log_length;      /* of the log's file, used or not */
    struct outbox_file file; /* for OUTBOX_WRITE: the database, */
    struct outbox_file log;  /* and its write-ahead log */
};

/**
 * Open and bring up to this version. ERR_CONFIG: no store, or a newer one; ERR_SYSTEM otherwise.
 * On failure it is closed.
 */
NODISCARD bool outbox_db_open(struct outbox_db *db, const char *path, enum outbox_access access,
                              struct error *err);

/** Fine when it is closed. */
void outbox_db_close(struct outbox_db *db);

/**
 * For OUTBOX_WRITE: do database and log still have their names, and has neither become shorter?
 * What is written to a file that was removed, replaced or cut is lost. ERR_SYSTEM. Fine when it is
 * closed.
 */
NODISCARD bool outbox_db_is_in_place(struct outbox_db *db, struct error *err);

/** Is the database at least? */
bool outbox_db_has_name(const struct outbox_db *db);

/** Set `err` to what SQLite said last; ERR_SYSTEM. Returns false. */
bool outbox_db_fail(const struct outbox_db *db, const char *what, struct error *err);

/** Run a statement that yields no rows. False: outbox_db_fail() tells why. */
NODISCARD bool outbox_db_run(struct outbox_db *db, enum outbox_statement statement,
                             const char *types, ...);

enum outbox_found { OUTBOX_FOUND, OUTBOX_NONE, OUTBOX_BROKEN };

/** Run a statement to its first row; then outbox_db_next(), and in any case outbox_db_reset(). */
enum outbox_found outbox_db_find(struct outbox_db *db, enum outbox_statement statement,
                                 const char *types, ...);

/** The next row. */
enum outbox_found outbox_db_next(struct outbox_db *db, enum outbox_statement statement);

/** Done with the rows. Fine for a statement that was never used. */
void outbox_db_reset(struct outbox_db *db, enum outbox_statement statement);

/** A value of the row, columns counted from 0. Texts last until the next row or the reset. */
int64_t outbox_db_int(struct outbox_db *db, enum outbox_statement statement, int column);
struct str outbox_db_text(struct outbox_db *db, enum outbox_statement statement, int column);

/** Did the last thing fail because the disk, or the user's share of it, is full? */
bool outbox_db_is_full(const struct outbox_db *db);

/** Did the last thing fail because the file is no database (any more)? */
bool outbox_db_is_none(const struct outbox_db *db);

/** How many rows the last run changed. */
int64_t outbox_db_changes(const struct outbox_db *db);

enum outbox_checkpoint {
    OUTBOX_CHECKPOINT_PASSIVE, /* as much as readers allow, without waiting for them */
    OUTBOX_CHECKPOINT_RESET,   /* all of it, and the log begins anew */
};

/**
 * Move the write-ahead log into the database. True also when readers kept some of it there: then
 * `frames` is not 0.
 */
NODISCARD bool outbox_db_checkpoint(struct outbox_db *db, enum outbox_checkpoint how,
                                    struct error *err);

/** In a transaction: count the database's pages. False: outbox_db_fail() tells why. */
NODISCARD bool outbox_db_count_pages(struct outbox_db *db);

/** Bytes that the database's file will grow by when the log is moved into it. */
int64_t outbox_db_growth(const struct outbox_db *db);

/** Bytes of free pages in the database. */
int64_t outbox_db_free_bytes(const struct outbox_db *db);

/** Bytes of the write-ahead log that are in use. */
int64_t outbox_db_log_bytes(const struct outbox_db *db);
