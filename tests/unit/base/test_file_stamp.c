/*
 * test_file_stamp.c - claims about base/file_stamp.h.
 */
#include "base/file_stamp.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static struct folder folder;
static char path[FOLDER_PATH_SIZE];

/* Has the file another stamp than before? */
static bool changes(struct file_stamp *before)
{
    const struct file_stamp now = file_stamp(path);
    bool is_equal = file_stamp_equal(&now, before);

    *before = now;
    return !is_equal;
}

static void a_change_has_another_stamp(void)
{
    struct file_stamp stamp = file_stamp(path);

    folder_write(&folder, "file", STR("one"));
    folder_set_time(&folder, "file", 1000000000);
    CHECK(changes(&stamp)); /* it is there */
    CHECK(!changes(&stamp));
    folder_write(&folder, "file", STR("three"));
    folder_set_time(&folder, "file", 1000000000);
    CHECK(changes(&stamp)); /* its size */
    folder_set_time(&folder, "file", 1000000001);
    CHECK(changes(&stamp)); /* its time */
    folder_remove(&folder, "file");
    CHECK(changes(&stamp)); /* it is gone */
    CHECK(!changes(&stamp));
}

/* As Kubernetes swaps what it mounts: a link to a link to a folder, all of one size and time. */
static void a_swapped_link_is_a_change(void)
{
    char link[FOLDER_PATH_SIZE];
    char swap[FOLDER_PATH_SIZE];
    struct file_stamp stamp;

    folder_write(&folder, "1/file", STR("old"));
    folder_write(&folder, "2/file", STR("new"));
    folder_set_time(&folder, "1/file", 1000000000);
    folder_set_time(&folder, "2/file", 1000000000);
    folder_path(&folder, "data", link);
    folder_path(&folder, "swap", swap);
    CHECK(symlink("1", link) == 0 && symlink("data/file", path) == 0);
    stamp = file_stamp(path);
    CHECK(!changes(&stamp));
    CHECK(symlink("2", swap) == 0 && rename(swap, link) == 0);
    CHECK(changes(&stamp));
}

int main(void)
{
    folder_init(&folder);
    folder_path(&folder, "file", path);
    RUN(a_change_has_another_stamp);
    RUN(a_swapped_link_is_a_change);
    folder_done(&folder);
    return test_end();
}
