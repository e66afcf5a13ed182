/*
 * json_read.c - from text to tree: arrays, objects and words; see json.h.
 *
 * Recursive descent, bounded by `max_depth`. A member is added when its value has been read. A
 * duplicate key is detected then, with one look-up in json-c's own table, so an object of any size
 * is read in linear time.
 */
#include <limits.h>
#include <string.h>

#include "base/chars.h"
#include "base/json_internal.h"

/* Most arrays are short; json-c would reserve 32 elements. */
enum { FIRST_ELEMENTS = 8 };

/*
 * json-c probes linearly, at a load of two thirds at most; then a member is about four slots away
 * from the one that its hash names. The hash has a random seed of 32 bits per process. An object
 * whose keys collide all the same is refused before reading it takes quadratic time.
 */
enum { COLLISIONS_CHECKED_FROM = 128, DISPLACEMENT_PER_MEMBER = 64 };

/* Bytes that json-c and malloc() use for a value, about, on a 64-bit system. */
enum {
    OBJECT_MEMORY = 800, /* the smallest table has 16 slots */
    MEMBER_MEMORY = 80,  /* its part of a larger table, and the allocation of its key */
    ARRAY_MEMORY = 192,
    ELEMENT_MEMORY = 16,
    SCALAR_MEMORY = 64,
};

struct reader {
    struct json_input in;
    const struct json_symbols *symbols;
    struct json_place *places; /* [max_depth]; the open containers, outermost first */
    size_t depth;              /* their number */
    size_t max_depth;
    size_t memory;      /* bytes that the tree may still use */
    struct buf scratch; /* for an unescaped string */
    struct error *err;
};

static bool read_value(struct reader *reader, struct json_object **out);

/* Fail, with the place `in.at`. */
static bool read_fail(struct reader *reader, const char *reason)
{
    reader->in.reason = reason;
    return json_read_fail(&reader->in, reader->places, reader->depth, reader->err);
}

static bool read_fail_at(struct reader *reader, const unsigned char *at, const char *reason)
{
    reader->in.at = at;
    return read_fail(reader, reason);
}

/* Fail because the rest would cost too much. */
static bool read_fail_costly(struct reader *reader, const char *reason)
{
    (void)read_fail(reader, reason);
    reader->err->code = ERR_TOO_EXPENSIVE;
    return false;
}

