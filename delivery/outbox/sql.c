/*
 * sql.c - see sql.h.
 *
 * Sequence numbers are never used twice: the next one is in `state`, since SQLite would reuse the
 * highest rowid after its row is deleted. A record is stored once; retry and dead rows refer to it
 * by its sequence number (records.c).
 */
#include "delivery/outbox/sql.h"

/* Of version 4. */
#define OLD_RECORD_COLUMNS "seq, key, accepted_us, registry, schema, version, bytes"

#define RECORD_COLUMNS "seq, key, accepted_us, registry, schema, version, bytes, route, origin"
#define FROM_RECORD                                                                                \
    "record.seq, record.key, record.accepted_us, record.registry, record.schema, record.version,"  \
    " record.bytes, record.route, record.origin"
#define REFUSED_COLUMNS                                                                            \
    "id, event_id, outcome, details, units, registry, schema, version, registry_kind, first_us,"   \
    " last_us, attempts, resolved_us,"                                                             \
    " (SELECT body FROM refused_body WHERE refused_body.id = refused.id), route, rule, reason"
#define FROM_REFUSED                                                                               \
    " FROM refused WHERE id >= ?1 AND id <= ?2 AND last_us >= ?3 AND last_us < ?4"                 \
    " AND (?5 IS NULL OR outcome = ?5) AND (?6 IS NULL OR registry = ?6)"                          \
    " AND (?7 IS NULL OR schema = ?7) AND (?8 IS NULL OR version = ?8)"                            \
    " AND (?9 OR resolved_us = 0) AND (NOT ?10 OR registry_kind)"                                  \
    " AND (?11 IS NULL OR event_id = ?11) AND (?12 IS NULL OR route = ?12)"                        \
    " AND (?13 IS NULL OR rule = ?13)"
#define BEHIND_WORD(text) "substr(" text ", instr(" text ", ' ') + 1)" /* record_origin.h */
#define DEAD_COLUMNS      "dead.id, sink.name, dead_us, attempts, reason, " FROM_RECORD ", dead.said"
#define FROM_DEAD                                                                                  \
    " FROM dead JOIN sink ON sink.id = dead.sink JOIN record ON record.seq = dead.seq"             \
    " WHERE dead.id >= ?1 AND dead.id <= ?2 AND dead_us >= ?3 AND dead_us < ?4"                    \
    " AND (?5 IS NULL OR sink.name = ?5) AND (?6 IS NULL OR registry = ?6)"                        \
    " AND (?7 IS NULL OR schema = ?7) AND (?8 IS NULL OR version = ?8)"                            \
    " AND (?9 IS NULL OR record.key = ?9"                                                          \
    " OR substr(" BEHIND_WORD("origin") ", instr(" BEHIND_WORD(                                    \
        "origin") ", ' ') + 1) = ?9)"                                                              \
                  " AND (?10 IS NULL OR record.route = ?10)"
/* In bytes, as in accept.c: length() of a text counts characters, up to the first NUL. */
#define OLD_SIZE "(length(bytes) + length(CAST(key AS BLOB)) + 128)" /* OUTBOX_ROW_BYTES */
#define SIZE     "(" OLD_SIZE " + coalesce(length(CAST(origin AS BLOB)), 0))"
#define PRUNED   "(SELECT value FROM state WHERE name = 'pruned')"
#define IN_RANGE "seq > ?1 AND seq <= ?2"
#define UNWANTED                                                                                   \
    IN_RANGE " AND NOT sinks & ?3 AND seq NOT IN (SELECT seq FROM retry WHERE " IN_RANGE ")"       \
             " AND seq NOT IN (SELECT seq FROM dead WHERE " IN_RANGE ")"
/* Records of routes, and those that were for a sink, unless they wait for the sink. */
#define CHOSEN                                                                                     \
    IN_RANGE " AND seq NOT IN (SELECT seq FROM retry WHERE sink = ?3 AND " IN_RANGE ")"            \
             " AND accepted_us >= ?4 AND accepted_us < ?5 AND ((sinks & ?6 AND seq > ?7)"          \
             " OR route IN (SELECT value FROM json_each(?8)))"
