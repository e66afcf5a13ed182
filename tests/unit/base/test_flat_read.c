/*
 * test_flat_read.c - what the reader accepts, what it refuses, and what it says then.
 */
#include "base/flat.h"

#include <malloc.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/unit/test.h"

static struct arena *arena;

struct row {
    const char *name;
    struct str text;
};

#define ROW(name, text)                                                                            \
    {                                                                                              \
        name, STR_INIT(text)                                                                       \
    }

static void accepts_what_rfc_8259_allows(void)
{
    static const struct row rows[] = {
        ROW("empty array", "[]"),
        ROW("empty object", "{}"),
        ROW("array in arrays", "[[[[]]]]"),
        ROW("white space of all four kinds", " \t\r\n[ \t\r\n1 ,\n2 ] \r\n"),
        ROW("null at the top", "null"),
        ROW("true at the top", "true"),
        ROW("false at the top", " false "),
        ROW("string at the top", "\"a\""),
        ROW("number at the top", "42"),
        ROW("zero", "0"),
        ROW("minus zero", "-0"),
        ROW("fraction", "-0.5"),
        ROW("exponents", "[1e2,1E2,1e+2,1e-2,0e1,0.0E-0,1.5e3]"),
        ROW("int64 and beyond", "[9223372036854775807,9223372036854775808,18446744073709551616]"),
        ROW("too large for a double", "1e400"),
        ROW("too small for a double", "1e-400"),
        ROW("empty string", "\"\""),
        ROW("all short escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        ROW("escaped characters", "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\""),
        ROW("escaped NUL in a value", "\"a\\u0000b\""),
        ROW("escaped noncharacter", "\"\\uFFFF\\uDBFF\\uDFFE\""),
        ROW("delete is no control character here", "\"\x7F\""),
        ROW("UTF-8 of two, three and four bytes", "\"\u00e9\u20ac\U0001F600\""),
        ROW("first and last of each length",
            "\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
            "\xF4\x8F\xBF\xBF\""),
        ROW("line separators", "\"\u2028\u2029\""),
        ROW("empty key", "{\"\":0}"),
        ROW("keys that differ in case", "{\"a\":1,\"A\":2}"),
        ROW("same key in two objects", "[{\"a\":1},{\"a\":{\"a\":1}}]"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct flat *tree = NULL;
        struct error err = { 0 };

        TEST_CASE(rows[i].name);
        CHECK(flat_read(arena, rows[i].text, NULL, &tree, &err));
        CHECK_STR(str_from_c(err.text), "");
    }
}

struct refusal {
    const char *name;
    struct str text;
    const char *why;
};

#define REFUSAL(name, text, why)                                                                   \
    {                                                                                              \
        name, STR_INIT(text), why                                                                  \
    }

static void check_refusals(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct flat *tree = NULL;
        struct error err = { 0 };

        TEST_CASE(rows[i].name);
        CHECK(!flat_read(arena, rows[i].text, NULL, &tree, &err));
        CHECK(err.code == ERR_MALFORMED);
        CHECK_STR(str_from_c(err.text), rows[i].why);
        CHECK(!tree);
    }
}

