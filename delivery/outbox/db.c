/*
 * db.c - see db.h.
 */
#include "delivery/outbox/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    BUSY_MS = 100,     /* wait so long for readers to end */
    LOG_HEADER = 32,   /* bytes at the beginning of the log */
    FRAME_HEADER = 24, /* bytes before each page in it */
    PAGE = 4096,
};

/*
 * FULL: a commit returns when its log is on the disk. No automatic checkpoints: checkpoint.c
 * decides when. FAST: deleted data is overwritten where that needs no further write. No vacuum:
 * free pages stay in the file, because a store that was full once may be full again, and because
 * vacuuming makes each commit maintain pointer maps. The cache is small, because after a commit
 * that has balanced a tree SQLite walks through all cached pages.
 */
static const char writer_pragmas[] = "PRAGMA page_size = 4096;"
                                     "PRAGMA journal_mode = WAL;"
                                     "PRAGMA synchronous = FULL;"
                                     "PRAGMA wal_autocheckpoint = 0;"
                                     "PRAGMA secure_delete = FAST;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA cache_size = -2048;";

static const char reader_pragmas[] = "PRAGMA query_only = ON;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA cache_size = -1024;";

bool db_fail(const struct db *db, const char *what, struct error *err)
{
    return fail(err, ERR_SYSTEM, "%s: %s", what, sqlite3_errmsg(db->handle));
}

static bool execute(struct db *db, const char *sql, struct error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return db_fail(db, "store", err);
}

