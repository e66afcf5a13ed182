/*
 * flat_read.c - from text to tree; see flat.h.
 *
 * One loop, without recursion: it adds a value to the array, reads it when it is a scalar, and
 * steps down into it when it is a container. A duplicate key is detected when the member's value
 * has been read.
 *
 * The values of a usual event fit into an array on the stack, from which the arena gets a copy of
 * the right size. A larger array is on the heap. Each value takes two bytes of the text at least,
 * so the array never needs more room than for half as many values as the text has bytes.
 */
#include <limits.h>

#include "base/chars.h"
#include "base/flat_internal.h"

enum { STACK_VALUES = 200 };

struct reader {
    struct json_input in;
    const struct json_symbols *symbols;
    struct arena *arena;
    struct flat *values;
    size_t count;
    size_t capacity;
    struct flat *heap;         /* `values`, if they are on the heap */
    struct flat_level *levels; /* [max_depth]; the open containers, outermost first */
    size_t depth;              /* their number */
    size_t max_depth;
    struct error *err;
};

/* Fail, with the place `in.at`. */
static bool read_fail(struct reader *reader, const char *reason)
{
    const struct flat_path path = { reader->values, reader->levels, reader->depth };

    reader->in.reason = reason;
    return flat_read_fail(&reader->in, &path, reader->err);
}

static bool read_fail_at(struct reader *reader, const unsigned char *at, const char *reason)
{
    reader->in.at = at;
    return read_fail(reader, reason);
}

/* The next byte that is not white space, or -1 at the end. */
static inline int peek(struct reader *reader)
{
    struct json_input *in = &reader->in;

    while (in->at < in->end) {
        unsigned char c = *in->at;

        if (LIKELY(c > ' '))
            return c;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
        in->at++;
    }
    return -1;
}

/* Values. */

/* The room grows by the density of values so far, up to what the rest of the text can need. */
static void grow_values(struct reader *reader)
{
    size_t text = (size_t)(reader->in.end - reader->in.begin);
    size_t rest = (size_t)(reader->in.end - reader->in.at);
    size_t most = reader->count + rest / 2 + 2;
    size_t expected = reader->count + reader->count * rest / (text - rest + 1) + STACK_VALUES;
    size_t capacity = expected < most ? expected : most;
    struct flat *heap = mem_realloc(reader->heap, capacity * sizeof(*heap));

    if (!reader->heap)
        memcpy(heap, reader->values, reader->count * sizeof(*heap));
    reader->heap = heap;
    reader->values = heap;
    reader->capacity = capacity;
}

static inline struct flat *add_value(struct reader *reader)
{
    if (UNLIKELY(reader->count == reader->capacity))
        grow_values(reader);

    struct flat *value = &reader->values[reader->count++];

    *value = (struct flat){ .symbol = FLAT_NO_SYMBOL, .size = 1 };
    return value;
}

/* Read a string behind its opening quote. The value of one with escapes is in the arena. */
static bool read_bytes(struct reader *reader, struct json_raw *out)
{
    if (!json_scan_string(&reader->in, out))
        return read_fail(reader, reader->in.reason);
    if (out->escaped) {
        char *copy = arena_alloc(reader->arena, out->bytes.len);

        out->bytes = (struct str){ copy, json_unescape(out, copy) };
    }
    return true;
}

/* Note the key of the member being read, in the set of the object's keys. */
static inline void note_key(struct reader *reader, struct flat_level *level, struct flat *member)
{
    uint64_t hash = json_key_hash(flat_key(member));
    uint64_t bit = UINT64_C(1) << (hash & 63);

    level->maybe_second = (level->bloom & bit) != 0;
    level->bloom |= bit;
    level->member = (uint32_t)(member - reader->values);
    if (reader->symbols) {
        const struct json_symbol *symbol =
            json_symbols_find_hashed(reader->symbols, flat_key(member), hash);

        if (symbol)
            member->symbol = symbol->index;
    }
}