static void refuses_bad_structure(void)
{
    static const struct refusal rows[] = {
        REFUSAL("empty text", "", "at byte 0: the text ends where a value is expected"),
        REFUSAL("only space", " \n", "at byte 2: the text ends where a value is expected"),
        REFUSAL("byte order mark", "\xEF\xBB\xBF{}", "at byte 0: byte order mark"),
        REFUSAL("UTF-16", "[\0]\0", "at byte 1: expected a value at /0"),
        REFUSAL("trailing bytes", "{} x", "at byte 3: more text behind the value"),
        REFUSAL("trailing NUL", "1\0", "at byte 1: more text behind the value"),
        REFUSAL("two values", "[][]", "at byte 2: more text behind the value"),
        REFUSAL("NUL", "\0", "at byte 0: expected a value"),
        REFUSAL("form feed", "[\f]", "at byte 1: expected a value at /0"),
        REFUSAL("comment", "[/**/1]", "at byte 1: expected a value at /0"),
        REFUSAL("no-break space", "[\u00a01]", "at byte 1: expected a value at /0"),
        REFUSAL("open array", "[1", "at byte 2: the text ends inside an array at /0"),
        REFUSAL("open object", "{\"a\":1", "at byte 6: the text ends inside an object"),
        REFUSAL("comma at the end of an array", "[1,]", "at byte 3: expected a value at /1"),
        REFUSAL("comma at the end of an object", "{\"a\":1,}",
                "at byte 7: expected a key in double quotes"),
        REFUSAL("two commas", "[1,,2]", "at byte 3: expected a value at /1"),
        REFUSAL("comma first", "[,1]", "at byte 1: expected a value at /0"),
        REFUSAL("no comma in an array", "[1 2]", "at byte 3: expected ',' or ']' at /0"),
        REFUSAL("no comma in an object", "{\"a\":1 \"b\":2}", "at byte 7: expected ',' or '}'"),
        REFUSAL("wrong bracket", "[1}", "at byte 2: expected ',' or ']' at /0"),
        REFUSAL("closing bracket alone", "]", "at byte 0: expected a value"),
        REFUSAL("colon in an array", "[\"a\":1]", "at byte 4: expected ',' or ']' at /0"),
        REFUSAL("no colon", "{\"a\" 1}", "at byte 5: expected ':' behind a key at /a"),
        REFUSAL("no value", "{\"a\":}", "at byte 5: expected a value at /a"),
        REFUSAL("key without quotes", "{a:1}", "at byte 1: expected a key in double quotes"),
        REFUSAL("key in single quotes", "{'a':1}", "at byte 1: expected a key in double quotes"),
        REFUSAL("number as key", "{1:1}", "at byte 1: expected a key in double quotes"),
        REFUSAL("True", "[True]", "at byte 1: expected a value at /0"),
        REFUSAL("nul", "[nul]", "at byte 1: expected a value at /0"),
        REFUSAL("truE", "truE", "at byte 0: expected a value"),
        REFUSAL("nulll", "nulll", "at byte 4: more text behind the value"),
        REFUSAL("NaN", "[NaN]", "at byte 1: expected a value at /0"),
        REFUSAL("Infinity", "Infinity", "at byte 0: expected a value"),
    };

    check_refusals(rows, COUNT_OF(rows));
}

static void refuses_bad_numbers(void)
{
    static const struct refusal rows[] = {
        REFUSAL("-Infinity", "-Infinity", "at byte 1: a number needs a digit behind '-'"),
        REFUSAL("minus alone", "[-]", "at byte 2: a number needs a digit behind '-' at /0"),
        REFUSAL("plus", "+1", "at byte 0: expected a value"),
        REFUSAL("leading zero", "01", "at byte 1: a number must not begin with 0"),
        REFUSAL("negative leading zero", "-012", "at byte 2: a number must not begin with 0"),
        REFUSAL("two zeros", "00", "at byte 1: a number must not begin with 0"),
        REFUSAL("nothing before the point", ".5", "at byte 0: expected a value"),
        REFUSAL("nothing behind the point", "1.", "at byte 2: a number needs a digit behind '.'"),
        REFUSAL("exponent at once", "1.e5", "at byte 2: a number needs a digit behind '.'"),
        REFUSAL("minus and point", "-.5", "at byte 1: a number needs a digit behind '-'"),
        REFUSAL("exponent without digits", "1e",
                "at byte 2: a number needs a digit in its exponent"),
        REFUSAL("exponent's sign alone", "1e+",
                "at byte 3: a number needs a digit in its exponent"),
        REFUSAL("hexadecimal", "0x1", "at byte 1: more text behind the value"),
        REFUSAL("two points", "1.2.3", "at byte 3: more text behind the value"),
        REFUSAL("full-width digit", "\uff11", "at byte 0: expected a value"),
        REFUSAL("space in it", "[1 000]", "at byte 3: expected ',' or ']' at /0"),
    };

    check_refusals(rows, COUNT_OF(rows));
}