#define NEVER "9223372036854775807" /* RETRY_PARKED in pending.c */
#define PREDECESSOR(seq)                                                                           \
    "(SELECT 1 FROM retry WHERE sink = ?2 AND order_key = ?6 AND order_key != 0 AND seq < " seq ")"
#define RETRY_RECORD "retry CROSS JOIN record ON record.seq = retry.seq"

#define TIMES_4(row)  row ", " row ", " row ", " row
#define TIMES_16(row) TIMES_4(row) ", " TIMES_4(row) ", " TIMES_4(row) ", " TIMES_4(row)
#define TIMES_64(row) TIMES_16(row) ", " TIMES_16(row) ", " TIMES_16(row) ", " TIMES_16(row)

const char *const sql_migrations[SQL_VERSION] = {
    "CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO state VALUES ('store_id', lower(hex(randomblob(8))));"
    "CREATE TABLE outcome (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sink (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " configured INTEGER NOT NULL, cursor INTEGER NOT NULL, until INTEGER NOT NULL,"
    " head_attempts INTEGER NOT NULL, head_next_us INTEGER NOT NULL, enqueued INTEGER NOT NULL,"
    " delivered INTEGER NOT NULL, dead INTEGER NOT NULL, dropped INTEGER NOT NULL);"
    /* bucket: the second of the event's own time, or the day of its arrival (dedup.c). */
    "CREATE TABLE seen (bucket INTEGER NOT NULL, id_hash INTEGER NOT NULL, identity BLOB NOT NULL,"
    " processed_us INTEGER NOT NULL, PRIMARY KEY (bucket, id_hash, identity)) WITHOUT ROWID;"
    "CREATE TABLE record (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, accepted_us INTEGER NOT NULL,"
    " registry TEXT, schema TEXT, version TEXT, bytes BLOB NOT NULL);"
    "CREATE TABLE retry (id INTEGER PRIMARY KEY, sink INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " next_us INTEGER NOT NULL, reason TEXT, seq INTEGER NOT NULL, key TEXT NOT NULL,"
    " accepted_us INTEGER NOT NULL, registry TEXT, schema TEXT, version TEXT, bytes BLOB NOT NULL);"
    "CREATE UNIQUE INDEX retry_record ON retry (sink, seq);"
    "CREATE INDEX retry_due ON retry (sink, next_us, seq);"
    "CREATE TABLE dead (id INTEGER PRIMARY KEY AUTOINCREMENT, sink INTEGER NOT NULL,"
    " dead_us INTEGER NOT NULL, attempts INTEGER NOT NULL, reason TEXT, seq INTEGER NOT NULL,"
    " key TEXT NOT NULL, accepted_us INTEGER NOT NULL, registry TEXT, schema TEXT, version TEXT,"
    " bytes BLOB NOT NULL);"
    "CREATE INDEX dead_sink ON dead (sink, id);"
    "CREATE TABLE refused (id INTEGER PRIMARY KEY AUTOINCREMENT, identity BLOB NOT NULL,"
    " event_id TEXT, outcome TEXT NOT NULL, details TEXT, units TEXT, registry TEXT, schema TEXT,"
    " version TEXT, registry_kind INTEGER NOT NULL, first_us INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, attempts INTEGER NOT NULL, resolved_us INTEGER NOT NULL,"
    " size INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE UNIQUE INDEX refused_identity ON refused (identity);",

    /* Rows that are not in `seen` yet (recent.h). */
    "CREATE TABLE recent (n INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, id_hash INTEGER NOT NULL,"
    " identity BLOB NOT NULL, processed_us INTEGER NOT NULL);",

    /* The server looks every second for events that it may post again. */
    "CREATE INDEX refused_registry ON refused (registry, schema)"
    " WHERE registry_kind AND resolved_us = 0;",

    /* One copy of a record for all sinks; up to `pruned`, records that no sink needs are deleted.
     */
    "ALTER TABLE sink ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;"
    "UPDATE sink SET pending = max(enqueued - delivered - dead - dropped, 0);"
    "INSERT OR REPLACE INTO state VALUES ('pruned', coalesce((SELECT min(seq) FROM record),"
    " (SELECT value FROM state WHERE name = 'next_seq'), 1) - 1);"
    "INSERT OR IGNORE INTO record (" OLD_RECORD_COLUMNS ") SELECT " OLD_RECORD_COLUMNS
    " FROM retry;"
    "INSERT OR IGNORE INTO record (" OLD_RECORD_COLUMNS ") SELECT " OLD_RECORD_COLUMNS " FROM dead;"
    "ALTER TABLE retry RENAME TO retry_with_bytes;"
    "CREATE TABLE retry (seq INTEGER NOT NULL, sink INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " next_us INTEGER NOT NULL, reason TEXT, PRIMARY KEY (seq, sink)) WITHOUT ROWID;"
    "INSERT INTO retry (seq, sink, attempts, next_us, reason)"
    " SELECT seq, sink, attempts, next_us, reason FROM retry_with_bytes;"
    "DROP TABLE retry_with_bytes;"
    "CREATE INDEX retry_order ON retry (sink, seq);"
    "CREATE INDEX retry_due ON retry (sink, next_us, seq);"
    "ALTER TABLE dead DROP COLUMN bytes; ALTER TABLE dead DROP COLUMN key;"
    "ALTER TABLE dead DROP COLUMN accepted_us; ALTER TABLE dead DROP COLUMN registry;"
    "ALTER TABLE dead DROP COLUMN schema; ALTER TABLE dead DROP COLUMN version;"
    "CREATE INDEX dead_record ON dead (seq);"
    "INSERT OR REPLACE INTO state SELECT 'waiting_bytes', coalesce(sum(" OLD_SIZE
    "), 0) FROM record"
    " WHERE seq > " PRUNED " OR seq IN (SELECT seq FROM retry);"
    "INSERT OR REPLACE INTO state SELECT 'dead_bytes', coalesce(sum(" OLD_SIZE "), 0) FROM record"
    " WHERE seq <= " PRUNED " AND seq NOT IN (SELECT seq FROM retry);",

    /* A row is in `recent` or in `seen`, so that seen_rows counts it once. */
    "DELETE FROM recent WHERE EXISTS (SELECT 1 FROM seen WHERE seen.bucket = recent.bucket"
    " AND seen.id_hash = recent.id_hash AND seen.identity = recent.identity);"
    /* The order in which rows leave the quarantine: enum refused_kind in quarantine.c. */
    "ALTER TABLE refused ADD COLUMN kind INTEGER NOT NULL DEFAULT 4;"
    "UPDATE refused SET kind = CASE WHEN resolved_us != 0 THEN 0 WHEN registry_kind THEN 1"
    " WHEN outcome = 'malformed' THEN 2 WHEN outcome = 'unrouted' THEN 3 ELSE 4 END;"
    "CREATE INDEX refused_kind ON refused (kind, id, size);"
    "CREATE TABLE refused_kinds (kind INTEGER PRIMARY KEY, rows INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "INSERT INTO refused_kinds SELECT kind, count(*), sum(size) FROM refused GROUP BY kind;",

    /* `recent` has one row for each transaction (recent.c). Its rows of before go into `seen`: */
    "INSERT OR IGNORE INTO seen (bucket, id_hash, identity, processed_us)"
    " SELECT bucket, id_hash, identity, processed_us FROM recent"
    " ORDER BY bucket, id_hash, identity;"
    "UPDATE state SET value = value + changes() - (SELECT count(*) FROM recent)"
    " + coalesce((SELECT value FROM state WHERE name = 'recent_moved'), 0)"
    " WHERE name = 'seen_rows';"
    "DELETE FROM state WHERE name IN ('recent_moved', 'recent_last');"
    "DROP TABLE recent;"
    "CREATE TABLE recent (n INTEGER PRIMARY KEY, events BLOB NOT NULL);"
    /* The sinks that a record is for, as a mask of their bits; records of before are for all. */
    "ALTER TABLE record ADD COLUMN sinks INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE record ADD COLUMN route TEXT;"
    "ALTER TABLE record ADD COLUMN origin TEXT;" /* delivery/record_origin.h */
    "ALTER TABLE sink ADD COLUMN bit INTEGER NOT NULL DEFAULT 0;"
    "UPDATE sink SET bit = (SELECT count(*) FROM sink AS other WHERE other.id < sink.id);"
    "ALTER TABLE sink ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sink ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;"
    "UPDATE sink SET behind ="
    " max(pending - (SELECT count(*) FROM retry WHERE retry.sink = sink.id), 0);"
    "ALTER TABLE sink ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
    /* Records that are put into retry rows of the sink, from the history (sink_rows.c). */
    "ALTER TABLE sink ADD COLUMN fill INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sink ADD COLUMN fill_until INTEGER NOT NULL DEFAULT 0;"
    /* Up to here no record is kept as history. */
    "INSERT OR REPLACE INTO state SELECT 'history_from', value FROM state WHERE name = 'pruned';"
    /* A hash of the key by which a sink orders its records; 0: it does not. */
    "ALTER TABLE retry ADD COLUMN order_key INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX retry_key ON retry (sink, order_key, seq) WHERE order_key != 0;",

    /* Refused events as a work queue; `reason` is without values. Rows of before have none. */
    "ALTER TABLE refused ADD COLUMN route TEXT;"
    "ALTER TABLE refused ADD COLUMN rule TEXT;"
    "ALTER TABLE refused ADD COLUMN reason TEXT;"
    "CREATE INDEX refused_groups ON refused (resolved_us, route, outcome, rule, first_us, last_us);"
    "ALTER TABLE dead ADD COLUMN said BLOB;", /* what the sink's target answered */

    /* Apart from the rows, so that an update of a row does not write its body again. */
    "CREATE TABLE refused_body (id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "INSERT INTO refused_body (id, body) SELECT id, body FROM refused;"
    "ALTER TABLE refused DROP COLUMN body;",
};

