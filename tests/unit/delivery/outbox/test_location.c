/*
 * test_location.c - claims about delivery/outbox/location.h.
 */
#include "delivery/outbox/location.h"

#include <string.h>
#include <sys/vfs.h>

#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static struct folder folder;

static void says_whether_a_process_holds_the_lock(void)
{
    char path[FOLDER_PATH_SIZE];
    struct location held;
    struct error err;

    folder_path(&folder, "new/s.db", path);
    CHECK(!location_is_locked(path)); /* there is no file */
    CHECK(location_lock(path, 0, &held, &err));
    CHECK(location_is_locked(path));
    folder_remove(&folder, "new/s.db.lock");
    CHECK(location_is_locked(path)); /* the database is locked, too */
    location_unlock(&held);
    CHECK(!location_is_locked(path));
}

static void a_lock_is_refused_while_it_is_held(void)
{
    char path[FOLDER_PATH_SIZE];
    struct location first;
    struct location second;
    struct error err = { 0 };

    folder_path(&folder, "s.db", path);
    CHECK(location_lock(path, 0, &first, &err));
    CHECK(!location_lock(path, 0, &second, &err));
    CHECK(strstr(err.text, "in use by another process"));
    location_unlock(&first);
    CHECK(location_lock(path, 0, &second, &err));
    location_unlock(&second);
}

static void says_which_file_systems_do_not_keep_files(void)
{
    enum { TMPFS = 0x01021994 };
    struct statfs status;

    CHECK(!location_loss("/proc/s.db")); /* neither; that it cannot be written is said elsewhere */
    if (statfs("/dev/shm", &status) == 0 && status.f_type == TMPFS)
        CHECK(strstr(location_loss("/dev/shm/new/s.db"), "tmpfs"));
}

int main(void)
{
    folder_init(&folder);
    RUN(says_whether_a_process_holds_the_lock);
    RUN(a_lock_is_refused_while_it_is_held);
    RUN(says_which_file_systems_do_not_keep_files);
    folder_done(&folder);
    return test_end();
}