static void refuses_bad_strings(void)
{
    static const struct refusal rows[] = {
        REFUSAL("open", "\"abc", "at byte 4: the text ends inside a string"),
        REFUSAL("open, long", "\"abcdefghijklmnopqrstuvwxyz",
                "at byte 27: the text ends inside a string"),
        REFUSAL("open behind a backslash", "\"\\", "at byte 2: the text ends inside a string"),
        REFUSAL("newline", "\"a\nb\"", "at byte 2: control character in a string"),
        REFUSAL("tab behind sixteen bytes", "\"0123456789abcdef\t\"",
                "at byte 17: control character in a string"),
        REFUSAL("NUL", "\"a\0b\"", "at byte 2: control character in a string"),
        REFUSAL("unknown escape", "\"\\a\"", "at byte 1: unknown escape"),
        REFUSAL("octal escape", "\"\\0\"", "at byte 1: unknown escape"),
        REFUSAL("escape in capitals", "\"\\N\"", "at byte 1: unknown escape"),
        REFUSAL("escaped control character", "\"\\\n\"", "at byte 1: unknown escape"),
        REFUSAL("\\u with three digits", "\"\\u12\"", "at byte 1: \\u needs four hex digits"),
        REFUSAL("\\u with other letters", "\"\\u12G4\"", "at byte 1: \\u needs four hex digits"),
        REFUSAL("\\u in capitals", "\"\\U0041\"", "at byte 1: unknown escape"),
        REFUSAL("\\u at the end", "\"\\u", "at byte 1: \\u needs four hex digits"),
        REFUSAL("low surrogate", "\"\\uDC00\"", "at byte 1: lone surrogate"),
        REFUSAL("high surrogate", "\"\\uD800\"", "at byte 1: lone surrogate"),
        REFUSAL("two high surrogates", "\"\\uD800\\uD800\"", "at byte 1: lone surrogate"),
        REFUSAL("high surrogate, character", "\"\\uD800\\u0041\"", "at byte 1: lone surrogate"),
        REFUSAL("high surrogate, end", "\"\\uD800\\u", "at byte 1: lone surrogate"),
        REFUSAL("surrogates the wrong way round", "\"\\uDE00\\uD83D\"",
                "at byte 1: lone surrogate"),
        REFUSAL("lone continuation", "\"\x80\"", "at byte 1: invalid UTF-8"),
        REFUSAL("overlong of two", "\"\xC0\x80\"", "at byte 1: invalid UTF-8"),
        REFUSAL("overlong slash", "\"\xC1\xAF\"", "at byte 1: invalid UTF-8"),
        REFUSAL("overlong of three", "\"\xE0\x9F\xBF\"", "at byte 1: invalid UTF-8"),
        REFUSAL("overlong of four", "\"\xF0\x8F\xBF\xBF\"", "at byte 1: invalid UTF-8"),
        REFUSAL("surrogate in UTF-8", "\"\xED\xA0\x80\"", "at byte 1: invalid UTF-8"),
        REFUSAL("above U+10FFFF", "\"\xF4\x90\x80\x80\"", "at byte 1: invalid UTF-8"),
        REFUSAL("F5", "\"\xF5\x80\x80\x80\"", "at byte 1: invalid UTF-8"),
        REFUSAL("FF", "\"\xFF\"", "at byte 1: invalid UTF-8"),
        REFUSAL("cut off by the quote", "\"\xE2\x82\"", "at byte 1: invalid UTF-8"),
        REFUSAL("cut off by the end", "\"\xE2\x82", "at byte 1: invalid UTF-8"),
        REFUSAL("third byte wrong", "\"ab\xE2\x82\x28\"", "at byte 3: invalid UTF-8"),
        REFUSAL("fourth byte wrong", "\"\xF0\x9F\x98\x28\"", "at byte 1: invalid UTF-8"),
        REFUSAL("Latin-1", "[\"\xE9\"]", "at byte 2: invalid UTF-8 at /0"),
        REFUSAL("in a key", "{\"a\":{\"\xFF\":1}}", "at byte 7: invalid UTF-8 at /a"),
        REFUSAL("outside of strings", "[\xFF]", "at byte 1: expected a value at /0"),
    };

    check_refusals(rows, COUNT_OF(rows));
}

static void refuses_keys_it_could_not_keep(void)
{
    static const struct refusal rows[] = {
        REFUSAL("twice", "{\"a\":1,\"a\":2}", "at byte 7: duplicate key at /a"),
        REFUSAL("twice, far apart", "{\"detail\":{\"id\":1,\"b\":2,\"id\":{}}}",
                "at byte 24: duplicate key at /detail/id"),
        REFUSAL("twice, once escaped", "{\"a\":1,\"\\u0061\":1}", "at byte 7: duplicate key at /a"),
        REFUSAL("twice, escaped first", "{\"\\u0061\":1,\"a\":1}",
                "at byte 12: duplicate key at /a"),
        REFUSAL("the empty key twice", "{\"\":1,\"\":1}", "at byte 6: duplicate key at /"),
        REFUSAL("twice in an array", "[0,{\"a~/b\":null,\"a~/b\":null}]",
                "at byte 16: duplicate key at /1/a~0~1b"),
        REFUSAL("NUL", "{\"a\\u0000b\":1}", "at byte 1: U+0000 in a key"),
        REFUSAL("only a NUL", "[{\"\\u0000\":1}]", "at byte 2: U+0000 in a key at /0"),
    };

    check_refusals(rows, COUNT_OF(rows));
}

