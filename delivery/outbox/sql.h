/*
 * sql.h - the tables of a store, and all SQL statements.
 *
 * The name of a statement begins with its table: SQL_SEEN_* for `seen` and so on. The columns of a
 * result and the parameters ?1, ?2, ... are in the statement's text, in sql.c.
 *
 * Threads: constants only.
 */
#pragma once

enum {
    SQL_VERSION = 8,              /* version of the tables (PRAGMA user_version) */
    SQL_APPLICATION = 0x536c7565, /* "Slue", PRAGMA application_id */
    OUTBOX_ROW_BYTES = 128,       /* approximate size of a record's row without its texts */
    OUTBOX_RETRY_BYTES = 64,      /* approximate size of a retry row */
};

/** sql_migrations[n] upgrades a store from version n to n + 1. */
extern const char *const sql_migrations[SQL_VERSION];

enum sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_PAGES,      /* pages of the database file, */
    SQL_FREE_PAGES, /* and those of them without data */

    /* Counters (tally.h). */
    SQL_STATE_READ,
    SQL_STATE_WRITE,
    SQL_OUTCOME_READ,
    SQL_OUTCOME_WRITE,
    SQL_SINK_READ,
    SQL_SINK_WRITE,
    SQL_SINK_DELETE,

    /* Remembered events, in which duplicates are found (dedup.h, recent.h). */
    SQL_SEEN_BY_ID,
    SQL_SEEN_EXACT,
    SQL_SEEN_ADD,
    SQL_SEEN_ADD_BULK, /* 64 rows */
    SQL_SEEN_HIGHEST,
    SQL_SEEN_OLDEST,
    SQL_SEEN_NTH,
    SQL_SEEN_DELETE_BELOW,
    SQL_SEEN_AFTER,
    SQL_SEEN_COUNT_AFTER,
    SQL_RECENT_ADD,
    SQL_RECENT_READ,
    SQL_RECENT_DELETE,

    /* Records, one copy for all sinks (records.h). */
    SQL_RECORD_ADD,
    SQL_RECORD_RANGE,
    SQL_RECORD_COUNT_FOR, /* those that are for a sink, */
    SQL_RECORD_FIRST_FOR, /* and the first of them */
    SQL_RECORD_HELD,
    SQL_RECORD_YOUNG, /* the first one that came since a time */
    SQL_RECORD_LOOK,
    SQL_RECORD_NTH,
    SQL_RECORD_DELETE,
    SQL_RECORD_DELETE_RANGE,
    SQL_RECORD_UNWANTED, /* that no sink of a mask waits for, and no row */
    SQL_RECORD_DELETE_UNWANTED,
    SQL_RECORDS_AFTER,
    SQL_RECORD_TIME,

    /* Which sink tries which record again, and when. */
    SQL_RETRY_ADD,
    SQL_RETRY_ADD_KEYED,
    SQL_RETRY_FROM_RECORDS,
    SQL_RETRY_FROM_HISTORY,
    SQL_RETRY_COUNT_HISTORY, /* the rows that it would add */
    SQL_RETRY_FIRST,
    SQL_RETRY_UPDATE,
    SQL_RETRY_UPDATE_KEYED,
    SQL_RETRY_RELEASE,
    SQL_RETRY_BEFORE,
    SQL_RETRY_UNKEYED,
    SQL_RETRY_DELETE,
    SQL_RETRY_COUNT,
    SQL_RETRY_DUE,
    SQL_RETRY_IN_ORDER,
    SQL_RETRY_NEXT_TIME,
    SQL_RETRY_LAST_TIME,
    SQL_RETRY_HASTEN,
    SQL_RETRY_FIND,
    SQL_RETRY_OLDEST,

    /* Records that a sink refused for good. */
    SQL_DEAD_ADD,
    SQL_DEAD_FIND,
    SQL_DEAD_FIRST,
    SQL_DEAD_OLDEST,
    SQL_DEAD_DELETE,
    SQL_DEAD_COUNT,

    /* Refused events (quarantine.h). */
    SQL_REFUSED_KINDS,
    SQL_REFUSED_KIND_WRITE,
    SQL_REFUSED_FIND,
    SQL_REFUSED_ADD,
    SQL_REFUSED_BODY_ADD,
    SQL_REFUSED_AGAIN,
    SQL_REFUSED_RESOLVE,
    SQL_REFUSED_OLDEST,
    SQL_REFUSED_OLDEST_OF,
    SQL_REFUSED_COUNT,
    SQL_REFUSED_DELETE,
    SQL_REFUSED_BODY_DELETE,
    SQL_REFUSED_LOOK, /* size and kind */

    /* Lists for the command line, on a connection that only reads (view.h). */
    SQL_BEGIN_READING,
    SQL_VIEW_REFUSED,      /* oldest first, */
    SQL_VIEW_REFUSED_DOWN, /* or newest first */
    SQL_VIEW_GROUPS,
    SQL_VIEW_REGISTRY,
    SQL_VIEW_DEAD,
    SQL_VIEW_DEAD_DOWN,

    SQL_COUNT,
};

/** The text of each statement, by enum sql. */
extern const char *const sql_texts[SQL_COUNT];
