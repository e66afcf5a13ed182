/*
 * json.h - json-c's trees: configuration, answers of services, the command line.
 *
 * Only this header and json*.c use json-c. A text is read by the reader of flat trees (flat.h),
 * from which json-c's tree is made. The schema engine takes flat trees: see json_flatten(). A JSON
 * null is the NULL pointer, so functions report presence separately. The writer writes what was
 * read with the same digits of numbers and the same order of members.
 *
 * Threads: a tree belongs to one thread at a time, because json-c's reference counts are not
 * atomic. Several threads may read it only while none acquires, releases or changes any of it.
 */
#pragma once

#include <json-c/json.h>

#include "base/flat.h"

struct json_read_options {
    size_t max_depth;  /* 0: JSON_MAX_DEPTH; at most JSON_DEPTH_LIMIT */
    size_t max_memory; /* bytes that the tree may take, about; 0: no limit */
};

/**
 * Read the one JSON value in `text` (`options` may be NULL). The caller ends the tree with
 * json_release(). ERR_MALFORMED: as for flat_read().
 *
 * A tree can take 270 times the memory of its text (json-c allocates 800 bytes for "{}"), so set
 * `max_memory` for texts from outside. ERR_TOO_EXPENSIVE: the tree would exceed it.
 */
NODISCARD bool json_read(struct str text, const struct json_read_options *options,
                         struct json_object **out, struct error *err);

/** The same, with the tree owned by `arena`. */
NODISCARD bool json_read_in(struct arena *arena, struct str text,
                            const struct json_read_options *options, struct json_object **out,
                            struct error *err);

/** A flat tree of the same value, in the arena. */
const struct flat *json_flatten(struct arena *arena, struct json_object *value);

/** Free a tree. NULL is fine. Can be passed to arena_own(). */
void json_release(void *tree);

/** For CLEANUP: free the tree that the variable points to. */
void json_cleanup(struct json_object **tree);

/** Append `value` as compact JSON: raw UTF-8, `/` unescaped, members in their order. */
void json_write(struct buf *out, struct json_object *value);

/** json_write() into memory of the arena. */
struct str json_text(struct arena *arena, struct json_object *value);

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

/** The member's integer if it is there, an integer and fits, else 0. */
int64_t json_find_int64(struct json_object *object, const char *key);

/** Is the member there, a boolean, and true? */
bool json_find_true(struct json_object *object, const char *key);

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

/** flat_pointer_find() in a tree of json-c. */
enum json_lookup json_pointer_find(const struct json_pointer *pointer, struct json_object *root,
                                   struct json_object **value, size_t *stop);

/* Numbers. */

/** The double nearest to the number; may be infinite. */
double json_double(struct json_object *number);

/** Is its value an integer that fits int64_t? Then set `*value`. */
bool json_int64(struct json_object *number, int64_t *value);