static void finds_duplicates_of_symbols(void)
{
    const struct str keys[] = { STR("a"), STR("detail") };
    struct json_symbols *symbols = json_symbols_create(1 << 10);
    const struct flat_options options = { .symbols = symbols };
    const struct str texts[] = { STR("{\"a\":1,\"a\":2}"), STR("{\"a\":1,\"\\u0061\":2}"),
                                 STR("{\"\\u0061\":1,\"b\":1,\"a\":2}") };

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        CHECK(json_symbols_add(symbols, keys[i]) != NULL);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct flat *tree = NULL;
        struct error err = { 0 };

        CHECK(!flat_read(arena, texts[i], &options, &tree, &err));
        CHECK(str_ends_with(str_from_c(err.text), STR("duplicate key at /a")));
    }
    json_symbols_destroy(symbols);
}

/* `depth` arrays around nothing. */
static struct str nested(struct buf *out, size_t depth)
{
    buf_clear(out);
    for (size_t i = 0; i < depth; i++)
        buf_add_char(out, '[');
    for (size_t i = 0; i < depth; i++)
        buf_add_char(out, ']');
    return buf_str(out);
}

static bool reads(struct str text, size_t max_depth)
{
    const struct flat *tree = NULL;
    struct error err;
    bool ok = flat_read(arena, text, &(struct flat_options){ .max_depth = max_depth }, &tree, &err);

    return ok;
}

static void bounds_the_depth(void)
{
    static const struct {
        const char *name;
        size_t limit;
        size_t depth;
        bool ok;
    } rows[] = {
        { "default", 0, JSON_MAX_DEPTH, true },
        { "one more than the default", 0, JSON_MAX_DEPTH + 1, false },
        { "one", 1, 1, true },
        { "one more than one", 1, 2, false },
        { "the limit", JSON_DEPTH_LIMIT, JSON_DEPTH_LIMIT, true },
        { "one more than the limit", JSON_DEPTH_LIMIT, JSON_DEPTH_LIMIT + 1, false },
        { "asking for more than the limit", SIZE_MAX, JSON_DEPTH_LIMIT, true },
        { "getting no more than the limit", SIZE_MAX, JSON_DEPTH_LIMIT + 1, false },
    };
    struct buf text;

    buf_init(&text, 4096);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].name);
        CHECK(reads(nested(&text, rows[i].depth), rows[i].limit) == rows[i].ok);
    }
    CHECK(reads(STR("1"), 1));
    buf_done(&text);
}

static void ends_at_once_on_two_mebibytes_of_brackets(void)
{
    static char brackets[2 << 20];
    const struct flat *tree = NULL;
    struct error err = { 0 };

    memset(brackets, '[', sizeof(brackets));
    CHECK(!flat_read(arena, (struct str){ brackets, sizeof(brackets) }, NULL, &tree, &err));
    CHECK(str_starts_with(str_from_c(err.text),
                          STR("at byte 64: arrays and objects nested too deeply at /0/0/0")));
}

/* Bytes of the heap in use; 0 under a sanitizer. */
static size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* `before`, `piece` for `size` bytes, commas between, `after`; # in the piece is its number. */
static void repeat(struct buf *out, const char *before, const char *piece, size_t size,
                   const char *after)
{
    buf_clear(out);
    buf_add(out, str_from_c(before));
    for (unsigned i = 0; out->len < size; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        for (const char *at = piece; *at; at++) {
            if (*at == '#')
                buf_printf(out, "%x", i);
            else
                buf_add_char(out, *at);
        }
    }
    buf_add(out, str_from_c(after));
}

