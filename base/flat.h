/*
 * flat.h - JSON text in, a flat tree inside, JSON text out.
 *
 * A tree is one array of values in the order of the text: each value stands before its members or
 * elements, and knows how many values it spans. Strings and numbers are slices of the text, which
 * must outlive the tree; only strings with escapes are copied. A tree lives in an arena, nothing of
 * it is released one by one, and it takes at most 24 times the memory of its text
 * (docs/decisions/032).
 *
 * The reader is strict (RFC 8259, docs/decisions/010). The writer writes what was read with the
 * same digits of numbers and the same order of members.
 *
 * Threads: a tree never changes, so any number of threads may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum {
    JSON_MAX_DEPTH = 64,    /* nested arrays and objects that the reader accepts by default */
    JSON_DEPTH_LIMIT = 512, /* and at most: writing and comparing a tree recurse */
};

enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_INTEGER, /* written without fraction and exponent; of any length */
    JSON_NUMBER,  /* any other number */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

#define FLAT_NO_SYMBOL UINT32_MAX

enum flat_flag {
    FLAT_TRUE = 1,      /* of a boolean */
    FLAT_PLAIN = 2,     /* a string: `text` is between quotes and has no escapes there */
    FLAT_PLAIN_KEY = 4, /* the same of `key` */
    FLAT_INDEXED = 8,   /* an object with a hash table of its members */
};

/** One value of a tree. */
struct flat {
    const char *text; /* a string: its bytes; a number: as written; FLAT_INDEXED: a hash table */
    const char *key;  /* of a member */
    uint32_t len;     /* bytes of `text`; of an array or object: its elements or members */
    uint32_t key_len; /* bytes of `key` */
    uint32_t symbol;  /* of the key; FLAT_NO_SYMBOL: the reader did not know it */
    uint32_t size;    /* the values of this subtree, this one included */
    uint32_t index;   /* the place among the elements or members of its parent, from 0 */
    uint8_t kind;     /* enum json_kind */
    uint8_t flags;    /* enum flat_flag */
};

struct json_symbols;

struct flat_options {
    size_t max_depth;                   /* 0: JSON_MAX_DEPTH; at most JSON_DEPTH_LIMIT */
    const struct json_symbols *symbols; /* NULL: none */
};

/**
 * Read the one JSON value in `text`, which must outlive the tree (`options` may be NULL).
 * ERR_MALFORMED: "at byte N: reason" (N counts from 0), followed by " at /json/pointer" where the
 * place has one; one line of UTF-8 that quotes keys only.
 */
NODISCARD bool flat_read(struct arena *arena, struct str text, const struct flat_options *options,
                         const struct flat **out, struct error *err);

/** A copy with its own texts in the arena, and without symbols. */
const struct flat *flat_copy(struct arena *arena, const struct flat *value);

/* What a value is. */

static inline enum json_kind flat_kind(const struct flat *value)
{
    return (enum json_kind)value->kind;
}

static inline bool flat_is_object(const struct flat *value)
{
    return value->kind == JSON_OBJECT;
}

static inline bool flat_is_array(const struct flat *value)
{
    return value->kind == JSON_ARRAY;
}

static inline bool flat_is_string(const struct flat *value)
{
    return value->kind == JSON_STRING;
}

static inline bool flat_is_boolean(const struct flat *value)
{
    return value->kind == JSON_BOOLEAN;
}

static inline bool flat_is_number(const struct flat *value)
{
    return value->kind == JSON_INTEGER || value->kind == JSON_NUMBER;
}

/** Is it the boolean true? */
static inline bool flat_is_true(const struct flat *value)
{
    return value->kind == JSON_BOOLEAN && (value->flags & FLAT_TRUE) != 0;
}

/** The bytes of a string, which may contain NUL; the digits of a number. */
static inline struct str flat_str(const struct flat *value)
{
    return (struct str){ value->text, value->len };
}

/** The elements of an array, or the members of an object. */
static inline size_t flat_count(const struct flat *container)
{
    return container->len;
}

/* Members and elements. */

/** Loop over members or elements: `for (FLAT_EACH(member, object)) ... flat_key(member), member`.
 */
#define FLAT_EACH(child, container)                                                                \
    const struct flat *child = (container) + 1, *child##_end = (container) + (container)->size;    \
    (child) < child##_end;                                                                         \
    (child) += (child)->size

static inline struct str flat_key(const struct flat *member)
{
    return (struct str){ member->key, member->key_len };
}

/** The element `at` of an array, found by walking over those before it; NULL: there is none. */
const struct flat *flat_at(const struct flat *array, size_t at);

/** The member `key`, or NULL. */
const struct flat *flat_find(const struct flat *object, struct str key);

/** The member's string if it is there and a string, else the empty slice. */
struct str flat_find_str(const struct flat *object, struct str key);

/** Does a look-up of a member take the same time, however many there are? */
static inline bool flat_is_indexed(const struct flat *object)
{
    return (object->flags & FLAT_INDEXED) != 0;
}

/** The key of `member` as a string value; valid as long as the tree. */
static inline struct flat flat_of_key(const struct flat *member)
{
    return (struct flat){ .text = member->key,
                          .len = member->key_len,
                          .symbol = FLAT_NO_SYMBOL,
                          .size = 1,
                          .kind = JSON_STRING };
}

/* Writing. */

/** Append `value` as compact JSON: raw UTF-8, `/` unescaped, members in their order. */
void flat_write(struct buf *out, const struct flat *value);

/** Append the key of `member` as a JSON string with its quotes. */
void flat_write_key(struct buf *out, const struct flat *member);

