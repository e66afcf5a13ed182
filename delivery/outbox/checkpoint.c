/*
 * checkpoint.c - see checkpoint.h; docs/decisions/013.
 *
 * The log is moved while no events come, or when it has grown too long; both by the connection that
 * writes, because SQLite before 3.51.3 can lose commits when several connections write and
 * checkpoint. Events that come meanwhile wait, so the longest log depends on how long the last move
 * took.
 *
 * A process that reads keeps the log from being moved, so it is looked up and logged. SQLite's
 * readers hold POSIX locks on bytes of the log's index (`-shm`), which the system lists with their
 * owners. fcntl(2) cannot be used to ask: closing its descriptor would drop this process's locks.
 */
#include "delivery/outbox/checkpoint.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "delivery/outbox/capacity.h"

enum {
    PAUSE_US = 200 * US_PER_MS,   /* between checkpoints of one and the same log */
    RESET_PAUSE_US = US_PER_S,    /* between waits for readers to leave the log */
    HELD_US = US_PER_S,           /* a reader that holds the log for so long is logged, */
    HELD_LOG_US = US_PER_MINUTE,  /* so often */
    TIGHT_PART = 4,               /* times the reserve: with less free the log is moved at once */
    LOG_FRAMES = 1000,            /* worth a checkpoint when idle */
    LOG_FIRST = 16 * 1024 * 1024, /* bytes worth a checkpoint in any case: to begin with, */
    LOG_LEAST = 4 * 1024 * 1024,  /* from here */
    LOG_MOST = 128 * 1024 * 1024, /* up to here, or capacity_longest_log() */
    LOG_MOVE_US = 10 * US_PER_MS, /* that a checkpoint should take at most */

    FIRST_READ_LOCK = 123, /* offset in the index, fixed by SQLite's file format */
    LAST_READ_LOCK = 127,
    FIELDS = 8, /* of a line of /proc/locks */
    FIELD_KIND = 1,
    FIELD_PID = 4,
    FIELD_FILE = 5, /* device and inode: 08:01:1234 */
    FIELD_FIRST = 6,
    FIELD_LAST = 7,
};

/* A process that reads in the store. */
struct reader {
    int64_t pid;      /* 0: unknown; it may run in another process namespace */
    char command[32]; /* its name */
};

static bool find_inode(const char *path, unsigned long long *inode)
{
    char name[PATH_MAX];
    struct stat status;
    int len = snprintf(name, sizeof(name), "%s-shm", path);

    if (len < 0 || (size_t)len >= sizeof(name) || stat(name, &status) != 0)
        return false;
    *inode = status.st_ino;
    return true;
}

/* A decimal number; 0 for other text, such as "EOF". */
static unsigned long long number(const char *text)
{
    unsigned long long value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (unsigned)(*text - '0');
    return *text ? 0 : value;
}

/* The process in this line, if it reads in the log with that index; else 0. */
static int64_t lock_owner(char *line, unsigned long long inode)
{
    char *fields[FIELDS] = { 0 };
    char *rest = NULL;
    char *field = strtok_r(line, " \n", &rest);

    for (size_t i = 0; i < FIELDS && field; i++) {
        fields[i] = field;
        field = strtok_r(NULL, " \n", &rest);
    }

    const char *file = fields[FIELD_LAST] ? strrchr(fields[FIELD_FILE], ':') : NULL;

    if (!file || strcmp(fields[FIELD_KIND], "POSIX") != 0 || number(file + 1) != inode ||
        number(fields[FIELD_FIRST]) < FIRST_READ_LOCK ||
        number(fields[FIELD_LAST]) > LAST_READ_LOCK)
        return 0;
    return (int64_t)number(fields[FIELD_PID]);
}

static void read_command(struct reader *reader)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "/proc/%lld/comm", (long long)reader->pid);

    FILE *file = fopen(name, "re");

    if (!file)
        return;
    if (fgets(reader->command, sizeof(reader->command), file))
        reader->command[strcspn(reader->command, "\n")] = '\0';
    (void)fclose(file);
}

static void find_reader(const char *path, struct reader *out)
{
    unsigned long long inode;
    char line[256];

    *out = (struct reader){ 0 };
    if (!find_inode(path, &inode))
        return;

    FILE *locks = fopen("/proc/locks", "re");

    if (!locks)
        return;
    while (out->pid == 0 && fgets(line, sizeof(line), locks)) {
        int64_t pid = lock_owner(line, inode);

        if (pid != getpid())
            out->pid = pid;
    }
    (void)fclose(locks);
    if (out->pid != 0)
        read_command(out);
}

static void log_held(const struct outbox_store *store, int64_t held_us)
{
    struct reader reader;

    find_reader(store->location.path, &reader);
    LOG_EVENT(LOG_WARN, "store_log_held",
              LOG_STR("reader", reader.pid ? str_from_c(reader.command) : STR("unknown")),
              LOG_INT("pid", reader.pid), LOG_INT("seconds", held_us / US_PER_S),
              LOG_INT("log_bytes", db_log_bytes(&store->db)));
}