static void takes_at_most_24_times_the_memory_of_the_text(void)
{
    static const struct {
        const char *before;
        const char *piece;
        const char *after;
    } rows[] = {
        { "[", "0", "]" },
        { "[", "[]", "]" },
        { "[", "{}", "]" },
        { "[", "\"\\n\"", "]" },
        { "[", "{\"\\n\":0}", "]" },
        { "{", "\"#\":0", "}" },
        { "{", "\"\\n#\":[]", "}" },
        { "[", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "]" },
        { "[",
          "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,"
          "\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,\"p\":0,\"q\":0}",
          "]" },
    };
    struct buf text;

    buf_init(&text, 3 << 20);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *own = arena_create();
        const struct flat *tree = NULL;
        struct error err = { 0 };

        repeat(&text, rows[i].before, rows[i].piece, 2 << 20, rows[i].after);

        size_t before = heap_in_use();

        TEST_CASE(rows[i].piece);
        CHECK(flat_read(own, buf_str(&text), NULL, &tree, &err));
        CHECK((heap_in_use() - before) / 24 <= text.len);
        arena_destroy(own);
    }
    buf_done(&text);
}

/* A machine that needed quadratic time for this would take minutes. */
static void reads_many_members_in_linear_time(void)
{
    enum { MEMBERS = 200000 };
    struct buf text;
    const struct flat *tree = NULL;
    struct error err = { 0 };

    buf_init(&text, 1 << 24);
    buf_add_char(&text, '{');
    for (int i = 0; i < MEMBERS; i++)
        buf_printf(&text, "%s\"key-%d\":%d", i ? "," : "", i, i);
    buf_add_char(&text, '}');
    CHECK(flat_read(arena, buf_str(&text), NULL, &tree, &err));
    CHECK_INT((int64_t)flat_count(tree), MEMBERS);
    buf_done(&text);
}

/* Also where the table of an object grows, and when the key has escapes. */
static void finds_the_duplicate_among_many_members(void)
{
    enum { MOST = 300 };
    struct buf text;

    buf_init(&text, 1 << 20);
    for (int count = 1; count <= MOST; count++) {
        int second = count * 7 % count;
        const struct flat *tree = NULL;
        struct error err = { 0 };

        buf_clear(&text);
        for (int i = 0; i < count; i++)
            buf_printf(&text, "%s\"k%d\":[{}]", i ? "," : "{", i);

        size_t place = text.len + 1;

        buf_printf(&text, ",\"\\u006b%d\":0}", second);
        CHECK(!flat_read(arena, buf_str(&text), NULL, &tree, &err));
        CHECK_STR(str_from_c(err.text),
                  arena_printf(arena, "at byte %zu: duplicate key at /k%d", place, second).ptr);
    }
    buf_done(&text);
}

static void marks_members_that_are_symbols(void)
{
    static const struct str text = STR_INIT("{\"a\":{\"b\":1},\"b\":2}");
    struct json_symbols *symbols = json_symbols_create(1 << 10);
    const struct flat_options options = { .symbols = symbols };
    const struct flat *tree = NULL;
    struct error err = { 0 };

    CHECK(flat_read(arena, text, &options, &tree, &err));
    CHECK_INT(flat_find(tree, STR("b"))->symbol, FLAT_NO_SYMBOL);
    CHECK(json_symbols_add(symbols, STR("b")) != NULL);
    CHECK(flat_read(arena, text, &options, &tree, &err));
    CHECK_INT(flat_find(tree, STR("b"))->symbol, 0);
    CHECK_INT(flat_find(tree, STR("a"))->symbol, FLAT_NO_SYMBOL);
    json_symbols_destroy(symbols);
}

static bool is_harmless_line(struct str text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = at + text.len;

    while (at < end) {
        size_t len = utf8_length(at, end);

        if (len == 0 || *at < 0x20 || *at == 0x7F)
            return false;
        at += len;
    }
    return true;
}

