/*
 * test_file.c - the file sink: what all sinks owe, and rotation, moved files, full disks
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "delivery/sinks/file.h"
#include "tests/unit/capture.h"
#include "tests/unit/folder.h"
#include "tests/unit/sink_suite.h"
#include "tests/unit/test.h"

enum { ARRIVED_MAX = 64 * 1024 * 1024, MOST_FILES = 50 };

static struct folder folder;
static char path[FOLDER_PATH_SIZE]; /* of the sink's file */

static const struct str lines[] = {
    STR_INIT("{\"n\":1}"), STR_INIT("{\"n\":2}"), STR_INIT("{\"n\":3}"), /* 8 bytes with its end */
};

static void begin(void)
{
    folder_init(&folder);
    folder_path(&folder, "new/deep/records.ndjson", path);
}

static struct sink make(uint64_t rotate_size, int64_t rotate_every_us)
{
    return sink_file(&(struct sink_file_options){
        .name = "archive",
        .path = path,
        .mode = 0600,
        .rotate_size = rotate_size,
        .rotate_every_us = rotate_every_us,
    });
}

static void deliver(const struct sink *sink, size_t line)
{
    sink_suite_check_all(sink_suite_deliver(sink, &lines[line], 1), 1, SINK_DELIVERED);
}

static void check_file(const char *name, const char *expected)
{
    char at[FOLDER_PATH_SIZE];
    struct str text = STR_NONE;
    struct error err = { 0 };

    folder_path(&folder, name, at);
    CHECK(file_read(at, ARRIVED_MAX, &text, &err));
    CHECK_STR(text, expected);
    mem_free((char *)text.ptr);
}

/* Whatever the names are when the file is opened: a bind mount or a link may have come later. */
static void what_is_taken_is_not_opened(void)
{
    char database[FOLDER_PATH_SIZE];
    const char *const taken[] = { "/nonexistent", database };
    static const struct str record = STR_INIT("{}");
    const struct sink_answer *answer;
    struct sink sink;

    begin();
    folder_path(&folder, "database", database);
    folder_write(&folder, "database", STR("no line end"));
    folder_path(&folder, "records.ndjson", path);
    sink = sink_file(&(struct sink_file_options){
        .name = "archive",
        .path = path,
        .mode = 0600,
        .taken = taken,
        .taken_count = COUNT_OF(taken),
    });
    assert(link(database, path) == 0);
    answer = sink_suite_deliver(&sink, &record, 1);
    sink_suite_check_all(answer, 1, SINK_POSTPONED);
    CHECK(strstr(answer->outcomes[0].reason, "is the same file as") != NULL);
    check_file("database", "no line end");
    assert(unlink(path) == 0);
    sink_suite_check_all(sink_suite_deliver(&sink, &record, 1), 1, SINK_DELIVERED);
    sink.destroy(sink.self);
    folder_done(&folder);
}

struct names {
    char list[MOST_FILES][FOLDER_PATH_SIZE];
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The rotated files beside the sink's own, sorted. */
static struct names rotated(void)
{
    struct names names = { .count = 0 };
    char at[FOLDER_PATH_SIZE];
    DIR *dir;

    folder_path(&folder, "new/deep", at);
    dir = opendir(at);
    assert(dir);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of this thread's own */
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "records.ndjson") != 0) {
            int len =
                snprintf(names.list[names.count++], FOLDER_PATH_SIZE, "new/deep/%s", entry->d_name);

            assert(len < FOLDER_PATH_SIZE && names.count < MOST_FILES);
        }
    (void)closedir(dir);
    qsort(names.list, names.count, sizeof(names.list[0]), compare);
    return names;
}

/* The suite's place: a fresh folder each time, broken by a folder where the file should be. */

static struct sink suite_create(void *self)
{
    (void)self;
    folder_done(&folder);
    begin();
    return make(0, 0);
}

static void suite_arrived(void *self, struct buf *out)
{
    struct str text;
    struct error err;

    (void)self;
    if (access(path, F_OK) != 0)
        return;
    assert(file_read(path, ARRIVED_MAX, &text, &err));
    buf_add(out, text);
    mem_free((char *)text.ptr);
}

