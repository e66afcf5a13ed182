/*
 * test_file_name.c - claims about base/file_name.h, in a folder with links of every kind
 */
#include "base/file_name.h"

#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static struct folder folder;

static void begin(void)
{
    folder_init(&folder);
    assert(chdir(folder.path) == 0);
    assert(mkdir("real", 0700) == 0);
    folder_write(&folder, "real/there", STR("x"));
    assert(link("real/there", "hard") == 0);
    assert(symlink("real", "soft") == 0);
    assert(symlink("real/there", "to-there") == 0);
    assert(symlink("soft/nothing", "to-nothing") == 0);
    assert(symlink("to-nothing", "to-to-nothing") == 0);
    assert(symlink("loop", "loop") == 0);
}

static void end(void)
{
    assert(chdir("/") == 0);
    folder_done(&folder);
}

static void names_of_one_file_are_the_same(void)
{
    static const struct {
        const char *one;
        const char *other;
        bool same;
    } cases[] = {
        { "real/there", "./real//there", true },
        { "real/there", "real/../soft/there", true },
        { "real/there", "hard", true },
        { "real/there", "to-there", true },
        { "real/there", "real/nothing", false },
        { "real/nothing", "real/./nothing", true },
        { "real/nothing", "soft/nothing", true },
        { "real/nothing", "to-nothing", true },
        { "real/nothing", "to-to-nothing", true },
        { "real/nothing", "nothing", false },
        { "new/folders/x", "./new/./folders//x", true },
        { "new/folders/x", "new/folders/../folders/x", true },
        { "new/x", "soft/../new/x", true },
        { "new/x", "new/y", false },
        { ".hidden/x", "./.hidden/x", true },
        { ".hidden/x", "hidden/x", false },
        { "x", "/x", false },
        { "/x", "//x", true },
        { "/new/x", "/../new/x", true },
        { "loop", "loop", true },
        { "loop", "other", false },
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].other);
        CHECK(file_name_is_same(cases[i].one, cases[i].other) == cases[i].same);
        CHECK(file_name_is_same(cases[i].other, cases[i].one) == cases[i].same);
    }
    end();
}

static void a_name_begins_with_its_folders(void)
{
    static const struct {
        const char *path;
        const char *folder;
        bool within;
    } cases[] = {
        { "real/there", "real", true },
        { "soft/there", "real", true },
        { "real/new", "soft", true },
        { "to-nothing", "real", true },
        { "real/a/b", "real/", true },
        { "real", "real", false },
        { "really/x", "real", false },
        { "real/../x", "real", false },
        { "new/x", "new", true },
        { "new/a/x", "./new", true },
        { "x", ".", true },
        { "hard", "real", false },
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].path);
        CHECK(file_name_is_within(cases[i].path, cases[i].folder, "") == cases[i].within);
    }
    CHECK(file_name_is_within("to-there", "real", "there"));
    CHECK(!file_name_is_within("real/there", "real", "x"));
    end();
}

static void other_names_of_descriptors_are_known(void)
{
    begin();
    assert(symlink("/dev/stdout", "out") == 0);
    CHECK(file_name_is_in_proc("/dev/stdout"));
    CHECK(file_name_is_in_proc("/dev/fd/1"));
    CHECK(file_name_is_in_proc("/proc/self/fd/1"));
    CHECK(file_name_is_in_proc("out"));
    CHECK(!file_name_is_in_proc("real/there"));
    CHECK(!file_name_is_in_proc("to-nothing"));
    CHECK(!file_name_is_in_proc("/processes"));
    end();
}

int main(void)
{
    RUN(names_of_one_file_are_the_same);
    RUN(a_name_begins_with_its_folders);
    RUN(other_names_of_descriptors_are_known);
    return test_end();
}