static void keeps_errors_to_one_harmless_line(void)
{
    static const struct {
        const char *name;
        struct str text;
        const char *why;
    } rows[] = {
        { "control characters", STR_INIT("{\"\\n\\u001b[31m\x7F\":x}"),
          "at byte 17: expected a value at /\\u000a\\u001b[31m\\u007f" },
        { "line separator, direction", STR_INIT("{\"\u2028\u202e\xC2\x85\":x}"),
          "at byte 12: expected a value at /\\u2028\\u202e\\u0085" },
        { "other alphabets", STR_INIT("{\"Ключ \U0001F600\":x}"),
          "at byte 17: expected a value at /Ключ \U0001F600" },
        { "format characters", STR_INIT("{\"%s%n\":x}"), "at byte 8: expected a value at /%s%n" },
    };
    struct buf text;
    const struct flat *tree;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error err = { 0 };

        TEST_CASE(rows[i].name);
        CHECK(!flat_read(arena, rows[i].text, NULL, &tree, &err));
        CHECK_STR(str_from_c(err.text), rows[i].why);
        CHECK(is_harmless_line(str_from_c(err.text)));
    }

    TEST_CASE("a long key");
    buf_init(&text, 1 << 20);
    buf_add(&text, STR("{\""));
    for (int i = 0; i < 10000; i++)
        buf_add(&text, STR("\u20ac"));
    buf_add(&text, STR("\":x}"));

    struct error err = { 0 };

    CHECK(!flat_read(arena, buf_str(&text), NULL, &tree, &err));
    CHECK(is_harmless_line(str_from_c(err.text)));
    CHECK(str_ends_with(str_from_c(err.text), STR("...")));
    CHECK(strlen(err.text) < 300);
    buf_done(&text);
}

static void reads_strings_as_they_are_meant(void)
{
    static const struct {
        const char *name;
        struct str text;
        struct str value;
    } rows[] = {
        { "plain", STR_INIT("\"abc\""), STR_INIT("abc") },
        { "longer than a register", STR_INIT("\"0123456789abcdef0123456789abcdef0\""),
          STR_INIT("0123456789abcdef0123456789abcdef0") },
        { "short escapes", STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
          STR_INIT("\"\\/\b\f\n\r\t") },
        { "escapes between text", STR_INIT("\"a\\nb\\u0041c\""), STR_INIT("a\nbAc") },
        { "lengths of UTF-8", STR_INIT("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\""),
          STR_INIT("\x7F\xC2\x80\u07ff\u0800\uffff") },
        { "surrogate pairs", STR_INIT("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""),
          STR_INIT("\U00010000\U0010FFFF") },
        { "NUL", STR_INIT("\"a\\u0000b\""), STR_INIT("a\0b") },
        { "escaped backslash before u", STR_INIT("\"\\\\u0041\""), STR_INIT("\\u0041") },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct flat *tree = NULL;
        struct error err;

        TEST_CASE(rows[i].name);
        CHECK(flat_read(arena, rows[i].text, NULL, &tree, &err));
        CHECK(flat_is_string(tree) && str_equal(flat_str(tree), rows[i].value));
    }
}

static void needs_no_byte_behind_the_text(void)
{
    /* Heap memory of the exact size, so that a sanitizer sees a look beyond it. */
    static const char *const texts[] = { "1",       "12.5",    "-1e5",  "true",
                                         "\"abc\"", "\"\\n\"", "[1,2]", "{\"a\":1}" };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        size_t len = strlen(texts[i]);

        TEST_CASE(texts[i]);
        for (size_t cut = 0; cut <= len; cut++) {
            struct buf text;
            const struct flat *tree = NULL;
            struct error err;

            buf_init(&text, len - cut);
            buf_add(&text, (struct str){ texts[i], len - cut });
            CHECK(flat_read(arena, buf_str(&text), NULL, &tree, &err) || cut > 0);
            buf_done(&text);
        }
    }
}

/* Does each value know its size, its place and its members? */
static void check_places(const struct flat *value)
{
    const struct flat *next = value + 1;
    uint32_t count = 0;

    if (!flat_is_array(value) && !flat_is_object(value)) {
        CHECK_INT(value->size, 1);
        return;
    }
    for (FLAT_EACH(child, value)) {
        CHECK(child == next);
        CHECK_INT(child->index, count++);
        CHECK((flat_is_array(value) ? flat_at(value, child->index)
                                    : flat_find(value, flat_key(child))) == child);
        check_places(child);
        next = child + child->size;
    }
    CHECK(next == value + value->size);
    CHECK_INT((int64_t)flat_count(value), count);
}