const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_PAGES] = "PRAGMA page_count",
    [SQL_FREE_PAGES] = "PRAGMA freelist_count",

    [SQL_STATE_READ] = "SELECT value FROM state WHERE name = ?1",
    [SQL_STATE_WRITE] = "INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)",
    [SQL_OUTCOME_READ] = "SELECT name, count FROM outcome ORDER BY name",
    [SQL_OUTCOME_WRITE] = "INSERT OR REPLACE INTO outcome (name, count) VALUES (?1, ?2)",
    [SQL_SINK_READ] =
        "SELECT id, name, configured, cursor, until, head_attempts, head_next_us,"
        " enqueued, delivered, pending, dead, dropped, bit, since, behind, paused, fill,"
        " fill_until FROM sink ORDER BY id",
    [SQL_SINK_WRITE] = "INSERT OR REPLACE INTO sink (id, name, configured, cursor, until,"
                       " head_attempts, head_next_us, enqueued, delivered, pending, dead,"
                       " dropped, bit, since, behind, paused, fill, fill_until) VALUES"
                       " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
                       " ?17, ?18)",
    [SQL_SINK_DELETE] = "DELETE FROM sink WHERE id = ?1",

    [SQL_SEEN_BY_ID] = "SELECT identity, processed_us FROM seen"
                       " WHERE bucket = ?1 AND id_hash = ?2 LIMIT 1",
    [SQL_SEEN_EXACT] = "SELECT processed_us FROM seen"
                       " WHERE bucket = ?1 AND id_hash = ?2 AND identity = ?3",
    [SQL_SEEN_ADD] = "INSERT OR IGNORE INTO seen (bucket, id_hash, identity, processed_us)"
                     " VALUES (?1, ?2, ?3, ?4)",
    [SQL_SEEN_ADD_BULK] = "INSERT OR IGNORE INTO seen (bucket, id_hash, identity, processed_us)"
                          " VALUES " TIMES_64("(?, ?, ?, ?)"),
    [SQL_SEEN_HIGHEST] = "SELECT bucket FROM seen ORDER BY bucket DESC LIMIT 1",
    [SQL_SEEN_OLDEST] = "SELECT bucket FROM seen WHERE bucket >= ?1 ORDER BY bucket LIMIT 1",
    [SQL_SEEN_NTH] = "SELECT bucket, id_hash, identity FROM seen WHERE bucket >= ?1"
                     " ORDER BY bucket, id_hash, identity LIMIT 1 OFFSET ?2",
    [SQL_SEEN_DELETE_BELOW] = "DELETE FROM seen WHERE bucket >= ?1"
                              " AND (bucket, id_hash, identity) < (?2, ?3, ?4)",
    [SQL_SEEN_AFTER] = "SELECT bucket, id_hash, identity FROM seen"
                       " WHERE (bucket, id_hash, identity) > (?1, ?2, ?3)"
                       " ORDER BY bucket, id_hash, identity LIMIT 1 OFFSET ?4",
    [SQL_SEEN_COUNT_AFTER] = "SELECT count(*) FROM seen"
                             " WHERE (bucket, id_hash, identity) > (?1, ?2, ?3)",
    [SQL_RECENT_ADD] = "INSERT INTO recent (n, events) VALUES (?1, ?2)",
    [SQL_RECENT_READ] = "SELECT n, events FROM recent ORDER BY n",
    [SQL_RECENT_DELETE] = "DELETE FROM recent WHERE n <= ?1",

    [SQL_RECORD_ADD] = "INSERT INTO record (" RECORD_COLUMNS ", sinks)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_RECORD_RANGE] = "SELECT count(*), coalesce(sum(" SIZE "), 0) FROM record WHERE " IN_RANGE,
    [SQL_RECORD_COUNT_FOR] = "SELECT count(*) FROM record WHERE " IN_RANGE " AND sinks & ?3",
    [SQL_RECORD_FIRST_FOR] =
        "SELECT seq FROM record WHERE " IN_RANGE " AND sinks & ?3 ORDER BY seq LIMIT 1",
    [SQL_RECORD_HELD] =
        "SELECT coalesce(sum(size), 0), coalesce(sum(size) FILTER (WHERE idle AND NOT past), 0),"
        " coalesce(sum(size) FILTER (WHERE idle AND past), 0) FROM (SELECT " SIZE " AS size,"
        " seq <= ?3 AND seq NOT IN (SELECT seq FROM retry WHERE " IN_RANGE ") AS idle,"
        " seq > ?4 AND seq NOT IN (SELECT seq FROM dead WHERE " IN_RANGE ") AS past"
        " FROM record WHERE " IN_RANGE ")",
    [SQL_RECORD_YOUNG] =
        "SELECT seq FROM record WHERE " IN_RANGE " AND accepted_us >= ?3 ORDER BY seq LIMIT 1",
    [SQL_RECORD_LOOK] = "SELECT " SIZE ", EXISTS (SELECT 1 FROM retry WHERE seq = ?1),"
                        " EXISTS (SELECT 1 FROM dead WHERE seq = ?1) FROM record WHERE seq = ?1",
    [SQL_RECORD_NTH] = "SELECT seq FROM record WHERE seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2",
    [SQL_RECORD_DELETE] = "DELETE FROM record WHERE seq = ?1",
    [SQL_RECORD_DELETE_RANGE] = "DELETE FROM record WHERE " IN_RANGE
                                " AND seq NOT IN (SELECT seq FROM retry WHERE " IN_RANGE ")"
                                " AND seq NOT IN (SELECT seq FROM dead WHERE " IN_RANGE ")",
    [SQL_RECORD_UNWANTED] =
        "SELECT count(*), coalesce(sum(" SIZE "), 0) FROM record WHERE " UNWANTED,
    [SQL_RECORD_DELETE_UNWANTED] = "DELETE FROM record WHERE " UNWANTED,
    [SQL_RECORDS_AFTER] = "SELECT " RECORD_COLUMNS ", 0 FROM record WHERE seq > ?1 AND sinks & ?3"
                          " ORDER BY seq LIMIT ?2",
    [SQL_RECORD_TIME] = "SELECT accepted_us FROM record WHERE seq > ?1 AND sinks & ?2"
                        " ORDER BY seq LIMIT 1",

    [SQL_RETRY_ADD] = "INSERT INTO retry (seq, sink, attempts, next_us, reason)"
                      " VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_RETRY_ADD_KEYED] =
        "INSERT INTO retry (seq, sink, attempts, next_us, reason, order_key) VALUES (?1, ?2, ?3,"
        " CASE WHEN EXISTS " PREDECESSOR("?1") " THEN " NEVER " ELSE ?4 END, ?5, ?6)",
    [SQL_RETRY_FROM_RECORDS] =
        "INSERT INTO retry (seq, sink, attempts, next_us)"
        " SELECT seq, ?3, 0, 0 FROM record WHERE " IN_RANGE " AND sinks & ?4",
    [SQL_RETRY_FROM_HISTORY] = "INSERT INTO retry (seq, sink, attempts, next_us)"
                               " SELECT seq, ?3, 0, 0 FROM record WHERE " CHOSEN,
    [SQL_RETRY_COUNT_HISTORY] = "SELECT count(*) FROM record WHERE " CHOSEN,
    [SQL_RETRY_FIRST] = "SELECT seq FROM retry WHERE sink = ?1 ORDER BY seq LIMIT 1",
    [SQL_RETRY_UPDATE] = "UPDATE retry SET attempts = attempts + ?3, next_us = ?4, reason = ?5"
                         " WHERE sink = ?1 AND seq = ?2",
    [SQL_RETRY_UPDATE_KEYED] =
        "UPDATE retry SET attempts = attempts + ?3, reason = ?5, order_key = ?6, next_us ="
        " CASE WHEN EXISTS " PREDECESSOR("?1") " THEN " NEVER " ELSE ?4 END"
                                               " WHERE sink = ?2 AND seq = ?1",
    /* The next row of the key of row ?2, unless an earlier row has that key, too. */
    [SQL_RETRY_RELEASE] =
        "UPDATE retry SET next_us = ?3 WHERE sink = ?1 AND next_us = " NEVER " AND seq ="
        " (SELECT min(later.seq) FROM retry AS gone CROSS JOIN retry AS later"
        " ON later.sink = gone.sink AND later.order_key = gone.order_key AND later.order_key != 0"
        " AND later.seq > gone.seq WHERE gone.seq = ?2 AND gone.sink = ?1 AND NOT EXISTS"
        " (SELECT 1 FROM retry AS earlier WHERE earlier.sink = gone.sink"
        " AND earlier.order_key = gone.order_key AND earlier.order_key != 0"
        " AND earlier.seq < gone.seq))",
    [SQL_RETRY_BEFORE] = "SELECT 1 FROM retry WHERE sink = ?1 AND order_key = ?2"
                         " AND order_key != 0 AND seq < ?3 LIMIT 1",
    [SQL_RETRY_UNKEYED] = "SELECT 1 FROM retry WHERE sink = ?1 AND order_key = 0 LIMIT 1",
    [SQL_RETRY_DELETE] = "DELETE FROM retry WHERE sink = ?1 AND seq = ?2",
    [SQL_RETRY_COUNT] = "SELECT sink, count(*) FROM retry WHERE " IN_RANGE " GROUP BY sink",
    [SQL_RETRY_DUE] = "SELECT " FROM_RECORD ", attempts, order_key FROM " RETRY_RECORD
                      " WHERE sink = ?1 AND next_us <= ?2 ORDER BY next_us, retry.seq LIMIT ?3",
    [SQL_RETRY_IN_ORDER] = "SELECT " FROM_RECORD ", attempts, order_key FROM " RETRY_RECORD
                           " WHERE sink = ?1 AND retry.seq < coalesce((SELECT min(seq) FROM retry"
                           " WHERE sink = ?1 AND next_us > ?2), 9223372036854775807)"
                           " ORDER BY retry.seq LIMIT ?3",
    [SQL_RETRY_NEXT_TIME] = "SELECT next_us FROM retry WHERE sink = ?1 AND next_us > ?2"
                            " ORDER BY next_us LIMIT 1",
    [SQL_RETRY_OLDEST] =
        "SELECT accepted_us FROM " RETRY_RECORD " WHERE sink = ?1 ORDER BY retry.seq LIMIT 1",
    [SQL_RETRY_FIND] =
        "SELECT " FROM_RECORD ", attempts FROM " RETRY_RECORD " WHERE sink = ?1 AND retry.seq = ?2",
    [SQL_RETRY_LAST_TIME] =
        "SELECT next_us FROM retry WHERE sink = ?1 AND next_us <= ?2 ORDER BY next_us DESC LIMIT 1",
    [SQL_RETRY_HASTEN] = "UPDATE retry SET next_us = ?3 WHERE sink = ?1 AND seq IN"
                         " (SELECT seq FROM retry WHERE sink = ?1 AND next_us > ?2"
                         " AND next_us <= ?4 LIMIT 500)",

    [SQL_DEAD_ADD] = "INSERT INTO dead (sink, dead_us, attempts, reason, seq, said)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_DEAD_FIND] = "SELECT sink, seq FROM dead WHERE id = ?1",
    [SQL_DEAD_FIRST] = "SELECT id, seq FROM dead WHERE sink = ?1 ORDER BY id LIMIT 1",
    [SQL_DEAD_OLDEST] = "SELECT id, seq, sink FROM dead ORDER BY id LIMIT 1",
    [SQL_DEAD_DELETE] = "DELETE FROM dead WHERE id = ?1",
    [SQL_DEAD_COUNT] = "SELECT sink, count(*) FROM dead WHERE " IN_RANGE " GROUP BY sink",

    [SQL_REFUSED_KINDS] = "SELECT kind, rows, bytes FROM refused_kinds",
    [SQL_REFUSED_KIND_WRITE] =
        "INSERT OR REPLACE INTO refused_kinds (kind, rows, bytes) VALUES (?1, ?2, ?3)",
    [SQL_REFUSED_FIND] = "SELECT id, size, kind, resolved_us FROM refused WHERE identity = ?1",
    [SQL_REFUSED_ADD] =
        "INSERT INTO refused (identity, event_id, outcome, details, units, registry,"
        " schema, version, registry_kind, first_us, last_us, attempts, resolved_us,"
        " size, kind, route, rule, reason) VALUES"
        " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 1, 0, ?11, ?12, ?13, ?14, ?15)",
    [SQL_REFUSED_BODY_ADD] = "INSERT INTO refused_body (id, body) VALUES (last_insert_rowid(), ?1)",
    [SQL_REFUSED_AGAIN] =
        "UPDATE refused SET outcome = ?2, details = ?3, units = ?4, registry = ?5,"
        " schema = ?6, version = ?7, registry_kind = ?8, last_us = ?9,"
        " attempts = attempts + 1, resolved_us = 0, size = ?10, kind = ?11, route = ?12,"
        " rule = ?13, reason = ?14 WHERE id = ?1",
    [SQL_REFUSED_RESOLVE] = "UPDATE refused SET resolved_us = ?2, kind = ?3 WHERE id = ?1",
    [SQL_REFUSED_OLDEST] = "SELECT id, size, kind, first_us FROM refused ORDER BY id LIMIT 1",
    [SQL_REFUSED_OLDEST_OF] = "SELECT id, size, kind FROM refused WHERE kind = ?1"
                              " ORDER BY id LIMIT 1",
    [SQL_REFUSED_COUNT] = "SELECT count(*), coalesce(sum(size), 0), max(id) FROM (SELECT id, size"
                          " FROM refused WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3)",
    [SQL_REFUSED_DELETE] = "DELETE FROM refused WHERE id = ?1",
    [SQL_REFUSED_BODY_DELETE] = "DELETE FROM refused_body WHERE id = ?1",
    [SQL_REFUSED_LOOK] = "SELECT size, kind FROM refused WHERE id = ?1",

    [SQL_BEGIN_READING] = "BEGIN",
    [SQL_VIEW_REFUSED] = "SELECT " REFUSED_COLUMNS FROM_REFUSED " ORDER BY id LIMIT ?14",
    [SQL_VIEW_REFUSED_DOWN] = "SELECT " REFUSED_COLUMNS FROM_REFUSED " ORDER BY id DESC LIMIT ?14",
    [SQL_VIEW_GROUPS] =
        "SELECT route, outcome, rule, count(*), max(id), min(first_us), max(last_us)" FROM_REFUSED
        " GROUP BY route, outcome, rule ORDER BY count(*) DESC,"
        " max(id) DESC LIMIT ?14",
    [SQL_VIEW_REGISTRY] =
        "SELECT " REFUSED_COLUMNS " FROM refused WHERE registry_kind AND resolved_us = 0"
        " AND registry = ?1 AND schema = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
    [SQL_VIEW_DEAD] = "SELECT " DEAD_COLUMNS FROM_DEAD " ORDER BY dead.id LIMIT ?11",
    [SQL_VIEW_DEAD_DOWN] = "SELECT " DEAD_COLUMNS FROM_DEAD " ORDER BY dead.id DESC LIMIT ?11",
};
