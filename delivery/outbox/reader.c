/*
 * reader.c - see reader.h.
 *
 * SQLite's readers hold POSIX locks on bytes of the log's index (`-shm`), which the system lists
 * with their owners. To ask with fcntl(2) is not possible: closing the descriptor that it needs
 * would drop the locks of this process.
 */
#include "delivery/outbox/reader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/chars.h"

enum {
    FIRST_READ_LOCK = 123, /* offset in the index, fixed by SQLite's file format */
    LAST_READ_LOCK = 127,
    FIELDS = 8, /* of a line of /proc/locks */
    FIELD_KIND = 1,
    FIELD_PID = 4,
    FIELD_FILE = 5, /* device and inode: 08:01:1234 */
    FIELD_FIRST = 6,
    FIELD_LAST = 7,
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

/* A decimal number; 0 for any other text, as "EOF". */
static unsigned long long number(const char *text)
{
    unsigned long long value = 0;

    for (; char_is_digit(*text); text++)
        value = value * 10 + (unsigned)(*text - '0');
    return *text ? 0 : value;
}

/* The process that has the lock of this line, if it is a reader's on that file; else 0. */
static int64_t owner(char *line, unsigned long long inode)
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

static void read_command(struct outbox_reader *reader)
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

bool outbox_reader_find(const char *path, struct outbox_reader *out)
{
    unsigned long long inode;
    char line[256];

    *out = (struct outbox_reader){ 0 };
    if (!find_inode(path, &inode))
        return false;

    FILE *locks = fopen("/proc/locks", "re");

    if (!locks)
        return false;
    while (out->pid == 0 && fgets(line, sizeof(line), locks)) {
        int64_t pid = owner(line, inode);

        if (pid > 0 && pid != getpid())
            out->pid = pid;
    }
    (void)fclose(locks);
    if (out->pid != 0)
        read_command(out);
    return out->pid != 0;
}