static void values_stand_in_the_order_of_the_text(void)
{
    static const struct str text = STR_INIT("{\"a\":[1,[],{\"b\":[2]},\"x\"],\"\":{},\"c\":null}");
    const struct flat *tree = NULL;
    struct error err = { 0 };

    CHECK(flat_read(arena, text, NULL, &tree, &err));
    check_places(tree);
    CHECK(!flat_find(tree, STR("b")));
    CHECK(!flat_at(flat_find(tree, STR("a")), 4));
    CHECK(!flat_at(flat_find(tree, STR("a")), SIZE_MAX));
    CHECK_STR(flat_find_str(tree, STR("c")), "");
    CHECK_INT(flat_find(tree, STR("c"))->kind, JSON_NULL);
    CHECK(flat_str(flat_at(flat_find(tree, STR("a")), 3)).ptr == strchr(text.ptr, 'x'));
}

/* Keys are compared by words, which overlap or end early by their length. */
static void finds_a_key_by_each_of_its_bytes(void)
{
    enum { LONGEST = 34 };
    char key[LONGEST + 1] = "";

    for (size_t len = 0; len <= LONGEST; len++) {
        const struct flat *tree = NULL;
        struct error err;

        CHECK(flat_read(arena, arena_printf(arena, "{\"%s\":1}", key), NULL, &tree, &err));
        CHECK(flat_find(tree, (struct str){ key, len }) == tree + 1);
        CHECK(!flat_find(tree, (struct str){ "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", len + 1 }));
        for (size_t i = 0; i < len; i++) {
            key[i] ^= 1;
            CHECK(!flat_find(tree, (struct str){ key, len }));
            key[i] ^= 1;
        }
        if (len < LONGEST)
            key[len] = (char)('a' + len % 26);
    }
}

static void finds_members_of_large_objects(void)
{
    enum { MEMBERS = 1000 };
    const struct flat *tree = NULL;
    const struct flat *copy;
    struct error err = { 0 };
    struct buf text;

    buf_init(&text, 1 << 20);
    for (int i = 0; i < MEMBERS; i++)
        buf_printf(&text, "%s\"k%d\":[%d,{}]", i ? "," : "{", i, i);
    buf_add_char(&text, '}');
    CHECK(flat_read(arena, buf_str(&text), NULL, &tree, &err));
    CHECK(flat_is_indexed(tree));
    check_places(tree);
    CHECK(!flat_find(tree, STR("k")) && !flat_find(tree, STR("")));
    TEST_CASE("a copy needs nothing of the original");
    copy = flat_copy(arena, tree);
    memset(text.ptr, 'x', text.len);
    check_places(copy);
    CHECK_STR(flat_text(arena, flat_find(copy, STR("k999"))), "[999,{}]");
    buf_done(&text);
}

static void a_tree_on_the_heap_ends_with_its_arena(void)
{
    struct arena *own = arena_create();
    const struct flat *tree = NULL;
    struct error err = { 0 };
    struct buf text;

    buf_init(&text, 1 << 20);
    repeat(&text, "[", "0", 10000, "]");
    CHECK(flat_read(own, buf_str(&text), NULL, &tree, &err));
    CHECK_INT((int64_t)flat_count(tree), 5000);
    text.ptr[text.len - 1] = '}';
    CHECK(!flat_read(own, buf_str(&text), NULL, &tree, &err));
    CHECK_STR(str_from_c(err.text), "at byte 10000: expected ',' or ']' at /4999");
    arena_destroy(own);
    buf_done(&text);
}

int main(void)
{
    arena = arena_create();
    RUN(accepts_what_rfc_8259_allows);
    RUN(refuses_bad_structure);
    RUN(refuses_bad_numbers);
    RUN(refuses_bad_strings);
    RUN(refuses_keys_it_could_not_keep);
    RUN(finds_duplicates_of_symbols);
    RUN(bounds_the_depth);
    RUN(ends_at_once_on_two_mebibytes_of_brackets);
    RUN(takes_at_most_24_times_the_memory_of_the_text);
    RUN(reads_many_members_in_linear_time);
    RUN(finds_the_duplicate_among_many_members);
    RUN(marks_members_that_are_symbols);
    RUN(keeps_errors_to_one_harmless_line);
    RUN(reads_strings_as_they_are_meant);
    RUN(needs_no_byte_behind_the_text);
    RUN(values_stand_in_the_order_of_the_text);
    RUN(finds_a_key_by_each_of_its_bytes);
    RUN(finds_members_of_large_objects);
    RUN(a_tree_on_the_heap_ends_with_its_arena);
    arena_destroy(arena);
    return test_end();
}