static bool read_key(struct reader *reader, struct flat_level *level, struct flat *member)
{
    struct json_raw key = { 0 };

    if (peek(reader) != '"')
        return read_fail(reader, "expected a key in double quotes");
    level->key_at = reader->in.at++;
    if (!json_take_plain(&reader->in, &key.bytes) && !read_bytes(reader, &key))
        return false;
    if (UNLIKELY(key.nul))
        return read_fail_at(reader, level->key_at, "U+0000 in a key");
    member->key = key.bytes.ptr;
    member->key_len = (uint32_t)key.bytes.len;
    member->flags = key.escaped ? 0 : FLAT_PLAIN_KEY;
    note_key(reader, level, member);
    if (peek(reader) != ':')
        return read_fail(reader, "expected ':' behind a key");
    reader->in.at++;
    return true;
}

/* Make `value` the next child of the open container. */
static inline bool begin_child(struct reader *reader, struct flat *value)
{
    struct flat_level *level = &reader->levels[reader->depth - 1];
    struct flat *parent = &reader->values[level->node];

    if (parent->kind == JSON_OBJECT && !read_key(reader, level, value))
        return false;
    value->index = parent->len++;
    return true;
}

static bool read_string(struct reader *reader, struct flat *value)
{
    struct json_raw raw = { 0 };

    reader->in.at++;
    if (!json_take_plain(&reader->in, &raw.bytes) && !read_bytes(reader, &raw))
        return false;
    value->kind = JSON_STRING;
    value->text = raw.bytes.ptr;
    value->len = (uint32_t)raw.bytes.len;
    if (!raw.escaped)
        value->flags |= FLAT_PLAIN;
    return true;
}

static inline size_t skip_digits(struct json_input *in)
{
    const unsigned char *start = in->at;

    while (in->at < in->end && char_is_digit((char)*in->at))
        in->at++;
    return (size_t)(in->at - start);
}

static bool skip_exponent(struct reader *reader)
{
    struct json_input *in = &reader->in;

    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
        in->at++;
    return skip_digits(in) > 0 || read_fail(reader, "a number needs a digit in its exponent");
}

/* Begins with a digit or `-`. */
static bool read_number(struct reader *reader, struct flat *value)
{
    struct json_input *in = &reader->in;
    const unsigned char *start = in->at;
    const unsigned char *first = start + (*start == '-');

    value->kind = JSON_INTEGER;
    in->at = first;

    size_t digits = skip_digits(in);

    if (digits == 0)
        return read_fail(reader, "a number needs a digit behind '-'");
    if (digits > 1 && *first == '0')
        return read_fail_at(reader, first + 1, "a number must not begin with 0");
    if (in->at < in->end && *in->at == '.') {
        value->kind = JSON_NUMBER;
        in->at++;
        if (skip_digits(in) == 0)
            return read_fail(reader, "a number needs a digit behind '.'");
    }
    if (in->at < in->end && (*in->at | 0x20) == 'e') {
        value->kind = JSON_NUMBER;
        if (!skip_exponent(reader))
            return false;
    }
    value->text = (const char *)start;
    value->len = (uint32_t)(in->at - start);
    return true;
}

static bool read_word(struct reader *reader, struct str word)
{
    struct json_input *in = &reader->in;
    struct str rest = { (const char *)in->at, (size_t)(in->end - in->at) };

    if (!str_starts_with(rest, word))
        return read_fail(reader, "expected a value");
    in->at += word.len;
    return true;
}

static bool read_scalar(struct reader *reader, struct flat *value, int c)
{
    switch (c) {
    case '"':
        return read_string(reader, value);
    case 't':
        value->kind = JSON_BOOLEAN;
        value->flags |= FLAT_TRUE;
        return read_word(reader, STR("true"));
    case 'f':
        value->kind = JSON_BOOLEAN;
        return read_word(reader, STR("false"));
    case 'n':
        return read_word(reader, STR("null"));
    case -1:
        return read_fail(reader, "the text ends where a value is expected");
    default:
        break;
    }
    if (c == '-' || char_is_digit((char)c))
        return read_number(reader, value);
    return read_fail(reader, "expected a value");
}

/* Containers. */

/* Step over an opening bracket, and into the container unless it is empty. */
static bool enter(struct reader *reader, struct flat *value, int bracket, bool *is_open)
{
    if (reader->depth == reader->max_depth)
        return read_fail(reader, "arrays and objects nested too deeply");
    value->kind = bracket == '{' ? JSON_OBJECT : JSON_ARRAY;
    reader->in.at++;
    *is_open = peek(reader) != bracket + 2; /* the closing bracket */
    if (*is_open)
        reader->levels[reader->depth++] =
            (struct flat_level){ .node = (uint32_t)(value - reader->values) };
    else
        reader->in.at++;
    return true;
}

