/*
 * json.h - JSON text in, json-c trees inside, JSON text out.
 *
 * The tree is json-c's; only this header and json*.c use json-c. A JSON null is the NULL pointer,
 * so functions report presence separately. The reader is strict (RFC 8259, docs/decisions/010). The
 * writer writes what was read with the same digits of numbers and the same order of members.
 *
 * Threads: a tree belongs to one thread at a time, because json-c's reference counts are not
 * atomic. Several threads may read a tree only while none acquires, releases or changes any of it.
 */
#pragma once

#include <json-c/json.h>
#include <pthread.h>
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
    JSON_DEPTH_LIMIT = 512, /* and at most: freeing, writing and comparing a tree recurse */
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

/*
 * Property names known to the reader: members with these names share one copy of the key in every
 * tree, which makes reading cheaper and lets the schema engine recognise a key by its address
 * (see "Symbols" below).
 *
 * Threads: any thread may find and add at the same time; finding takes no lock. Trees read with a
 * table must be released before the table is destroyed.
 */
struct json_symbols;

struct json_read_options {
    size_t max_depth;                   /* 0: JSON_MAX_DEPTH; at most JSON_DEPTH_LIMIT */
    size_t max_memory;                  /* bytes that the tree may take, about; 0: no limit */
    const struct json_symbols *symbols; /* NULL: none */
};

/**
 * Read the one JSON value in `text` (`options` may be NULL). The caller ends the tree with
 * json_release(). ERR_MALFORMED: "at byte N: reason" (N counts from 0), followed by
 * " at /json/pointer" where the place has one; one line of UTF-8 that quotes keys only.
 *
 * A tree can take 270 times the memory of its text (json-c allocates 800 bytes for "{}"), so set
 * `max_memory` for texts from outside. ERR_TOO_EXPENSIVE: the tree would exceed it, or the keys of
 * an object have too many hash collisions.
 */
NODISCARD bool json_read(struct str text, const struct json_read_options *options,
                         struct json_object **out, struct error *err);

/** The same, with the tree owned by `arena`. */
NODISCARD bool json_read_in(struct arena *arena, struct str text,
                            const struct json_read_options *options, struct json_object **out,
                            struct error *err);

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

/** Free a tree. NULL is fine. Can be passed to arena_own(). */
void json_release(void *tree);

/** For CLEANUP: free the tree that the variable points to. */
void json_cleanup(struct json_object **tree);

/** Append `value` as compact JSON: raw UTF-8, `/` unescaped, members in their order. */
void json_write(struct buf *out, struct json_object *value);

/** Append `value` for people: each member or element on a line, indented by two spaces a level. */
void json_write_pretty(struct buf *out, struct json_object *value);

/** Append `s`, valid UTF-8, as a JSON string with its quotes. */
void json_write_string(struct buf *out, struct str s);

/** Append `token` escaped for a JSON Pointer: `~` as `~0`, `/` as `~1`; without the leading `/`. */
void json_write_pointer_token(struct buf *out, struct str token);

/** json_write() into memory of the arena. */
struct str json_text(struct arena *arena, struct json_object *value);

/** A deep copy, with the same digits of numbers; NULL for a JSON null. The caller owns it. */
struct json_object *json_copy(struct json_object *value);

/* What a value is. */

static inline bool json_is_object(struct json_object *value)
{
    return json_object_is_type(value, json_type_object);
}

static inline bool json_is_array(struct json_object *value)
{
    return json_object_is_type(value, json_type_array);
}

static inline bool json_is_string(struct json_object *value)
{
    return json_object_is_type(value, json_type_string);
}

/** The kind of a value. An integer of more than 64 bits is JSON_INTEGER too. */
enum json_kind json_kind(struct json_object *value);

/** The bytes of a string, which may contain NUL; valid as long as the tree. */
static inline struct str json_str(struct json_object *string)
{
    return (struct str){ json_object_get_string(string),
                         (size_t)json_object_get_string_len(string) };
}

