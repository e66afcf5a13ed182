/*
 * test_file.c - claims about base/file.h.
 */
#include "base/file.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

enum { LARGEST = 200001 };

static struct folder folder;
static char bytes[LARGEST];

static void reads_files_up_to_the_maximum(void)
{
    static const size_t sizes[] = { 0, 1, 4095, 4096, 65535, 65536, 65537, 131072, 131073, 200000 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char path[FOLDER_PATH_SIZE];
        struct str text = STR_NONE;
        struct error err = { 0 };

        folder_write(&folder, "file", (struct str){ bytes, sizes[i] });
        folder_path(&folder, "file", path);
        CHECK(file_read(path, sizes[i], &text, &err));
        CHECK_INT(err.code, ERR_NONE);
        CHECK(str_equal(text, (struct str){ bytes, sizes[i] }));
        CHECK(text.ptr && text.ptr[text.len] == '\0');
        mem_free((void *)text.ptr);

        text = STR("untouched");
        folder_write(&folder, "file", (struct str){ bytes, sizes[i] + 1 });
        CHECK(!file_read(path, sizes[i], &text, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(strstr(err.text, "more than") != NULL);
        CHECK_STR(text, "untouched");
    }
}

static void says_why_it_cannot_read(void)
{
    static const struct {
        const char *path;
        const char *text;
    } cases[] = {
        { "/nonexistent/file", "/nonexistent/file: No such file or directory" },
        { "/", "/: Is a directory" },
        { "", ": No such file or directory" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str text = STR("untouched");
        struct error err = { 0 };

        TEST_CASE(cases[i].path);
        CHECK(!file_read(cases[i].path, 100, &text, &err));
        CHECK_INT(err.code, ERR_SYSTEM);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        CHECK_STR(text, "untouched");
    }
}

static void opens_no_pipe_to_read_again(void)
{
    struct str text = STR("untouched");
    struct error err = { 0 };
    char path[FOLDER_PATH_SIZE];

    folder_path(&folder, "pipe", path);
    CHECK(mkfifo(path, S_IRUSR | S_IWUSR) == 0);
    CHECK(!file_read_regular(path, 100, &text, &err)); /* never has a writer */
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(strstr(err.text, "not a regular file") != NULL);
    CHECK_STR(text, "untouched");
    folder_remove(&folder, "pipe");

    folder_write(&folder, "file", STR("text"));
    folder_path(&folder, "file", path);
    CHECK(file_read_regular(path, 100, &text, &err));
    CHECK_STR(text, "text");
    mem_free((void *)text.ptr);
}

static void reads_standard_input_and_leaves_it_open(void)
{
    int ends[2];
    int saved = dup(STDIN_FILENO);
    struct str text = STR_NONE;
    struct error err = { 0 };

    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "in pieces", 9) == 9);
    (void)close(ends[1]);
    CHECK(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    CHECK(file_read("-", 100, &text, &err));
    CHECK_STR(text, "in pieces");
    mem_free((void *)text.ptr);
    CHECK(file_read("-", 100, &text, &err));
    CHECK_STR(text, "");
    mem_free((void *)text.ptr);
    (void)dup2(saved, STDIN_FILENO);
    (void)close(saved);
    (void)close(ends[0]);
}

static void makes_the_folders_on_the_way(void)
{
    static const struct {
        const char *name;
        const char *made; /* the deepest folder, which is there afterwards */
    } cases[] = {
        { "plain", "" },           { "a/file", "a" },
        { "a/b/c/file", "a/b/c" }, { "a/b/c/other", "a/b/c" },
        { "d//e/file", "d/e" },    { "f/", "f" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[FOLDER_PATH_SIZE];
        struct stat info;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        folder_path(&folder, cases[i].name, path);
        CHECK(file_make_parents(path, &err));
        CHECK_STR(str_from_c(err.text), "");
        folder_path(&folder, cases[i].made, path);
        CHECK(stat(path, &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 0777) == 0700);
        CHECK(file_sync_parent(path, &err));
    }
}

static void says_which_folder_cannot_be_made(void)
{
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };

    folder_write(&folder, "file", STR("x"));
    folder_path(&folder, "file/a/b", path);
    CHECK(!file_make_parents(path, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK(str_ends_with(str_from_c(err.text), STR("/file/a: Not a directory")));
    CHECK(file_make_parents("plain", &err) && file_make_parents("", &err));
    CHECK(file_sync_parent("plain", &err) && file_sync_parent("/x", &err));
    CHECK(!file_sync_parent("/nonexistent/x", &err));
    CHECK_STR(str_from_c(err.text), "/nonexistent: No such file or directory");
}

static void expect_file(const char *path, const char *bytes_expected)
{
    struct str text = STR_NONE;
    struct error err = { 0 };

    CHECK(file_read(path, 100, &text, &err));
    CHECK_STR(text, bytes_expected);
    mem_free((void *)text.ptr);
}

static void replaces_a_file_whole(void)
{
    char path[FOLDER_PATH_SIZE];
    char draft[FOLDER_PATH_SIZE];
    struct stat info;
    struct error err = { 0 };

    folder_path(&folder, "replaced", path);
    folder_path(&folder, "replaced.new", draft);
    CHECK(file_replace(path, STR("first"), &err));
    expect_file(path, "first");
    CHECK(file_replace(path, STR("second"), &err));
    expect_file(path, "second");
    CHECK(file_replace(path, STR(""), &err));
    expect_file(path, "");
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK(access(draft, F_OK) != 0);
}

static void what_cannot_be_replaced_stays(void)
{
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };

    folder_write(&folder, "stays", STR("old"));
    folder_write(&folder, "stays.new/in-the-way", STR("x"));
    folder_path(&folder, "stays", path);
    CHECK(!file_replace(path, STR("new"), &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    expect_file(path, "old");
    CHECK(!file_replace("/nonexistent/folder/file", STR("new"), &err));
    CHECK_STR(str_from_c(err.text), "/nonexistent/folder/file: No such file or directory");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31 % 251);
    folder_init(&folder);
    RUN(reads_files_up_to_the_maximum);
    RUN(says_why_it_cannot_read);
    RUN(opens_no_pipe_to_read_again);
    RUN(reads_standard_input_and_leaves_it_open);
    RUN(makes_the_folders_on_the_way);
    RUN(says_which_folder_cannot_be_made);
    RUN(replaces_a_file_whole);
    RUN(what_cannot_be_replaced_stays);
    folder_done(&folder);
    return test_end();
}
