/*
 * fuzz_transform.c - whatever the payload, a record is valid JSON with the fields in the file's
 * order, or the error is the sender's and nothing was written.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handlers/transform.h"

static const char file_text[] =
    "fields:\n"
    "  - { name: a, from: /a, default: null }\n"
    "  - { name: lower, from: [/l, /b/l], as: lower }\n"
    "  - { name: upper, from: [/u, /b/u], as: upper }\n"
    "  - { name: string, from: [/s, /b/s, /c/0], as: string, default: '' }\n"
    "  - { name: number, from: [/n, /b/0/n], as: number }\n"
    "  - { name: time, from: [/t, /b/~1t], as: epoch_ms_to_iso8601 }\n"
    "  - { name: required, from: /r, required: missing r }\n"
    "  - { name: chain, from: [/c, /b/c], skip: empty, as: [json, { replace: ['(.)(\\d)', '$2$1'] "
    "}, "
    "{ split: ',' }, last, trim, { mask: 2 }], map: { '1': one }, otherwise: null }\n"
    "  - { name: money, from: /m, as: [number, { shift: -2 }, integer] }\n"
    "  - { name: utc, from: /d, as: [iso8601_utc, date] }\n"
    "  - { name: text, text: '{/a} {event:/b}', skip: null, default: '' }\n"
    "  - { name: object, when: { a: [{ exists: true }] }, fields: [{ copy: '' }, { name: a, value: "
    "1 }] }\n"
    "  - { name: items, each: [/i, /b], skip: empty, where: { x: [1, { exists: false }] }, fields: "
    "[{ name: p, from: 'parent:/a' }, { copy: /y, without: [/z/0] }] }\n"
    "  - { name: all, from: '' }\n"
    "  - { name: now, now: true }\n";

static struct transform *load(void)
{
    struct transform *transform = NULL;
    struct error err = { 0 };
    char path[64];
    int file = memfd_create("transform", MFD_CLOEXEC);
    bool ok = write(file, file_text, sizeof(file_text) - 1) == sizeof(file_text) - 1;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    ok = ok && transform_load(path, &transform, &err);
    assert(ok);
    (void)close(file);
    return transform;
}

static void check_record(struct arena *arena, struct str record)
{
    static const char *const names[] = { "a",    "lower",    "upper", "string", "number",
                                         "time", "required", "chain", "money",  "utc",
                                         "text", "object",   "items", "all",    "now" };
    struct flat_options options = { .max_depth = JSON_MAX_DEPTH + 1 };
    const struct flat *tree = NULL;
    struct error err = { 0 };
    size_t next = 0;
    bool ok = flat_read(arena, record, &options, &tree, &err);

    assert(ok && flat_is_object(tree));
    for (FLAT_EACH(member, tree)) {
        while (next < COUNT_OF(names) && !str_equal(str_from_c(names[next]), flat_key(member)))
            next++;
        assert(next < COUNT_OF(names));
    }
    assert(next == COUNT_OF(names) - 1);
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct transform *transform;
    struct arena *arena = arena_create();
    const struct flat *payload = NULL;
    struct error err = { 0 };
    struct buf out;

    if (!transform)
        transform = load();
    buf_init(&out, 1000000);
    if (flat_read(arena, (struct str){ (const char *)data, size }, NULL, &payload, &err)) {
        const struct transform_input input = { .payload = payload,
                                               .event = payload,
                                               .now_us = 1705314600123456 };

        if (transform_apply(transform, &input, &out, &err))
            check_record(arena, buf_str(&out));
        else
            assert(err.code == ERR_INVALID && out.len == 0 &&
                   str_starts_with(str_from_c(err.text), STR("Transformation failed: ")));
    }
    buf_done(&out);
    arena_destroy(arena);
    return 0;
}