static void leave(struct reader *reader)
{
    const struct flat_level *level = &reader->levels[--reader->depth];
    struct flat *container = &reader->values[level->node];

    reader->in.at++;
    container->size = (uint32_t)(reader->count - level->node);
    if (UNLIKELY(level->index != NULL)) {
        container->text = (const char *)level->index;
        container->flags |= FLAT_INDEXED;
    }
}

/* The member's value has been read. */
static inline bool end_member(struct reader *reader, struct flat_level *level)
{
    bool maybe = level->maybe_second || reader->values[level->node].len > FLAT_SCAN_MAX;

    if (UNLIKELY(maybe) && flat_is_second(reader->arena, level, reader->values))
        return read_fail_at(reader, level->key_at, "duplicate key");
    level->member = 0;
    return true;
}

static bool fail_separator(struct reader *reader, int c, bool in_object)
{
    if (c < 0)
        return read_fail(reader, in_object ? "the text ends inside an object"
                                           : "the text ends inside an array");
    return read_fail(reader, in_object ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* A value is complete. Step over all brackets that close next, and over the comma behind them. */
static inline bool end_value(struct reader *reader)
{
    while (reader->depth > 0) {
        struct flat_level *level = &reader->levels[reader->depth - 1];
        bool in_object = reader->values[level->node].kind == JSON_OBJECT;

        if (in_object && !end_member(reader, level))
            return false;

        int c = peek(reader);

        if (c == ',') {
            reader->in.at++;
            return true;
        }
        if (UNLIKELY(c != (in_object ? '}' : ']')))
            return fail_separator(reader, c, in_object);
        leave(reader);
    }
    return true;
}

static bool read_values(struct reader *reader)
{
    do {
        struct flat *value = add_value(reader);
        bool is_open = false;

        if (reader->depth > 0 && !begin_child(reader, value))
            return false;

        int c = peek(reader);

        if (c == '{' || c == '[') {
            if (!enter(reader, value, c, &is_open))
                return false;
        } else if (!read_scalar(reader, value, c)) {
            return false;
        }
        if (!is_open && !end_value(reader))
            return false;
    } while (reader->depth > 0);
    return true;
}

static bool read_text(struct reader *reader)
{
    struct str text = { (const char *)reader->in.begin,
                        (size_t)(reader->in.end - reader->in.begin) };

    if (str_starts_with(text, STR("\xEF\xBB\xBF")))
        return read_fail(reader, "byte order mark");
    if (!read_values(reader))
        return false;
    return peek(reader) < 0 || read_fail(reader, "more text behind the value");
}

static size_t depth_of(const struct flat_options *options)
{
    if (!options || options->max_depth == 0)
        return JSON_MAX_DEPTH;
    return options->max_depth < JSON_DEPTH_LIMIT ? options->max_depth : JSON_DEPTH_LIMIT;
}

/* The tree, in the arena. */
static const struct flat *keep(struct reader *reader)
{
    size_t size = reader->count * sizeof(struct flat);

    if (!reader->heap)
        return arena_keep(reader->arena, reader->values, size);

    struct flat *tree = mem_realloc(reader->heap, size);

    arena_own(reader->arena, tree, mem_free);
    return tree;
}

bool flat_read(struct arena *arena, struct str text, const struct flat_options *options,
               const struct flat **out, struct error *err)
{
    const unsigned char *begin = (const unsigned char *)(text.ptr ? text.ptr : "");
    /* Not zeroed: that would take longer than reading. */
    struct flat values[STACK_VALUES];
    struct flat_level levels[JSON_DEPTH_LIMIT];
    struct reader reader = {
        .in = { .begin = begin, .at = begin, .end = begin + text.len },
        .symbols = options ? options->symbols : NULL,
        .arena = arena,
        .values = values,
        .capacity = STACK_VALUES,
        .levels = levels,
        .max_depth = depth_of(options),
        .err = err,
    };

    /* Lengths are 32 bits wide. */
    if (text.len > INT_MAX)
        return fail(err, ERR_MALFORMED, "at byte %d: the text is longer than 2 GiB", INT_MAX);
    if (!read_text(&reader)) {
        mem_free(reader.heap);
        return false;
    }
    *out = keep(&reader);
    return true;
}
