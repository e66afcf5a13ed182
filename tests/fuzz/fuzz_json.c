/*
 * fuzz_json.c - whatever is read comes out as a text that reads as the same value, and that text
 * is final; whatever is refused is refused in one harmless line. Both with and without symbols.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/flat.h"
#include "base/utf8.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct error *err)
{
    struct str text = str_from_c(err->text);
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = at + text.len;

    assert(err->code == ERR_MALFORMED && str_starts_with(text, STR("at byte ")));
    assert(text.len < 400);
    while (at < end) {
        size_t len = utf8_length(at, end);

        assert(len > 0 && *at >= 0x20 && *at != 0x7F);
        at += len;
    }
}

static void check_number(const struct flat *number)
{
    int64_t integer;

    assert(flat_compare_numbers(number, number) == 0);
    if (flat_int64(number, &integer)) {
        char text[24];
        int len = snprintf(text, sizeof(text), "%lld", (long long)integer);
        struct flat same = { .kind = JSON_INTEGER, .text = text, .len = (uint32_t)len, .size = 1 };

        assert(flat_equal(number, &same) && flat_hash(number) == flat_hash(&same));
    }
}

static void check_numbers(const struct flat *a, const struct flat *b)
{
    int order = flat_compare_numbers(a, b);
    int back = flat_compare_numbers(b, a);

    assert((order > 0) == (back < 0) && (order < 0) == (back > 0));
    assert(flat_equal(a, b) == (order == 0));
    assert(order != 0 || flat_hash(a) == flat_hash(b));
    /* Nothing is known of the answer, but there must be one. */
    (void)flat_is_multiple(a, b);
    (void)flat_is_multiple(b, a);
}

/* Numbers, alone or as the first two elements. */
static void check_values(const struct flat *value)
{
    if (flat_is_number(value))
        check_number(value);
    if (flat_is_array(value) && flat_count(value) >= 2 && flat_is_number(flat_at(value, 0)) &&
        flat_is_number(flat_at(value, 1)))
        check_numbers(flat_at(value, 0), flat_at(value, 1));
}

/* Every value knows its size and its place, and every member is found by its key. */
static void check_places(const struct flat *value)
{
    const struct flat *next = value + 1;
    uint32_t count = 0;

    if (!flat_is_array(value) && !flat_is_object(value)) {
        assert(value->size == 1);
        return;
    }
    for (FLAT_EACH(child, value)) {
        assert(child == next && child->index == count++);
        assert(flat_is_array(value) || flat_find(value, flat_key(child)) == child);
        check_places(child);
        next = child + child->size;
    }
    assert(next == value + value->size && flat_count(value) == count);
}

static void check_tree(struct arena *arena, const struct flat *tree, struct str text,
                       const struct flat_options *options)
{
    const struct flat *again = NULL;
    struct error err = { 0 };
    struct str written = flat_text(arena, tree);

    /* Escapes and numbers never grow. */
    assert(written.len <= text.len);
    assert(flat_read(arena, written, options, &again, &err));
    assert(flat_equal(tree, again) && flat_equal(again, tree));
    assert(flat_hash(tree) == flat_hash(again));
    assert(str_equal(flat_text(arena, again), written));
    check_values(tree);
    check_places(tree);
}

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_symbols *symbols;
    const struct str keys[] = { STR("id"), STR("detail"), STR("a"), STR("") };
    struct str text = { (const char *)data, size };
    struct arena *arena = arena_create();
    const struct flat *tree = NULL;
    const struct flat *other = NULL;
    struct error err = { 0 };
    struct error other_err = { 0 };

    if (!symbols)
        symbols = json_symbols_create(1 << 10);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        (void)json_symbols_add(symbols, keys[i]);

    struct flat_options options = { .symbols = symbols };
    bool ok = flat_read(arena, text, NULL, &tree, &err);

    assert(flat_read(arena, text, &options, &other, &other_err) == ok);
    if (ok) {
        assert(flat_equal(tree, other));
        check_tree(arena, tree, text, NULL);
        check_tree(arena, other, text, &options);
    } else {
        assert(strcmp(err.text, other_err.text) == 0);
        check_error(&err);
    }
    arena_destroy(arena);
    return 0;
}