static void suite_set_broken(void *self, bool broken)
{
    char aside[FOLDER_PATH_SIZE];
    struct error err;

    (void)self;
    folder_path(&folder, "aside", aside);
    assert(file_make_parents(path, &err));
    if (broken) {
        (void)rename(path, aside);
        assert(mkdir(path, 0700) == 0);
    } else {
        assert(rmdir(path) == 0);
        (void)rename(aside, path);
    }
}

static void files_and_folders_are_the_owners_alone(void)
{
    struct sink sink;
    struct stat info;
    char deep[FOLDER_PATH_SIZE];

    begin();
    sink = make(0, 0);
    CHECK(access(path, F_OK) != 0); /* nothing is made before there is a record */
    deliver(&sink, 0);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == 0600);
    folder_path(&folder, "new/deep", deep);
    CHECK(stat(deep, &info) == 0 && (info.st_mode & 07777) == 0700);
    sink.destroy(sink.self);
    folder_done(&folder);
}

static mode_t mode_of(const char *file)
{
    struct stat info;

    assert(stat(file, &info) == 0);
    return info.st_mode & 07777;
}

static void files_get_the_permissions_of_the_sink(void)
{
    mode_t before = umask(0077);
    struct sink sink;

    begin();
    sink = sink_file(&(struct sink_file_options){ .name = "archive", .path = path, .mode = 0664 });
    deliver(&sink, 0);
    CHECK_INT(mode_of(path), 0664);
    CHECK(chmod(path, 0640) == 0);
    sink.reopen(sink.self);
    deliver(&sink, 1);
    CHECK_INT(mode_of(path), 0640); /* it was there */
    CHECK(unlink(path) == 0);
    deliver(&sink, 2);
    CHECK_INT(mode_of(path), 0664);
    sink.destroy(sink.self);
    (void)umask(before);
    folder_done(&folder);
}