/* Called before the tree grows by `bytes`. */
static inline bool spend(struct reader *reader, size_t bytes)
{
    if (UNLIKELY(bytes > reader->memory))
        return read_fail_costly(reader, "the values would take too much memory");
    reader->memory -= bytes;
    return true;
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

/* Step over an opening bracket. NULL when containers are nested too deeply. */
static struct json_place *enter(struct reader *reader, bool in_array)
{
    struct json_place *place = &reader->places[reader->depth];

    if (reader->depth == reader->max_depth) {
        (void)read_fail(reader, "arrays and objects nested too deeply");
        return NULL;
    }
    *place = (struct json_place){ .in_array = in_array };
    reader->in.at++;
    reader->depth++;
    return place;
}

static void leave(struct reader *reader)
{
    reader->in.at++;
    reader->depth--;
}

/* Step over a comma, if one comes next, and set `*more`; else `close` must come next. */
static bool read_separator(struct reader *reader, int close, bool *more)
{
    int c = peek(reader);

    *more = c == ',';
    if (c == ',')
        reader->in.at++;
    if (c == ',' || c == close)
        return true;
    if (c < 0)
        return read_fail(reader, close == ']' ? "the text ends inside an array"
                                              : "the text ends inside an object");
    return read_fail(reader, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
}

static bool read_array(struct reader *reader, struct json_object **out)
{
    struct json_place *place = enter(reader, true);

    if (!place || !spend(reader, ARRAY_MEMORY))
        return false;

    CLEANUP(json_cleanup)
    struct json_object *array = json_made(json_object_new_array_ext(FIRST_ELEMENTS));
    bool more = peek(reader) != ']';

    while (more) {
        struct json_object *element = NULL;

        if (!spend(reader, ELEMENT_MEMORY) || !read_value(reader, &element))
            return false;
        if (json_object_array_add(array, element) != 0)
            abort();
        if (!read_separator(reader, ']', &more))
            return false;
        place->index++;
    }
    leave(reader);
    *out = array;
    array = NULL;
    return true;
}

static bool add_known(struct lh_table *members, const struct json_symbol *symbol,
                      struct json_object *value)
{
    if (lh_table_lookup_entry_w_hash(members, symbol->key, symbol->hash))
        return false;
    if (lh_table_insert_w_hash(members, symbol->key, value, symbol->hash,
                               JSON_C_OBJECT_ADD_CONSTANT_KEY) != 0)
        abort();
    return true;
}

/* json-c frees the copy of the key with the object. */
static bool add_unknown(struct lh_table *members, struct str key, struct json_object *value,
                        unsigned long *hash)
{
    char *copy = mem_copy(key.ptr, key.len);

    *hash = lh_get_hash(members, copy);
    if (lh_table_lookup_entry_w_hash(members, copy, *hash)) {
        mem_free(copy);
        return false;
    }
    if (lh_table_insert_w_hash(members, copy, value, *hash, 0) != 0)
        abort();
    return true;
}

/* The last member was added: are there too many collisions? */
static bool is_flooded(struct json_place *place, const struct lh_table *members, unsigned long hash)
{
    size_t size = (size_t)members->size;
    size_t slot = (size_t)(members->tail - members->table);

    place->displacement += (slot + size - hash % size) % size;
    return place->displacement > (size_t)members->count * DISPLACEMENT_PER_MEMBER;
}

/* Takes ownership of `value`. Adds to json-c's table directly, so the key is hashed once at most.
 */
static bool add_member(struct reader *reader, struct json_object *object, struct json_place *place,
                       struct json_object *value)
{
    struct lh_table *members = json_object_get_object(object);
    struct str key = json_bytes(&place->key, &reader->scratch);
    const unsigned char *start = (const unsigned char *)place->key.bytes.ptr - 1;
    const struct json_symbol *symbol =
        reader->symbols ? json_symbols_find(reader->symbols, key) : NULL;
    unsigned long hash = symbol ? symbol->hash : 0;

    if (UNLIKELY(!(symbol ? add_known(members, symbol, value)
                          : add_unknown(members, key, value, &hash)))) {
        json_release(value);
        return read_fail_at(reader, start, "duplicate key");
    }
    if (UNLIKELY(members->count >= COLLISIONS_CHECKED_FROM) && is_flooded(place, members, hash))
        return read_fail_costly(reader, "too many keys with colliding hashes");
    return true;
}

static bool read_member(struct reader *reader, struct json_object *object, struct json_place *place)
{
    const unsigned char *start;
    struct json_raw key;
    struct json_object *value = NULL;

    if (peek(reader) != '"')
        return read_fail(reader, "expected a key in double quotes");
    start = reader->in.at++;
    if (!json_scan_string(&reader->in, &key))
        return read_fail(reader, reader->in.reason);
    if (key.nul)
        return read_fail_at(reader, start, "U+0000 in a key");
    if (!spend(reader, MEMBER_MEMORY + key.bytes.len))
        return false;
    place->key = key;
    if (peek(reader) != ':')
        return read_fail(reader, "expected ':' behind a key");
    reader->in.at++;
    if (!read_value(reader, &value) || !add_member(reader, object, place, value))
        return false;
    place->key.bytes.ptr = NULL;
    return true;
}

static bool read_object(struct reader *reader, struct json_object **out)
{
    struct json_place *place = enter(reader, false);

    if (!place || !spend(reader, OBJECT_MEMORY))
        return false;

    CLEANUP(json_cleanup) struct json_object *object = json_made(json_object_new_object());
    bool more = peek(reader) != '}';

    while (more) {
        if (!read_member(reader, object, place) || !read_separator(reader, '}', &more))
            return false;
    }
    leave(reader);
    *out = object;
    object = NULL;
    return true;
}

static bool read_string(struct reader *reader, struct json_object **out)
{
    struct json_raw raw;

    reader->in.at++;
    if (!json_scan_string(&reader->in, &raw))
        return read_fail(reader, reader->in.reason);

    struct str bytes = json_bytes(&raw, &reader->scratch);

    if (!spend(reader, SCALAR_MEMORY + bytes.len))
        return false;
    *out = json_made(json_object_new_string_len(bytes.ptr, (int)bytes.len));
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

static bool read_boolean(struct reader *reader, bool value, struct json_object **out)
{
    if (!read_word(reader, value ? STR("true") : STR("false")))
        return false;
    if (!spend(reader, SCALAR_MEMORY))
        return false;
    *out = json_made(json_object_new_boolean(value));
    return true;
}

static bool read_null(struct reader *reader, struct json_object **out)
{
    if (!read_word(reader, STR("null")))
        return false;
    *out = NULL;
    return true;
}

static bool read_number(struct reader *reader, struct json_object **out)
{
    const unsigned char *start = reader->in.at;
    struct json_object *number = NULL;

    if (!json_scan_number(&reader->in, &number))
        return read_fail(reader, reader->in.reason);

    /* Counted as if every number kept its text. */
    if (!spend(reader, SCALAR_MEMORY + (size_t)(reader->in.at - start))) {
        json_release(number);
        return false;
    }
    *out = number;
    return true;
}

static bool read_value(struct reader *reader, struct json_object **out)
{
    int c = peek(reader);

    switch (c) {
    case '"':
        return read_string(reader, out);
    case '{':
        return read_object(reader, out);
    case '[':
        return read_array(reader, out);
    case 't':
        return read_boolean(reader, true, out);
    case 'f':
        return read_boolean(reader, false, out);
    case 'n':
        return read_null(reader, out);
    case -1:
        return read_fail(reader, "the text ends where a value is expected");
    default:
        break;
    }
    if (c == '-' || char_is_digit((char)c))
        return read_number(reader, out);
    return read_fail(reader, "expected a value");
}

static bool read_text(struct reader *reader, struct json_object **out)
{
    CLEANUP(json_cleanup) struct json_object *root = NULL;

    if (str_starts_with((struct str){ (const char *)reader->in.begin,
                                      (size_t)(reader->in.end - reader->in.begin) },
                        STR("\xEF\xBB\xBF")))
        return read_fail(reader, "byte order mark");
    if (!read_value(reader, &root))
        return false;
    if (peek(reader) >= 0)
        return read_fail(reader, "more text behind the value");
    *out = root;
    root = NULL;
    return true;
}

static size_t depth_of(const struct json_read_options *options)
{
    if (!options || options->max_depth == 0)
        return JSON_MAX_DEPTH;
    return options->max_depth < JSON_DEPTH_LIMIT ? options->max_depth : JSON_DEPTH_LIMIT;
}

bool json_read(struct str text, const struct json_read_options *options, struct json_object **out,
               struct error *err)
{
    const unsigned char *begin = (const unsigned char *)(text.ptr ? text.ptr : "");
    struct json_place
        places[JSON_DEPTH_LIMIT]; /* not zeroed: that would take longer than reading */
    struct reader reader = {
        .in = { .begin = begin, .at = begin, .end = begin + text.len },
        .symbols = options ? options->symbols : NULL,
        .places = places,
        .max_depth = depth_of(options),
        .memory = options && options->max_memory ? options->max_memory : SIZE_MAX,
        .err = err,
    };

    /* json-c keeps the length of a string in an int. */
    if (text.len > INT_MAX)
        return fail(err, ERR_MALFORMED, "at byte %d: the text is longer than 2 GiB", INT_MAX);
    buf_init(&reader.scratch, INT_MAX);

    bool ok = read_text(&reader, out);

    buf_done(&reader.scratch);
    return ok;
}

bool json_read_in(struct arena *arena, struct str text, const struct json_read_options *options,
                  struct json_object **out, struct error *err)
{
    struct json_object *tree = NULL;

    if (!json_read(text, options, &tree, err))
        return false;
    if (tree)
        arena_own(arena, tree, json_release);
    *out = tree;
    return true;
}

void json_release(void *tree)
{
    json_object_put((struct json_object *)tree);
}

void json_cleanup(struct json_object **tree)
{
    json_release(*tree);
}
