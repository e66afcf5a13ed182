/*
 * fuzz_infer.c - whatever the payloads, the proposed schema accepts each of them, and the proposed
 * transform loads and makes a record of each.
 *
 * The input is a payload a line.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/chars.h"
#include "handlers/transform.h"
#include "schema/schema.h"
#include "server/cli/infer.h"

enum { VALUES_MAX = 20, OUTPUT_MAX = 4 * 1024 * 1024 };

struct sample {
    struct arena *arena;
    const struct flat *values[VALUES_MAX];
    size_t count;
    struct shape *shape;
};

static void check_schema(const struct sample *sample)
{
    const struct schema_options options = { .assert_formats = true };
    const struct flat_options deep = { .max_depth = JSON_DEPTH_LIMIT };
    struct buf *text = arena_buf(sample->arena, OUTPUT_MAX);
    const struct flat *document = NULL;
    struct schema *schema = NULL;
    struct error err;
    bool ok;

    infer_write_schema(text, sample->shape);
    ok = flat_read(sample->arena, buf_str(text), &deep, &document, &err) &&
         schema_compile(document, &options, &schema, &err);
    assert(ok);
    for (size_t i = 0; i < sample->count; i++)
        assert(schema_check(schema, sample->values[i], NULL) == SCHEMA_VALID);
    schema_destroy(schema);
}

static struct transform *load(struct str text)
{
    struct transform *transform = NULL;
    struct error err;
    char path[64];
    int file = memfd_create("transform", MFD_CLOEXEC);
    bool ok = write(file, text.ptr, text.len) == (ssize_t)text.len;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    ok = ok && transform_load(path, &transform, &err);
    assert(ok);
    (void)close(file);
    return transform;
}

static void check_transform(const struct sample *sample)
{
    struct buf *text = arena_buf(sample->arena, OUTPUT_MAX);
    struct transform *transform;
    struct error err;
    struct buf out;

    infer_write_transform(text, sample->shape);
    transform = load(buf_str(text));
    buf_init(&out, OUTPUT_MAX);
    for (size_t i = 0; i < sample->count; i++) {
        const struct transform_input input = { .payload = sample->values[i],
                                               .event = sample->values[i] };
        bool ok = transform_apply(transform, &input, &out, &err);

        assert(ok);
        buf_clear(&out);
    }
    buf_done(&out);
    transform_destroy(transform);
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sample sample = { .arena = arena_create() };
    struct str rest = { (const char *)data, size };
    struct error err;

    sample.shape = shape_create(sample.arena);
    while (rest.len > 0 && sample.count < VALUES_MAX) {
        struct str line = take_until(&rest, '\n');

        if (!flat_read(sample.arena, line, NULL, &sample.values[sample.count], &err))
            continue;
        shape_add(sample.shape, sample.values[sample.count++]);
    }
    if (sample.count > 0) {
        check_schema(&sample);
        check_transform(&sample);
    }
    arena_destroy(sample.arena);
    return 0;
}