static void what_is_there_is_added_to(void)
{
    static const struct {
        const char *name;
        struct str before;
        const char *after;
    } cases[] = {
        { "an empty file", STR_INIT(""), "{\"n\":1}\n" },
        { "whole lines", STR_INIT("a\nb\n"), "a\nb\n{\"n\":1}\n" },
        { "an empty line", STR_INIT("a\n\n"), "a\n\n{\"n\":1}\n" },
        { "a torn line", STR_INIT("a\nb\n{\"to"), "a\nb\n{\"n\":1}\n" },
        { "nothing but a torn line", STR_INIT("{\"to"), "{\"n\":1}\n" },
        { "zeroes from a crash", STR_INIT("a\n\0\0\0"), "a\n{\"n\":1}\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sink sink;
        struct capture capture;
        struct str said;

        TEST_CASE(cases[i].name);
        begin();
        folder_write(&folder, "new/deep/records.ndjson", cases[i].before);
        sink = make(0, 0);
        capture_begin(&capture, STDOUT_FILENO);
        deliver(&sink, 0);
        said = capture_end(&capture);
        CHECK(memmem(said.ptr, said.len, "sink_torn_line", 14)
                  ? !str_ends_with(cases[i].before, STR("\n")) && cases[i].before.len > 0
                  : str_ends_with(cases[i].before, STR("\n")) || cases[i].before.len == 0);
        mem_free((char *)said.ptr);
        check_file("new/deep/records.ndjson", cases[i].after);
        sink.destroy(sink.self);
        folder_done(&folder);
    }
}

static void a_long_torn_line_is_found(void)
{
    enum { LONG = 300000 };
    CLEANUP(buf_done) struct buf text;
    struct capture capture;
    struct sink sink;

    begin();
    buf_init(&text, ARRIVED_MAX);
    buf_add(&text, STR("whole\n"));
    memset(buf_reserve(&text, LONG), 'x', LONG);
    text.len += LONG;
    folder_write(&folder, "new/deep/records.ndjson", buf_str(&text));
    sink = make(0, 0);
    capture_begin(&capture, STDOUT_FILENO);
    deliver(&sink, 0);
    mem_free((char *)capture_end(&capture).ptr);
    check_file("new/deep/records.ndjson", "whole\n{\"n\":1}\n");
    sink.destroy(sink.self);
    folder_done(&folder);
}

/* Where files end is exact: full, but never over, unless by a single record. */
static void a_file_is_full_at_its_size(void)
{
    static const struct {
        const char *name;
        uint64_t size;
        size_t files; /* that nine records of 8 bytes make, the last one still open */
    } cases[] = {
        { "never", 0, 1 },    { "three a file", 24, 3 },      { "three and a bit", 31, 3 },
        { "one", 8, 9 },      { "less than a record", 1, 9 }, { "all", 72, 1 },
        { "but one", 71, 2 },
    };

    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        size_t row = i / 2;
        size_t at_once = i % 2 ? 9 : 1;
        struct sink sink;
        struct str nine[9];

        TEST_CASE(cases[row].name);
        begin();
        sink = make(cases[row].size, 0);
        for (size_t j = 0; j < COUNT_OF(nine); j++)
            nine[j] = lines[j % 3];
        for (size_t j = 0; j < COUNT_OF(nine); j += at_once)
            sink_suite_check_all(sink_suite_deliver(&sink, &nine[j], at_once), at_once,
                                 SINK_DELIVERED);

        struct names names = rotated();

        CHECK_INT((int64_t)names.count, (int64_t)cases[row].files - 1);
        if (cases[row].size == 24) {
            check_file(names.list[0], "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
            check_file("new/deep/records.ndjson", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
        }
        sink.destroy(sink.self);
        folder_done(&folder);
    }
}

static void rotated_names_have_a_time_stamp(void)
{
    struct sink sink;
    struct names names;

    begin();
    sink = make(1, 0);
    deliver(&sink, 0);
    deliver(&sink, 1);
    names = rotated();
    CHECK_INT((int64_t)names.count, 1);
    CHECK_STR(str_from_c(names.list[0] + strlen("new/deep/records.20YYMMDDTHHMMSS.ffffff")),
              "Z.ndjson");
    CHECK(str_starts_with(str_from_c(names.list[0]), STR("new/deep/records.20")));
    sink.destroy(sink.self);
    folder_done(&folder);
}

static void a_file_is_over_at_the_end_of_its_period(void)
{
    static const struct {
        const char *name;
        int64_t every_us;
        int64_t changed_s; /* before now */
        bool over;
    } cases[] = {
        { "never", 0, 100000000, false },
        { "long ago", 3600000000, 100000, true },
        { "just now, in a period of a century", (int64_t)3155760000 * 1000000, 0, false },
        { "an hour and a bit ago", 3600000000, 3601, true },
    };

    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        bool idle = i % 2;
        size_t row = i / 2;
        struct sink sink;

        TEST_CASE(cases[row].name);
        begin();
        sink = make(0, 0);
        deliver(&sink, 0);
        sink.destroy(sink.self);
        folder_set_time(&folder, "new/deep/records.ndjson",
                        clock_now_us() / 1000000 - cases[row].changed_s);
        sink = make(0, cases[row].every_us);
        sink.tend(sink.self); /* which opens nothing */
        deliver(&sink, 1);
        if (idle)
            sink.tend(sink.self);
        CHECK_INT((int64_t)rotated().count, cases[row].over);
        check_file("new/deep/records.ndjson",
                   cases[row].over ? "{\"n\":2}\n" : "{\"n\":1}\n{\"n\":2}\n");
        sink.destroy(sink.self);
        folder_done(&folder);
    }
}

static void an_idle_file_is_put_aside_in_time(void)
{
    struct sink sink;

    begin();
    sink = make(0, 1); /* a period of a microsecond: over as soon as one looks */
    deliver(&sink, 0);
    sink.tend(sink.self);
    CHECK_INT((int64_t)rotated().count, 1);
    CHECK(access(path, F_OK) != 0); /* an empty file says nothing */
    sink.tend(sink.self);
    deliver(&sink, 1);
    check_file("new/deep/records.ndjson", "{\"n\":2}\n");
    sink.destroy(sink.self);
    folder_done(&folder);
}

static void a_moved_or_removed_file_is_made_again(void)
{
    char aside[FOLDER_PATH_SIZE];
    struct sink sink;

    begin();
    folder_path(&folder, "new/deep/aside", aside);
    sink = make(0, 0);
    deliver(&sink, 0);
    CHECK(rename(path, aside) == 0);
    deliver(&sink, 1);
    check_file("new/deep/aside", "{\"n\":1}\n");
    check_file("new/deep/records.ndjson", "{\"n\":2}\n");
    CHECK(unlink(path) == 0);
    deliver(&sink, 2);
    check_file("new/deep/records.ndjson", "{\"n\":3}\n");
    sink.destroy(sink.self);
    folder_done(&folder);
}

/* After copytruncate has emptied the file, the next line is at its beginning. */
static void an_emptied_file_is_written_from_its_beginning(void)
{
    struct sink sink;

    begin();
    sink = make(16, 0);
    deliver(&sink, 0);
    deliver(&sink, 1);
    CHECK(truncate(path, 0) == 0);
    deliver(&sink, 2);
    check_file("new/deep/records.ndjson", "{\"n\":3}\n");
    sink.destroy(sink.self);
    folder_done(&folder);
}

/* How many descriptors lead to the sink's file? */
static bool is_locked(void)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool locked;

    assert(fd >= 0);
    locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
    (void)close(fd);
    return locked;
}

