/*
 * test_file.c - claims about base/file.h.
 */
#include "base/file.h"

#include <stdio.h>
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

int main(void)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31 % 251);
    folder_init(&folder);
    RUN(reads_files_up_to_the_maximum);
    RUN(says_why_it_cannot_read);
    RUN(reads_standard_input_and_leaves_it_open);
    folder_done(&folder);
    return test_end();
}
