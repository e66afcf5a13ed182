/*
 * seed.c - faults put into the server on purpose, to see that the crash tests find them.
 *
 * Stands in for libsqlite3's calls (LD_PRELOAD), so that nothing of it can be in the program
 * itself. $SEED_BUG says which:
 *
 *   no-sync  the store is opened with synchronous=OFF: a commit returns before it is on the disk
 *   early    COMMIT says "done" and is done later, at the next thing that needs it: callers are
 *            answered before their events are committed
 *
 * The others put one statement of the store in another's place:
 *
 *   forgets    the events of one in four transactions are not remembered: they are new when they
 *              come again after a restart
 *   loses      a record that a sink failed for is not kept for it
 *   shuffles   the first record is read with the number of the second, the second with that of
 *              the first, and so on: sinks get them in another order than they were accepted in
 *   miscounts  a record that was delivered in the end still counts as waiting
 */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *bug;
    const char *begin; /* of the statement that is replaced, */
    const char *end;   /* and its end; what stands between them stays */
    const char *new_begin;
    const char *new_end;
} replacements[] = {
    { "forgets", "INSERT INTO recent ", "VALUES (?1, ?2)", "INSERT INTO recent ",
      "SELECT ?1, ?2 WHERE ?1 % 4 <> 0" },
    { "loses", "INSERT INTO retry (seq, sink, attempts, next_us, reason)",
      " VALUES (?1, ?2, ?3, ?4, ?5)", "INSERT INTO retry (seq, sink, attempts, next_us, reason)",
      " SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?1 % 2 = 0" },
    { "shuffles", "SELECT seq, key, ", " ORDER BY seq LIMIT ?2",
      "SELECT CASE WHEN row_number() OVER all_rows % 2 THEN coalesce(lead(seq) OVER all_rows, seq)"
      " ELSE lag(seq) OVER all_rows END AS other, key, ",
      " WINDOW all_rows AS (ORDER BY seq) ORDER BY other LIMIT ?2" },
    { "miscounts", "DELETE FROM retry", " WHERE sink = ?1 AND seq = ?2", "DELETE FROM retry",
      " WHERE sink = ?1 AND seq = ?2 AND seq % 2 = 0" },
};

static bool without_sync;
static bool early;
static _Thread_local bool in_exec; /* sqlite3_exec() ends its statements by itself */
static sqlite3_stmt *waiting;      /* COMMIT; the committer's thread alone commits */

static const char *bug;

static int (*real_step)(sqlite3_stmt *statement);
static int (*real_prepare)(sqlite3 *db, const char *sql, int len, unsigned flags,
                           sqlite3_stmt **statement, const char **tail);
static int (*real_reset)(sqlite3_stmt *statement);
static int (*real_finalize)(sqlite3_stmt *statement);
static int (*real_exec)(sqlite3 *db, const char *sql,
                        int (*row)(void *self, int count, char **values, char **names), void *self,
                        char **problem);
static int (*real_close)(sqlite3 *db);
static int (*real_checkpoint)(sqlite3 *db, const char *name, int mode, int *frames, int *moved);

__attribute__((constructor)) static void begin(void)
{
    bug = getenv("SEED_BUG"); /* NOLINT(concurrency-mt-unsafe): before main() */
    if (!bug)
        abort();
    without_sync = strcmp(bug, "no-sync") == 0;
    early = strcmp(bug, "early") == 0;
    *(void **)&real_prepare = dlsym(RTLD_NEXT, "sqlite3_prepare_v3");
    *(void **)&real_step = dlsym(RTLD_NEXT, "sqlite3_step");
    *(void **)&real_reset = dlsym(RTLD_NEXT, "sqlite3_reset");
    *(void **)&real_finalize = dlsym(RTLD_NEXT, "sqlite3_finalize");
    *(void **)&real_exec = dlsym(RTLD_NEXT, "sqlite3_exec");
    *(void **)&real_close = dlsym(RTLD_NEXT, "sqlite3_close");
    *(void **)&real_checkpoint = dlsym(RTLD_NEXT, "sqlite3_wal_checkpoint_v2");
}

/* What is to be prepared in the place of `sql`, in `text`; or `sql` itself. */
static const char *replaced(const char *sql, char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(replacements) / sizeof(replacements[0]); i++) {
        size_t begin = strlen(replacements[i].begin);
        size_t len = strlen(sql);
        size_t end = strlen(replacements[i].end);

        if (strcmp(bug, replacements[i].bug) != 0 || len < begin + end ||
            strncmp(sql, replacements[i].begin, begin) != 0 ||
            strcmp(sql + len - end, replacements[i].end) != 0)
            continue;
        (void)snprintf(text, size, "%s%.*s%s", replacements[i].new_begin, (int)(len - begin - end),
                       sql + begin, replacements[i].new_end);
        return text;
    }
    return sql;
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
/* NOLINTNEXTLINE(readability-function-size): the parameters are SQLite's choice */
int sqlite3_prepare_v3(sqlite3 *db, const char *sql, int len, unsigned flags,
                       sqlite3_stmt **statement, const char **tail)
{
    char text[4096];
    const char *other = replaced(sql, text, sizeof(text));

    return real_prepare(db, other, other == sql ? len : -1, flags, statement, tail);
}

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