/* Log a reader that keeps part of the log from being moved, and the end of that. */
static void note_held(struct outbox_store *store)
{
    struct checkpoints *checkpoints = &store->checkpoints;
    int64_t now_us = clock_monotonic_us();

    if (store->db.frames == 0) {
        if (checkpoints->held_log_us != 0)
            LOG_EVENT(LOG_INFO, "store_log_released",
                      LOG_INT("seconds", (now_us - checkpoints->held_since_us) / US_PER_S));
        checkpoints->held_since_us = checkpoints->held_log_us = 0;
    } else if (checkpoints->held_since_us == 0) {
        checkpoints->held_since_us = now_us;
    } else if (now_us - checkpoints->held_since_us >= HELD_US &&
               now_us >= checkpoints->held_log_us) {
        checkpoints->held_log_us = now_us + HELD_LOG_US;
        log_held(store, now_us - checkpoints->held_since_us);
    }
}

/* On a full disk the log stays where it is: what was acknowledged is as safe there. */
static bool move_log(struct outbox_store *store, enum db_checkpoint how, struct error *err)
{
    if (db_checkpoint(&store->db, how, err))
        return true;
    if (!db_is_full(&store->db))
        return false;
    return !capacity_disk_full(store) || db_checkpoint(&store->db, how, err) ||
           db_is_full(&store->db);
}

static bool checkpoint(struct outbox_store *store, enum db_checkpoint how, struct error *err)
{
    if (!move_log(store, how, err))
        return false;
    note_held(store);
    store->checkpoints.next_us = clock_monotonic_us() + PAUSE_US;
    store->checkpoints.wanted = false;
    capacity_update(store);
    return true;
}

bool checkpoint_is_due(const struct outbox_store *store)
{
    return store->db.frames >= (store->checkpoints.wanted ? 1 : LOG_FRAMES) &&
           clock_monotonic_us() >= store->checkpoints.next_us;
}

bool checkpoint_idle(struct outbox_store *store, struct error *err)
{
    return checkpoint(store, DB_CHECKPOINT_PASSIVE, err);
}

int64_t checkpoint_next_us(const struct outbox_store *store)
{
    return store->db.frames >= LOG_FRAMES ? store->checkpoints.next_us : INT64_MAX;
}

/* The longest log of the next time, if it took so long to move this one. */
static int64_t next_max(int64_t bytes, int64_t took_us)
{
    if (took_us > LOG_MOVE_US)
        return bytes / 2 > LOG_LEAST ? bytes / 2 : LOG_LEAST;
    if (took_us < LOG_MOVE_US / 2)
        return bytes * 2 < LOG_MOST ? bytes * 2 : LOG_MOST;
    return bytes;
}

static bool checkpoint_timed(struct outbox_store *store, struct error *err)
{
    struct checkpoints *checkpoints = &store->checkpoints;
    int64_t begun_us = clock_monotonic_us();

    if (!checkpoint(store, DB_CHECKPOINT_PASSIVE, err))
        return false;
    checkpoints->max_bytes = next_max(checkpoints->max_bytes, clock_monotonic_us() - begun_us);
    return true;
}

/* The log has grown in spite of checkpoints, or its file is too large: wait for readers to end. */
static bool wants_reset(const struct outbox_store *store, int64_t longest)
{
    const struct checkpoints *checkpoints = &store->checkpoints;

    return (db_log_bytes(&store->db) > 2 * longest || store->db.log_length > 3 * longest) &&
           checkpoints->held_since_us == 0 && clock_monotonic_us() >= checkpoints->reset_us;
}

static bool is_long(const struct outbox_store *store, int64_t longest)
{
    int64_t most = store->checkpoints.max_bytes;

    return db_log_bytes(&store->db) > (most < longest ? most : longest);
}

bool checkpoint_after_batch(struct outbox_store *store, struct error *err)
{
    struct checkpoints *checkpoints = &store->checkpoints;
    int64_t longest = capacity_longest_log(store);

    if (checkpoints->max_bytes == 0)
        checkpoints->max_bytes = LOG_FIRST;
    if (wants_reset(store, longest)) {
        checkpoints->reset_us = clock_monotonic_us() + RESET_PAUSE_US;
        return checkpoint(store, DB_CHECKPOINT_RESET, err);
    }

    /* A checkpoint shortens the log only when no reader is in it: do not repeat it at once. */
    bool tight = store->volume.free < TIGHT_PART * store->volume.reserve;
    bool may_move =
        tight || store->db.log_restarted || clock_monotonic_us() >= checkpoints->next_us;

    if (capacity_has_grown(store) || (may_move && is_long(store, longest)))
        return checkpoint_timed(store, err);
    return true;
}
