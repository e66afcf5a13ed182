/*
 * fuzz_json.c - whatever is read comes out as a text that reads as the same value, and that text
 * is final; whatever is refused is refused in one harmless line. Both with and without symbols.
 */
#include <assert.h>

#include "base/json.h"
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

static bool is_number(struct json_object *value)
{
    return json_kind(value) == JSON_INTEGER || json_kind(value) == JSON_NUMBER;
}

static void check_number(struct json_object *number)
{
    int64_t integer;

    assert(json_compare_numbers(number, number) == 0);
    if (json_int64(number, &integer)) {
        struct json_object *same = json_object_new_int64(integer);

        assert(json_equal(number, same) && json_hash(number) == json_hash(same));
        json_release(same);
    }
}

static void check_numbers(struct json_object *a, struct json_object *b)
{
    int order = json_compare_numbers(a, b);
    int back = json_compare_numbers(b, a);

    assert((order > 0) == (back < 0) && (order < 0) == (back > 0));
    assert(json_equal(a, b) == (order == 0));
    assert(order != 0 || json_hash(a) == json_hash(b));
    /* Nothing is known of the answer, but there must be one. */
    (void)json_is_multiple(a, b);
    (void)json_is_multiple(b, a);
}

/* Numbers, alone or as the first two elements. */
static void check_values(struct json_object *value)
{
    if (is_number(value))
        check_number(value);
    if (json_is_array(value) && json_count(value) >= 2 && is_number(json_at(value, 0)) &&
        is_number(json_at(value, 1)))
        check_numbers(json_at(value, 0), json_at(value, 1));
}

static void check_tree(struct arena *arena, struct json_object *tree, struct str text,
                       const struct json_read_options *options)
{
    struct json_object *again = NULL;
    struct error err = { 0 };
    struct str written = json_text(arena, tree);

    /* Escapes and numbers never grow. */
    assert(written.len <= text.len);
    assert(json_read_in(arena, written, options, &again, &err));
    assert(json_equal(tree, again) && json_equal(again, tree));
    assert(json_hash(tree) == json_hash(again));
    assert(str_equal(json_text(arena, again), written));
    check_values(tree);
}

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_symbols *symbols;
    const struct str keys[] = { STR("id"), STR("detail"), STR("a"), STR("") };
    struct str text = { (const char *)data, size };
    struct arena *arena = arena_create();
    struct json_object *tree = NULL;
    struct json_object *other = NULL;
    struct error err = { 0 };
    struct error other_err = { 0 };

    if (!symbols)
        symbols = json_symbols_create(1 << 10);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        (void)json_symbols_add(symbols, keys[i]);

    struct json_read_options options = { .symbols = symbols };
    bool ok = json_read_in(arena, text, NULL, &tree, &err);

    assert(json_read_in(arena, text, &options, &other, &other_err) == ok);
    if (ok) {
        assert(json_equal(tree, other));
        check_tree(arena, tree, text, NULL);
        check_tree(arena, other, text, &options);
    } else {
        assert(strcmp(err.text, other_err.text) == 0);
        check_error(&err);
    }
    arena_destroy(arena);
    return 0;
}
