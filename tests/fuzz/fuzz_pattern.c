/*
 * fuzz_pattern.c - whatever the first line is, it is a pattern or the error names a place; whatever
 * follows is an event that fits or does not, and says the same again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "handlers/pattern.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_event(struct arena *arena, const struct pattern *pattern, struct str text)
{
    const struct flat *event = NULL;
    struct error err = { 0 };

    if (!flat_read(arena, text, NULL, &event, &err))
        return;

    bool fits = pattern_fits(pattern, event);

    assert(fits == pattern_fits(pattern, event));
    assert(!fits || flat_is_object(event));
}

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = end ? (size_t)(end - data) : size;
    struct str text = { (const char *)data, size };
    struct arena *arena = arena_create();
    const struct flat *source = NULL;
    struct pattern *pattern = NULL;
    struct error err = { 0 };
    const struct pattern_report report = { .problem = pattern_first_problem, .self = &err };

    if (flat_read(arena, (struct str){ text.ptr, len }, NULL, &source, &err)) {
        if (pattern_create(source, &report, &pattern))
            check_event(arena, pattern, str_from(text, len));
        else
            assert(err.code == ERR_INVALID && *err.text);
        pattern_destroy(pattern);
    }
    arena_destroy(arena);
    return 0;
}
