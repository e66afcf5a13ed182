/*
 * seed.c - two faults put into the server on purpose, to see that the crash test finds them.
 *
 * Stands in for libsqlite3's calls (LD_PRELOAD), so that nothing of it can be in the program
 * itself. $SEED_BUG says which:
 *
 *   no-sync  the store is opened with synchronous=OFF: a commit returns before it is on the disk
 *   early    COMMIT says "done" and is done later, at the next thing that needs it: callers are
 *            answered before their events are committed
 */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool without_sync;
static bool early;
static _Thread_local bool in_exec; /* sqlite3_exec() ends its statements by itself */
static sqlite3_stmt *waiting;      /* COMMIT; the committer's thread alone commits */

static int (*real_step)(sqlite3_stmt *statement);
static int (*real_reset)(sqlite3_stmt *statement);
static int (*real_finalize)(sqlite3_stmt *statement);
static int (*real_exec)(sqlite3 *db, const char *sql,
                        int (*row)(void *self, int count, char **values, char **names), void *self,
                        char **problem);
static int (*real_close)(sqlite3 *db);
static int (*real_checkpoint)(sqlite3 *db, const char *name, int mode, int *frames, int *moved);

__attribute__((constructor)) static void begin(void)
{
    const char *bug = getenv("SEED_BUG"); /* NOLINT(concurrency-mt-unsafe): before main() */

    without_sync = bug && strcmp(bug, "no-sync") == 0;
    early = bug && strcmp(bug, "early") == 0;
    if (!without_sync && !early)
        abort();
    *(void **)&real_step = dlsym(RTLD_NEXT, "sqlite3_step");
    *(void **)&real_reset = dlsym(RTLD_NEXT, "sqlite3_reset");
    *(void **)&real_finalize = dlsym(RTLD_NEXT, "sqlite3_finalize");
    *(void **)&real_exec = dlsym(RTLD_NEXT, "sqlite3_exec");
    *(void **)&real_close = dlsym(RTLD_NEXT, "sqlite3_close");
    *(void **)&real_checkpoint = dlsym(RTLD_NEXT, "sqlite3_wal_checkpoint_v2");
}

static void commit_now(void)
{
    sqlite3_stmt *commit = waiting;

    if (!commit)
        return;
    waiting = NULL;
    (void)real_step(commit);
    (void)real_reset(commit);
}

/* SQLite's own names for parameters are not for us. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int sqlite3_step(sqlite3_stmt *statement)
{
    const char *sql = sqlite3_sql(statement);

    if (early && !in_exec && sql && strcmp(sql, "COMMIT") == 0) {
        waiting = statement;
        return SQLITE_DONE;
    }
    if (early && sql && strncmp(sql, "BEGIN", 5) == 0)
        commit_now();
    return real_step(statement);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are SQLite's choice */
int sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *frames, int *moved)
{
    commit_now();
    return real_checkpoint(db, name, mode, frames, moved);
}

int sqlite3_finalize(sqlite3_stmt *statement)
{
    if (statement && statement == waiting)
        commit_now();
    return real_finalize(statement);
}

int sqlite3_close(sqlite3 *db)
{
    commit_now();
    return real_close(db);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are SQLite's choice */
int sqlite3_exec(sqlite3 *db, const char *sql,
                 int (*row)(void *self, int count, char **values, char **names), void *self,
                 char **problem)
{
    int code;

    in_exec = true;
    code = real_exec(db, sql, row, self, problem);
    in_exec = false;
    if (without_sync && code == SQLITE_OK && strstr(sql, "synchronous"))
        code = real_exec(db, "PRAGMA synchronous = OFF", row, self, problem);
    return code;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