/** Append `value` for people: each member or element on a line, indented by two spaces a level. */
void flat_write_pretty(struct buf *out, const struct flat *value);

/** flat_write() into memory of the arena. */
struct str flat_text(struct arena *arena, const struct flat *value);

/** Append `s`, valid UTF-8, as a JSON string with its quotes. */
void json_write_string(struct buf *out, struct str s);

/** Append `token` escaped for a JSON Pointer: `~` as `~0`, `/` as `~1`; without the leading `/`. */
void json_write_pointer_token(struct buf *out, struct str token);

/* Parts of a text. */

/** `text` without the white space around its value. */
struct str json_span(struct str text);

/**
 * Find the first `count` elements of an array in its text, which was read before; it must have as
 * many. Sets `spans` to slices of the text.
 */
void json_spans(struct str text, struct str *spans, size_t count);

/**
 * The part of an object's text, which was read before, to remove so that the member `key` is gone:
 * the member and one comma. ptr is NULL when the object has no such member or its key has escapes.
 */
struct str json_member_span(struct str text, struct str key);

/* JSON Pointer (RFC 6901). */

enum json_lookup {
    JSON_FOUND,
    JSON_ABSENT,      /* a member or element on the path does not exist */
    JSON_NO_CONTAINER /* a value on the path is neither object nor array */
};

/** A pointer whose tokens are split and unescaped. Immutable; shared between threads. */
struct json_pointer;

/**
 * Compile the pointer `text`. The caller owns it. ERR_MALFORMED: `text` is neither empty nor begins
 * with `/`, or has a `~` without 0 or 1 after it.
 */
NODISCARD bool json_pointer_create(struct str text, struct json_pointer **out, struct error *err);

/** NULL is fine. */
void json_pointer_destroy(struct json_pointer *pointer);

/**
 * Find the value that `pointer` refers to in `root`. JSON_FOUND sets `*value`. Otherwise, when
 * `stop` is not NULL, `*stop` is the number of tokens that lead to the fault: to the value that
 * does not exist (JSON_ABSENT, at least 1), or to the null or scalar that has no members
 * (JSON_NO_CONTAINER, 0 for the root).
 */
enum json_lookup flat_pointer_find(const struct json_pointer *pointer, const struct flat *root,
                                   const struct flat **value, size_t *stop);

/** The value that the first `count` tokens lead to; NULL: there is none. */
const struct flat *flat_pointer_prefix(const struct json_pointer *pointer, size_t count,
                                       const struct flat *root);

/** The token `index`, unescaped; valid as long as the pointer. */
struct str json_pointer_token(const struct json_pointer *pointer, size_t index);

/** The first `count` tokens, joined with `.`; in the arena. */
struct str json_pointer_dotted(const struct json_pointer *pointer, size_t count,
                               struct arena *arena);

/** The number of tokens. */
size_t json_pointer_depth(const struct json_pointer *pointer);

/** Is `text` empty, or tokens that begin with `/` in which 0 or 1 follows each `~`? */
bool json_pointer_is_valid(struct str text);

/**
 * Remove the first token from `pointer`, which begins with `/`. Returns the token unescaped, in the
 * arena; a NUL follows it. A `~` without 0 or 1 stands for itself.
 */
struct str json_pointer_take(struct str *pointer, struct arena *arena);

#define JSON_NO_INDEX SIZE_MAX

/** The index of an array's element that an unescaped token stands for, or JSON_NO_INDEX. */
size_t json_pointer_index(struct str token);

/* Numbers: exact at any length (docs/decisions/010). */

/** The double nearest to the number; may be infinite. */
double flat_double(const struct flat *number);

/** Is its value an integer that fits int64_t? Then set `*value`. */
bool flat_int64(const struct flat *number, int64_t *value);

/** Order of two numbers by their exact values: a number below, equal to or above 0. */
int flat_compare_numbers(const struct flat *a, const struct flat *b);

/** Are the values equal by the rules of JSON Schema (1 equals 1.0, members in any order)? */
bool flat_equal(const struct flat *a, const struct flat *b);

/** A hash that is the same for equal values (flat_equal()); seeded once per process. */
uint64_t flat_hash(const struct flat *value);

/** Is the number a multiple of `divisor` (> 0) by Python's rules (docs/decisions/010)? */
bool flat_is_multiple(const struct flat *number, const struct flat *divisor);

/*
 * Symbols: property names known to the reader. A member with such a name carries the number of its
 * symbol, so that the schema engine recognises it without a hash or a comparison. Other members
 * (names that were not in the table when the text was read) have FLAT_NO_SYMBOL: compare their
 * keys, or call json_symbols_find().
 *
 * A table only grows, and all its symbols lie in one pool that does not move.
 *
 * Threads: any thread may find and add at the same time; finding takes no lock.
 */

struct json_symbol {
    uint32_t index; /* 0, 1, 2, ... in the order in which they were added */
    uint32_t len;   /* bytes of the key */
    char key[];     /* NUL-terminated */
};

/**
 * An empty table for at most `max_bytes` of symbols (a name takes 9 to 16 bytes more than its
 * length). Memory is used as names are added. The caller owns it.
 */
struct json_symbols *json_symbols_create(size_t max_bytes);

/** NULL is fine. */
void json_symbols_destroy(struct json_symbols *symbols);

/**
 * The symbol for this key (copied), added when it is new. NULL when the table is full or the key
 * contains a NUL: such a key never becomes a symbol later.
 */
const struct json_symbol *json_symbols_add(struct json_symbols *symbols, struct str key);

/** The symbol with these bytes, or NULL. */
const struct json_symbol *json_symbols_find(const struct json_symbols *symbols, struct str key);
