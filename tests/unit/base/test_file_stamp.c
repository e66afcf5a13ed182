/*
 * test_file_stamp.c - what counts as a change of a file.
 */
#include "base/file_stamp.h"

#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static void a_file_changes_when_it_is_written_replaced_or_removed(void)
{
    struct folder folder;
    char path[FOLDER_PATH_SIZE];
    struct file_stamp none;
    struct file_stamp before;
    struct file_stamp now;

    folder_init(&folder);
    folder_path(&folder, "key", path);
    none = file_stamp(path);
    folder_write(&folder, "key", STR("one"));
    before = file_stamp(path);
    CHECK(!file_stamp_equal(&none, &before));

    TEST_CASE("unchanged");
    now = file_stamp(path);
    CHECK(file_stamp_equal(&before, &now));

    TEST_CASE("another time, same size");
    folder_set_time(&folder, "key", 1);
    now = file_stamp(path);
    CHECK(!file_stamp_equal(&before, &now));

    TEST_CASE("another size");
    before = now;
    folder_write(&folder, "key", STR("longer"));
    folder_set_time(&folder, "key", 1);
    now = file_stamp(path);
    CHECK(!file_stamp_equal(&before, &now));

    TEST_CASE("removed");
    folder_remove(&folder, "key");
    now = file_stamp(path);
    CHECK(!file_stamp_equal(&before, &now));
    CHECK(file_stamp_equal(&none, &now));
    folder_done(&folder);
}

static void a_change_of_permissions_alone_counts(void)
{
    struct file_stamp before = { .inode = 1, .changed = { 1, 0 } };
    struct file_stamp now = before;

    CHECK(file_stamp_equal(&before, &now));
    now.changed.tv_nsec = 1;
    CHECK(!file_stamp_equal(&before, &now));
}

int main(void)
{
    RUN(a_file_changes_when_it_is_written_replaced_or_removed);
    RUN(a_change_of_permissions_alone_counts);
    return test_end();
}