static void reopening_lets_go_of_the_file(void)
{
    struct sink sink;

    begin();
    sink = make(0, 0);
    deliver(&sink, 0);
    CHECK(is_locked());
    sink.reopen(sink.self);
    sink.tend(sink.self); /* without waiting for a record */
    CHECK(!is_locked());
    deliver(&sink, 1);
    check_file("new/deep/records.ndjson", "{\"n\":1}\n{\"n\":2}\n");
    sink.destroy(sink.self);
    folder_done(&folder);
}

static void only_one_writes_to_a_file(void)
{
    struct sink first;
    struct sink second;
    const struct sink_answer *answer;

    begin();
    first = make(0, 0);
    second = make(0, 0);
    deliver(&first, 0);
    answer = sink_suite_deliver(&second, &lines[1], 1);
    sink_suite_check_all(answer, 1, SINK_POSTPONED);
    CHECK(
        str_ends_with(str_from_c(answer->outcomes[0].reason), STR("another process writes to it")));
    first.destroy(first.self);
    deliver(&second, 1);
    check_file("new/deep/records.ndjson", "{\"n\":1}\n{\"n\":2}\n");
    second.destroy(second.self);
    folder_done(&folder);
}

static void only_a_regular_file_is_written_to(void)
{
    struct sink sink;
    struct error err;
    const struct sink_answer *answer;

    begin();
    assert(file_make_parents(path, &err) && mkfifo(path, 0600) == 0);
    sink = make(0, 0);
    answer = sink_suite_deliver(&sink, lines, 1);
    sink_suite_check_all(answer, 1, SINK_POSTPONED);
    CHECK(str_ends_with(str_from_c(answer->outcomes[0].reason), STR("not a regular file")));
    sink.destroy(sink.self);
    folder_done(&folder);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* The kernel takes what still fits and refuses the rest, as a full disk does. */
static void what_was_written_of_a_failed_batch_is_cut_off(void)
{
    struct sink sink;
    const struct sink_answer *answer;

    begin();
    sink = make(0, 0);
    deliver(&sink, 0);
    limit_file_size(21); /* the second whole and part of the third */
    answer = sink_suite_deliver(&sink, &lines[1], 2);
    sink_suite_check_all(answer, 2, SINK_POSTPONED);
    CHECK(strstr(answer->outcomes[0].reason, "File too large") != NULL);
    check_file("new/deep/records.ndjson", "{\"n\":1}\n");
    sink_suite_check_all(sink_suite_deliver(&sink, &lines[1], 2), 2, SINK_POSTPONED);
    limit_file_size(RLIM_INFINITY);
    sink_suite_check_all(sink_suite_deliver(&sink, &lines[1], 2), 2, SINK_DELIVERED);
    check_file("new/deep/records.ndjson", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    sink.destroy(sink.self);
    folder_done(&folder);
}

/* Of a batch that fills one file and then fails, the first part has arrived. */
static void what_arrived_before_a_failure_stays_delivered(void)
{
    struct str four[] = { lines[0], lines[1], STR("{\"long\":\"0123456789\"}"), lines[2] };
    const struct sink_answer *answer;
    struct sink sink;

    begin();
    sink = make(16, 0);
    limit_file_size(20);
    answer = sink_suite_deliver(&sink, four, 4);
    limit_file_size(RLIM_INFINITY);
    sink_suite_check_all(answer, 2, SINK_DELIVERED);
    CHECK_INT(answer->outcomes[2].result, SINK_POSTPONED);
    CHECK_INT(answer->outcomes[3].result, SINK_POSTPONED);
    check_file(rotated().list[0], "{\"n\":1}\n{\"n\":2}\n");
    check_file("new/deep/records.ndjson", "");
    sink.destroy(sink.self);
    folder_done(&folder);
}

static void names_of_all_kinds_are_rotated(void)
{
    static const struct {
        const char *name;
        const char *before; /* the time stamp */
        const char *after;
    } cases[] = {
        { "records.ndjson", "records.", ".ndjson" },
        { "records", "records.", "" },
        { ".records", ".records.", "" },
        { "a.b.c", "a.b.", ".c" },
        { "dot.in.folder/records", "records.", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char pattern[FOLDER_PATH_SIZE];
        struct sink sink;
        DIR *dir;
        int found = 0;

        TEST_CASE(cases[i].name);
        folder_init(&folder);
        folder_path(&folder, cases[i].name, path);
        sink = make(1, 0);
        deliver(&sink, 0);
        deliver(&sink, 1);
        *strrchr(path, '/') = '\0';
        dir = opendir(path);
        assert(dir);
        (void)snprintf(pattern, sizeof(pattern), "%s????????T??????.??????Z%s", cases[i].before,
                       cases[i].after);
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of this thread's own */
        for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
            found += str_matches_glob(str_from_c(entry->d_name), str_from_c(pattern));
        (void)closedir(dir);
        CHECK_INT(found, 1);
        sink.destroy(sink.self);
        folder_done(&folder);
    }
}

int main(void)
{
    const struct sink_suite suite = {
        .create = suite_create,
        .arrived = suite_arrived,
        .set_broken = suite_set_broken,
        .refused = STR("two\nlines"),
    };

    (void)signal(SIGXFSZ, SIG_IGN);
    begin();
    sink_suite_run(&suite);
    folder_done(&folder);
    RUN(files_and_folders_are_the_owners_alone);
    RUN(what_is_taken_is_not_opened);
    RUN(files_get_the_permissions_of_the_sink);
    RUN(what_is_there_is_added_to);
    RUN(a_long_torn_line_is_found);
    RUN(a_file_is_full_at_its_size);
    RUN(rotated_names_have_a_time_stamp);
    RUN(a_file_is_over_at_the_end_of_its_period);
    RUN(an_idle_file_is_put_aside_in_time);
    RUN(a_moved_or_removed_file_is_made_again);
    RUN(an_emptied_file_is_written_from_its_beginning);
    RUN(reopening_lets_go_of_the_file);
    RUN(only_one_writes_to_a_file);
    RUN(only_a_regular_file_is_written_to);
    RUN(what_was_written_of_a_failed_batch_is_cut_off);
    RUN(what_arrived_before_a_failure_stays_delivered);
    RUN(names_of_all_kinds_are_rotated);
    return test_end();
}