/* The number that a pragma returns. */
static bool read_pragma(struct db *db, const char *sql, int64_t *out, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int64(statement, 0);
    else
        (void)db_fail(db, "store", err);
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool migrate(struct db *db, int64_t version, struct error *err)
{
    for (int64_t i = version; i < SQL_VERSION; i++) {
        char mark[128];

        (void)snprintf(mark, sizeof(mark),
                       "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                       (int)SQL_APPLICATION, (int)i + 1);
        if (!execute(db, "BEGIN IMMEDIATE", err) || !execute(db, sql_migrations[i], err) ||
            !execute(db, mark, err))
            return false;
    }
    return true;
}

/* Is it a store of a known version? An empty database may become one. */
static bool check_version(struct db *db, int64_t *version, struct error *err)
{
    int64_t application = 0;
    int64_t tables = 0;

    if (!read_pragma(db, "PRAGMA user_version", version, err) ||
        !read_pragma(db, "PRAGMA application_id", &application, err) ||
        !read_pragma(db, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (application != SQL_APPLICATION && (application != 0 || *version != 0 || tables != 0))
        return fail(err, ERR_CONFIG, "not a store of this program");
    if (*version > SQL_VERSION)
        return fail(err, ERR_CONFIG,
                    "the store is of version %d, written by a newer sluice; this one knows "
                    "version %d: install that one again, or use another store.path",
                    (int)*version, SQL_VERSION);
    return true;
}

static const char *file_name(const struct db *db)
{
    return sqlite3_db_filename(db->handle, NULL);
}

static const char *log_name(const struct db *db)
{
    return sqlite3_filename_wal(file_name(db));
}

static bool find_file(const char *name, struct db_file *file, struct error *err)
{
    struct stat status;

    if (stat(name, &status) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", name);
    *file = (struct db_file){ status.st_dev, status.st_ino, status.st_size };
    return true;
}

/* Sets `size` to its present size. */
static bool is_at(const char *name, const struct db_file *file, int64_t *size, struct error *err)
{
    struct db_file found = { 0 };

    if (!find_file(name, &found, err))
        return false;
    if (found.device != file->device || found.inode != file->inode)
        return fail(err, ERR_SYSTEM, "%s: replaced by another file", name);
    if (found.size < file->size)
        return fail(err, ERR_SYSTEM, "%s: cut from %lld to %lld bytes", name, (long long)file->size,
                    (long long)found.size);
    *size = found.size;
    return true;
}

bool db_has_name(const struct db *db)
{
    struct error ignored = { 0 };
    int64_t size;

    return is_at(file_name(db), &db->file, &size, &ignored);
}

bool db_is_in_place(struct db *db, struct error *err)
{
    return !db->handle || (is_at(file_name(db), &db->file, &db->file.size, err) &&
                           is_at(log_name(db), &db->log, &db->log_length, err));
}

/* A checkpoint may have made the database longer. */
static bool note_size(struct db *db, struct error *err)
{
    return db->file.inode == 0 || is_at(file_name(db), &db->file, &db->file.size, err);
}

static int note_frames(void *self, sqlite3 *handle, const char *name, int frames)
{
    struct db *db = self;

    (void)handle;
    (void)name;
    db->log_restarted = db->log_restarted || frames < db->last_frame;
    db->last_frame = frames;
    db->frames = frames;
    db->log.size = LOG_HEADER + (int64_t)frames * (PAGE + FRAME_HEADER);
    return SQLITE_OK;
}

static bool set_up(struct db *db, enum db_access access, struct error *err)
{
    int64_t version = 0;

    (void)sqlite3_extended_result_codes(db->handle, 1);
    (void)sqlite3_busy_timeout(db->handle, BUSY_MS);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!check_version(db, &version, err))
        return false;
    if (access == DB_READ && version != SQL_VERSION)
        return fail(err, ERR_CONFIG, "the store is of version %d: start the server once",
                    (int)version);
    if (access != DB_WRITE)
        return execute(db, reader_pragmas, err);
    if (!execute(db, writer_pragmas, err) || !migrate(db, version, err))
        return false;
    (void)sqlite3_wal_hook(db->handle, note_frames, db);
    if (!find_file(file_name(db), &db->file, err) || !find_file(log_name(db), &db->log, err))
        return false;
    db->log.size = 0; /* note_frames() sets it at the first commit */
    return true;
}

/* By default SQLite counts its memory, which takes a lock for each allocation. */
static void prepare_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool db_open(struct db *db, const char *path, enum db_access access, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags = access == DB_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;

    (void)pthread_once(&once, prepare_library);
    *db = (struct db){ 0 };

    bool ok = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK;

    if (!ok)
        (void)db_fail(db, "cannot be opened", err);
    ok = ok && set_up(db, access, err);
    if (!ok) {
        db_close(db);
        return fail_within(err, path);
    }
    return true;
}

void db_close(struct db *db)
{
    struct error ignored = { 0 };

    /* At the last close SQLite runs a checkpoint and deletes the log, in whatever file is there. */
    if (db->file.inode != 0 && !db_is_in_place(db, &ignored))
        (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    for (size_t i = 0; i < SQL_COUNT; i++) {
        (void)sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
    (void)sqlite3_close(db->handle);
    db->handle = NULL;
}

static sqlite3_stmt *prepared(struct db *db, enum sql statement)
{
    if (!db->statements[statement])
        (void)sqlite3_prepare_v3(db->handle, sql_texts[statement], -1, SQLITE_PREPARE_PERSISTENT,
                                 &db->statements[statement], NULL);
    return db->statements[statement];
}

static void bind_str(sqlite3_stmt *to, int index, char type, struct str value)
{
    if (!value.ptr)
        (void)sqlite3_bind_null(to, index);
    else if (type == 'b')
        (void)sqlite3_bind_blob64(to, index, value.ptr, value.len, SQLITE_STATIC);
    else
        (void)sqlite3_bind_text64(to, index, value.ptr, value.len, SQLITE_STATIC, SQLITE_UTF8);
}

/*
 * The prepared statement with its values; NULL: it cannot be prepared. Types and number of values
 * are constants of this program, so binding cannot fail.
 */
static sqlite3_stmt *bind(struct db *db, enum sql statement, const char *types, va_list values)
{
    sqlite3_stmt *to = prepared(db, statement);

    for (int i = 0; to && types[i]; i++) {
        if (types[i] == 'i')
            (void)sqlite3_bind_int64(to, i + 1, va_arg(values, int64_t));
        else
            bind_str(to, i + 1, types[i], va_arg(values, struct str));
    }
    return to;
}

static enum db_found found(int code)
{
    if (code == SQLITE_ROW)
        return DB_FOUND;
    return code == SQLITE_DONE ? DB_NONE : DB_BROKEN;
}

bool db_run(struct db *db, enum sql statement, const char *types, ...)
{
    va_list values;

    va_start(values, types);

    sqlite3_stmt *bound = bind(db, statement, types, values);

    va_end(values);
    if (!bound)
        return false;
    (void)sqlite3_step(bound);
    return sqlite3_reset(bound) == SQLITE_OK;
}

bool db_run_values(struct db *db, enum sql statement, const struct db_value *values, size_t count)
{
    sqlite3_stmt *to = prepared(db, statement);

    for (size_t i = 0; to && i < count; i++) {
        if (values[i].is_blob)
            bind_str(to, (int)i + 1, 'b', values[i].blob);
        else
            (void)sqlite3_bind_int64(to, (int)i + 1, values[i].number);
    }
    if (!to)
        return false;
    (void)sqlite3_step(to);
    return sqlite3_reset(to) == SQLITE_OK;
}

enum db_found db_find(struct db *db, enum sql statement, const char *types, ...)
{
    va_list values;

    va_start(values, types);

    sqlite3_stmt *bound = bind(db, statement, types, values);

    va_end(values);
    return bound ? found(sqlite3_step(bound)) : DB_BROKEN;
}

enum db_found db_numbers(struct db *db, enum sql statement, int64_t *out, const char *types, ...)
{
    va_list values;

    va_start(values, types);

    sqlite3_stmt *row = bind(db, statement, types, values);

    va_end(values);
    if (!row)
        return DB_BROKEN;

    enum db_found got = found(sqlite3_step(row));

    for (int i = 0; i < sqlite3_column_count(row); i++)
        out[i] = got == DB_FOUND ? sqlite3_column_int64(row, i) : 0;
    (void)sqlite3_reset(row);
    return got;
}

enum db_found db_next(struct db *db, enum sql statement)
{
    return found(sqlite3_step(db->statements[statement]));
}

void db_reset(struct db *db, enum sql statement)
{
    (void)sqlite3_reset(db->statements[statement]);
}

int64_t db_int(struct db *db, enum sql statement, int column)
{
    return sqlite3_column_int64(db->statements[statement], column);
}

struct str db_text(struct db *db, enum sql statement, int column)
{
    sqlite3_stmt *row = db->statements[statement];
    struct str text = { sqlite3_column_blob(row, column),
                        (size_t)sqlite3_column_bytes(row, column) };

    /* SQLite returns NULL for an empty blob too. */
    if (!text.ptr && sqlite3_column_type(row, column) != SQLITE_NULL)
        text.ptr = "";
    return text;
}

bool db_is_full(const struct db *db)
{
    return (sqlite3_extended_errcode(db->handle) & 0xff) == SQLITE_FULL;
}

bool db_is_none(const struct db *db)
{
    return sqlite3_errcode(db->handle) == SQLITE_NOTADB;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

bool db_checkpoint(struct db *db, enum db_checkpoint how, struct error *err)
{
    int frames = 0;
    int moved = 0;
    int mode = how == DB_CHECKPOINT_RESET ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &frames, &moved);

    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return db_fail(db, "checkpoint", err);
    if (code == SQLITE_OK && frames == moved)
        db->frames = 0;
    else
        db->frames = frames > 0 ? frames : 1;
    if (how == DB_CHECKPOINT_RESET && db->frames == 0)
        db->log.size = db->log_length = 0;
    db->log_restarted = false;
    return note_size(db, err);
}

bool db_count_pages(struct db *db)
{
    return db_numbers(db, SQL_PAGES, &db->pages, "") == DB_FOUND &&
           db_numbers(db, SQL_FREE_PAGES, &db->free_pages, "") == DB_FOUND;
}

int64_t db_growth(const struct db *db)
{
    int64_t growth = db->pages * PAGE - db->file.size;

    return growth > 0 ? growth : 0;
}

int64_t db_free_bytes(const struct db *db)
{
    return db->free_pages * PAGE;
}

int64_t db_log_bytes(const struct db *db)
{
    return (int64_t)db->frames * (PAGE + FRAME_HEADER);
}