/* Members and elements. */

/** Is there a member `key`? If so, `*value` is its value (NULL for a JSON null). */
static inline bool json_find(struct json_object *object, const char *key,
                             struct json_object **value)
{
    return json_object_object_get_ex(object, key, value);
}

/** The member's string if it is there and a string, else the empty slice. */
struct str json_find_str(struct json_object *object, const char *key);

/** Loop over members: `for (JSON_EACH(member, object)) ... json_key(member), json_value(member)`.
 */
#define JSON_EACH(member, object)                                                                  \
    const struct lh_entry *member = json_object_get_object(object)->head;                          \
    (member) != NULL;                                                                              \
    (member) = (member)->next

static inline const char *json_key(const struct lh_entry *member)
{
    return (const char *)lh_entry_k(member);
}

static inline struct json_object *json_value(const struct lh_entry *member)
{
    return (struct json_object *)lh_entry_v(member);
}

static inline size_t json_count(struct json_object *array)
{
    return json_object_array_length(array);
}

static inline struct json_object *json_at(struct json_object *array, size_t index)
{
    return json_object_array_get_idx(array, index);
}

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
enum json_lookup json_pointer_find(const struct json_pointer *pointer, struct json_object *root,
                                   struct json_object **value, size_t *stop);

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
double json_double(struct json_object *number);

/** Is its value an integer that fits int64_t? Then set `*value`. */
bool json_int64(struct json_object *number, int64_t *value);

/** Order of two numbers by their exact values: a number below, equal to or above 0. */
int json_compare_numbers(struct json_object *a, struct json_object *b);

/** Are the values equal by the rules of JSON Schema (1 equals 1.0, members in any order)? */
bool json_equal(struct json_object *a, struct json_object *b);

/** A hash that is the same for equal values (json_equal()); seeded once per process. */
uint64_t json_hash(struct json_object *value);

/** Is the number a multiple of `divisor` (> 0) by Python's rules (docs/decisions/010)? */
bool json_is_multiple(struct json_object *number, struct json_object *divisor);

/*
 * Symbols.
 *
 * A symbol is the only copy of a key, stored behind its number and length. A table only grows, and
 * all its symbols lie in one pool that does not move. So a member whose key points into the pool
 * *is* that symbol: no strlen, no hash, no compare. Other keys (names not in the table when the
 * text was read, trees made otherwise) lie elsewhere: compare those by their bytes, or call
 * json_symbols_find().
 */

struct json_symbol {
    unsigned long hash; /* json-c's, for lh_table_lookup_entry_w_hash() */
    uint32_t index;     /* 0, 1, 2, ... in the order in which they were added */
    uint32_t len;       /* bytes of the key */
    char key[];         /* NUL-terminated */
};

struct json_symbol_slots;

/* Only json_symbol_of() looks inside, so that it can be inlined. */
struct json_symbols {
    char *pool;
    size_t pool_size; /* bytes; fixed */
    struct json_symbol_slots *_Atomic table;

    /* Behind the mutex: */
    pthread_mutex_t mutex;
    size_t pool_used;
    size_t count;
    struct json_object *hashing; /* any object: json-c computes hashes by its table */
};

/**
 * An empty table for at most `max_bytes` of symbols (a name takes 17 to 24 bytes more than its
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

/** The symbol that this member's key is, or NULL when it is not one of this table. */
static inline const struct json_symbol *json_symbol_of(const struct json_symbols *symbols,
                                                       const struct lh_entry *member)
{
    const char *key = json_key(member);

    /* As numbers, since pointers into different objects must not be compared. */
    if (!lh_entry_k_is_constant(member) ||
        (uintptr_t)key - (uintptr_t)symbols->pool >= symbols->pool_size)
        return NULL;
    return (const struct json_symbol *)(const void *)(key - offsetof(struct json_symbol, key));
}
