/*
 * fuzz_transform_file.c - whatever a transform file holds, it is a transform or every problem has
 * file and line; lint only adds problems; and whatever it is applied to, the record is valid JSON,
 * the same each time, or the error is the sender's.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handlers/pattern.h"
#include "handlers/transform.h"

enum { RECORD_MAX = 100000, BUDGET_US = 200000 };

static const char event_text[] =
    "{\"id\":\"e-1\",\"detail\":{\"a\":{\"b\":[1,\"x\",null,{\"c\":\" Ab-1,2 \"}],\"d\":true},"
    "\"n\":-19.90,\"t\":\"2024-01-15T10:30:00+01:00\",\"e\":[],\"o\":{},\"s\":\"v2.x.y\","
    "\"l\":[{\"k\":1,\"m\":[[2]]},{\"k\":2},[3],4]}}";

static const char *some_pointers(void *self, struct str pointer)
{
    (void)self;
    return pointer.len % 3 == 1 ? "there is no such value" : NULL;
}

static const char *some_needs(void *self, struct str base, const struct pattern_need *need)
{
    (void)self;
    assert(flat_is_array(need->conditions) && *need->pointer.ptr == '/');
    return base.len == 0 ? "no payload meets this" : NULL;
}

/* The path of the file, with which each line begins. */
static const char *path_of_problems;

static void check_line(void *self, const char *line)
{
    size_t *count = self;

    assert(str_starts_with(str_from_c(line), str_from_c(path_of_problems)));
    assert(line[strlen(path_of_problems)] == ':');
    ++*count;
}

static void apply(const struct transform *transform, struct str *record, struct buf *out)
{
    struct arena *arena = arena_create();
    const struct flat_options deep = { .max_depth = JSON_DEPTH_LIMIT };
    struct schema_budget budget = schema_budget(BUDGET_US);
    const struct flat *event = NULL;
    const struct flat *tree;
    struct error err = { 0 };
    bool ok = flat_read(arena, str_from_c(event_text), NULL, &event, &err);

    assert(ok);

    const struct transform_input input = { .payload = flat_find(event, STR("detail")),
                                           .event = event,
                                           .now_us = 1705314600123456,
                                           .budget = &budget };

    (void)transform_drops(transform, input.payload);
    if (transform_apply(transform, &input, out, &err)) {
        ok = flat_read(arena, buf_str(out), &deep, &tree, &err);
        assert(ok && flat_is_object(tree));
    } else {
        assert(out->len == 0);
        assert(err.code == ERR_TOO_EXPENSIVE ||
               (err.code == ERR_INVALID &&
                str_starts_with(str_from_c(err.text), STR("Transformation failed: "))));
    }
    *record = buf_str(out);
    arena_destroy(arena);
}

static void check_transform(const struct transform *transform)
{
    struct str records[2];
    struct buf outs[2];

    for (int i = 0; i < 2; i++) {
        buf_init(&outs[i], RECORD_MAX);
        apply(transform, &records[i], &outs[i]);
    }
    assert(str_equal(records[0], records[1]));
    buf_done(&outs[0]);
    buf_done(&outs[1]);
}

static void check_file(const char *path)
{
    size_t plain_count = 0;
    size_t lint_count = 0;
    const struct transform_lint plain = { .report = check_line, .self = &plain_count };
    const struct transform_lint lint = {
        .report = check_line, .fault = some_pointers, .misfit = some_needs, .self = &lint_count
    };
    struct transform *transform = NULL;
    struct error err = { 0 };
    bool is_sound;

    path_of_problems = path;
    is_sound = transform_check(path, &plain);
    (void)transform_check(path, &lint);
    assert(is_sound == (plain_count == 0) && lint_count >= plain_count);
    if (transform_load(path, &transform, &err))
        check_transform(transform);
    else
        assert(!is_sound && err.code == ERR_CONFIG);
    transform_destroy(transform);
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int file = memfd_create("transform", MFD_CLOEXEC);
    bool ok = write(file, data, size) == (ssize_t)size;

    assert(ok);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    check_file(path);
    (void)close(file);
    return 0;
}
